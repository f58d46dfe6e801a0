// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import Validation

/// The stage that reads the source: what checkpatch, gcc with W=1, sparse and the rules of kernel-tests/static say of
/// the patch and not of the source without it.
struct StaticStage: Sendable {
    let input: BuildOptions
    let patches: [ValidationRun.Patch]
    let built: BuiltModules

    /// A tool that cannot run is said; nothing here ends a validation.
    func result() async throws -> StageResult {
        let clock = ContinuousClock()
        let start = clock.now
        let builder = try KernelBuilder(cache: .standard())
        let kernel = try await builder.prepare(try input.request(builder.catalog).kernel)
        let checks = StaticChecks(builder, kernel: kernel)
        let changes = built.directory + "/changes.diff"
        let text = (try? String(contentsOfFile: changes, encoding: .utf8)) ?? ""
        let names = Set(
            text.split(separator: "\n").filter { $0.hasPrefix("+++ b/drivers/md/") }.map {
                String($0.dropFirst("+++ b/drivers/md/".count).prefix { $0 != "\t" })
            })
        var lines: [String] = []
        var findings: [StageResult.SourceFinding] = []
        do {
            let style = try await checks.checkpatch(
                patches.map(\.path), plain: Set(patches.filter(\.isPlain).map(\.path)))
            let patched = try await checks.sources(changes: changes, names: names.sorted())
            let baseline = try await checks.sources(changes: nil, names: names.sorted())
            let found = style.findings + StaticFinding.new(patched.findings, baseline: baseline.findings)
            lines += found.map { "\($0.tool.rawValue): \($0.file):\($0.line): \($0.text)" }
            findings = found.map {
                .init(
                    tool: $0.tool.rawValue, file: $0.file, line: $0.line, text: $0.text,
                    isInPatch: $0.tool == .checkpatch)
            }
            lines += (style.left + patched.left).map { "not run: \($0.tool.rawValue): \($0.reason)" }
        } catch let error as any Worded {
            lines.append("not run: \(error.line)")
        }
        return StageResult(.static, .pass, seconds: (clock.now - start) / .seconds(1), lines: lines, findings: findings)
    }
}
