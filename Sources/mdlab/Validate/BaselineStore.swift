// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import RunRecord
import Scenarios
import Validation

/// What runs of the unpatched kernel came to, kept in the cache: a kernel that is unchanged need not run again.
struct BaselineStore {
    let cache: CacheFolder
    /// The build of the unpatched modules, and the kernel that it is for.
    let build: String
    let files: ScenarioFiles

    private func folder(_ instance: ScenarioInstance) async throws -> URL {
        // A run is another one when the scenario, the rules it is judged by or mdlab itself are.
        let text = try String(contentsOf: files.file(of: instance.scenario), encoding: .utf8)
        let key = try await Checksum.of(
            text: "\(build)\n\(instance.name)\n\(text)\n\(RulesText.all(in: files.rules))\nform 1")
        return URL(filePath: "\(cache.path)/baselines/\(key.prefix(20))")
    }

    /// All that is known of the scenario.
    func outcomes(_ instance: ScenarioInstance) async -> [RunOutcome] {
        guard let folder = try? await folder(instance),
            let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        else { return [] }
        return names.sorted().compactMap { name in
            guard name.hasSuffix(".json"), let data = try? Data(contentsOf: folder.appending(path: name)) else {
                return nil
            }
            return try? JSONDecoder().decode(RunOutcome.self, from: data)
        }
    }

    /// Keeps an outcome. One that the lab failed to get says nothing about the kernel and is not kept.
    func keep(_ outcome: RunOutcome, of instance: ScenarioInstance) async throws {
        guard outcome.word != .miss, outcome.word != .error else { return }
        var kept = outcome
        kept.record = nil
        let folder = try await folder(instance)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let name = "\(await outcomes(instance).count + 1)-\(getpid()).json"
        try JSONEncoder().encode(kept).write(to: folder.appending(path: name), options: .atomic)
    }
}

/// The rules for kernel logs as one text.
enum RulesText {
    static func all(in folder: URL) -> String {
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
        return names.map { (try? String(contentsOf: folder.appending(path: $0), encoding: .utf8)) ?? "" }.joined()
    }
}
