// SPDX-License-Identifier: GPL-2.0
import RunRecord
import Validation

extension ReportDocument {
    /// What a validation found out, without its runs and its patch: whoever opens their files adds them.
    ///
    /// - Parameter runs: the ids of the runs that the report shows, by the folders that `RunOutcome.record` names.
    public init(_ validation: ValidationReport, runs: [String: String] = [:]) {
        let title = validation.patches.count == 1 ? validation.patches[0] : "\(validation.patches.count) patches"
        self.init(title: title, word: validation.word.rawValue, sentence: validation.sentence)
        (reasons, advice) = (validation.why, validation.next)
        facts = [Fact("kernel", validation.kernel)]
        if validation.patches.count > 1 {
            facts += validation.patches.enumerated().map { Fact("patch \($0 + 1)", $1) }
        }
        stages = validation.stages.map {
            Stage(
                $0.name.rawValue, word: $0.word.rawValue, seconds: $0.seconds, text: $0.lines.first ?? "",
                details: Array($0.lines.dropFirst()))
        }
        baseline = Self.pairs(validation, runs)
        notCovered = validation.changed.filter { $0.state == .neverRan }.map {
            Gap("\($0.file):\($0.line) never ran: \($0.text)")
        }
        notCovered += validation.changed.filter { $0.state == .usedElsewhere }.map {
            Gap("\($0.file):\($0.line) is used elsewhere, and that is not followed: \($0.text)")
        }
        notCovered.append(
            Gap("Every kernel but \(validation.kernel).", wouldCover: "mdlab validate --kernel with another one"))
    }

    /// Each scenario once: the worst run with the patch beside the worst without it.
    private static func pairs(_ validation: ValidationReport, _ ids: [String: String]) -> [BaselinePair] {
        var names: [String] = []
        for run in validation.runs where !names.contains(run.scenario) { names.append(run.scenario) }
        return names.map { name in
            let patched = validation.runs.filter { $0.scenario == name }
            let unpatched = validation.baseline.filter { $0.scenario == name }
            let faults = validation.faults.filter { $0.scenarios.contains(name) }
            return BaselinePair(
                name, unpatched: side(unpatched, ids), patched: side(patched, ids), meaning: meaning(faults, unpatched))
        }
    }

    private static func side(_ runs: [RunOutcome], _ ids: [String: String]) -> BaselinePair.Side {
        guard let worst = runs.min(by: { rank($0) < rank($1) }) else {
            return BaselinePair.Side(word: "not run", sentence: "")
        }
        let same = runs.count { rank($0) == rank(worst) }
        var text = worst.reason
        switch worst.comparison {
        case .conforms: break
        case .differs(_, let difference): text += "; not in the model: \(difference)"
        case .notDecided(let why): text += "; not compared with the model: \(why)"
        }
        return BaselinePair.Side(
            word: worst.word.rawValue, sentence: (runs.count > 1 ? "\(same) of \(runs.count) runs: " : "") + text,
            run: worst.record.flatMap { ids[$0] })
    }

    /// A run that passes and is none of the model's is worse than one that passes.
    private static func rank(_ run: RunOutcome) -> Int {
        let place = VerdictWord.allCases.firstIndex(of: run.word) ?? 0
        return if case .differs = run.comparison { place * 2 } else { place * 2 + 1 }
    }

    private static func meaning(_ faults: [Fault], _ unpatched: [RunOutcome]) -> String {
        if faults.isEmpty { return unpatched.isEmpty ? "nothing wrong with the patch" : "as without the patch" }
        let texts = Set(faults.map(\.blame)).map { blame in
            switch blame {
            case .patch: "the patch's"
            case .known: "known: the unpatched kernel has it too"
            case .open: "not told apart: seen too rarely"
            }
        }
        return texts.sorted().joined(separator: "; ")
    }
}

extension ReportPatch {
    /// Marks the lines that a validation measured.
    public mutating func mark(_ changed: [ValidationReport.ChangedLine]) {
        for line in changed {
            guard let execution = Self.execution(line.state), let place = place(of: line) else { continue }
            files[place.file].hunks[place.hunk].lines[place.line].execution = execution
        }
    }

    private static func execution(_ state: ValidationReport.State) -> Execution? {
        switch state {
        case .ran: .executed
        case .neverRan: .unexecuted
        case .noCode, .usedElsewhere: nil
        }
    }

    /// A removed line is known by its text: its number is that of the line that stands for it.
    private func place(of changed: ValidationReport.ChangedLine) -> (file: Int, hunk: Int, line: Int)? {
        let wanted = changed.text.filter { !$0.isWhitespace }
        var best: (file: Int, hunk: Int, line: Int)?
        var least = Int.max
        for (file, content) in files.enumerated() where content.path == changed.file {
            for (hunk, part) in content.hunks.enumerated() {
                for (place, line) in part.lines.enumerated()
                where line.kind == (changed.removed ? .removed : .added)
                    && line.text.filter({ !$0.isWhitespace }) == wanted
                {
                    let distance = abs((line.new ?? line.old ?? 0) - changed.line)
                    if distance < least { (best, least) = ((file, hunk, place), distance) }
                }
            }
        }
        return best
    }

    /// Puts a finding at a line of the patched source.
    ///
    /// - Parameter file: the end of a path: "md-cluster.c".
    /// - Returns: false when the patch does not show the line.
    @discardableResult
    public mutating func add(_ finding: Finding, file: String, line: Int) -> Bool {
        add(finding) { path, candidate in
            candidate.new == line && (path == file || path.hasSuffix("/" + file))
        }
    }

    /// Puts a finding at the first added line with this text: for tools that count lines in the patch.
    @discardableResult
    public mutating func add(_ finding: Finding, addedLine text: String) -> Bool {
        add(finding) { _, candidate in candidate.kind == .added && candidate.text == text }
    }

    private mutating func add(_ finding: Finding, where fits: (String, Line) -> Bool) -> Bool {
        for file in files.indices {
            for hunk in files[file].hunks.indices {
                guard let line = files[file].hunks[hunk].lines.firstIndex(where: { fits(files[file].path, $0) })
                else { continue }
                files[file].hunks[hunk].lines[line].findings.append(finding)
                return true
            }
        }
        return false
    }

    /// A patch of which only the changed lines are known.
    public init(changed: [ValidationReport.ChangedLine]) {
        self.init()
        for (path, lines) in Dictionary(grouping: changed, by: \.file).sorted(by: { $0.key < $1.key }) {
            var hunk = Hunk(heading: "changed lines")
            hunk.lines = lines.map {
                Line(
                    $0.removed ? .removed : .added, old: $0.removed ? $0.line : nil, new: $0.removed ? nil : $0.line,
                    text: $0.text)
            }
            files.append(File(path: path, hunks: [hunk]))
        }
        mark(changed)
    }
}
