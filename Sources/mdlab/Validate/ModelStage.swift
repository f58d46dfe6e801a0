// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import ModelExtraction
import Validation

/// The stage that compares what md-cluster's C does with the patch and without it, as `mdlab model diff` does.
///
/// A change is no fault, and what is not looked at is for the runs to decide: neither ends a validation.
struct ModelStage: Sendable {
    let input: BuildOptions

    func result() async throws -> StageResult {
        let clock = ContinuousClock()
        let start = clock.now
        var word = ValidationWord.pass
        var lines: [String]
        do {
            let builder = try KernelBuilder(cache: .standard())
            let model = try SourceModel(builder)
            var request = try input.request(builder.catalog)
            request.coverage = false
            let now = try await builder.sources(request)
            request.patches = []
            let comparison = try await model.compare(try await builder.sources(request), now, all: true)
            lines = SourceWording.report(comparison, statements: false).split(separator: "\n").map(String.init)
            if comparison.verdict == .notDecided { word = .notDecided }
        } catch let error as any Worded {
            word = .notDecided
            lines = ["the source is not compared: \(error.line)"]
        }
        return StageResult(.model, word, seconds: (clock.now - start) / .seconds(1), lines: lines)
    }
}
