// SPDX-License-Identifier: GPL-2.0
import RunRecord

/// Something that was wrong in runs of the patched kernel, and how often the unpatched one has it too.
public struct Fault: Codable, Sendable, Equatable {
    /// What makes two findings the same one.
    public enum Identity: Codable, Sendable, Hashable {
        /// A check failed; `kind` and `subject` are those of its finding's fact.
        case check(String, kind: FindingFact.Kind?, subject: String?)
        /// The run is no behaviour of the reference model.
        case comparison(Difference)
        /// mdadm failed by itself.
        case userSpace
    }

    public enum Blame: String, Codable, Sendable {
        /// Only the patched kernel has it.
        case patch
        /// The unpatched kernel has it too.
        case known
        /// It was seen too rarely to say whose it is.
        case open
    }

    public var identity: Identity
    /// As its first finding says it.
    public var text: String
    public var details: [String]
    /// The scenarios that showed it.
    public var scenarios: [String]
    /// Runs of these scenarios that showed it, of how many: with the patch, and without it.
    public var patched: Rate
    public var unpatched: Rate
    /// A function that the patch changes is in the kernel's own lines about it.
    public var namesChangedFunction: Bool
    public var rank: FindingRank

    public struct Rate: Codable, Sendable, Equatable {
        public var hits: Int
        public var runs: Int
        public init(_ hits: Int, of runs: Int) { (self.hits, self.runs) = (hits, runs) }
    }

    /// A fault that the unpatched kernel has too, however rarely, is not the patch's. One that was seen once, in code
    /// that the patch does not touch, may be a rare fault of the kernel itself.
    public var blame: Blame {
        if unpatched.hits > 0 { return .known }
        if unpatched.runs == 0 { return .open }
        // What the protocol and its model say is about md-cluster. Oopses and log lines may be anybody's.
        let isAnybodys = if case .check("kernel-log", _, _) = identity { true } else { identity == .userSpace }
        if isAnybodys, !namesChangedFunction, patched.hits < 2 { return .open }
        return .patch
    }

    /// The faults of runs with the patch, the worst first.
    ///
    /// - Parameters:
    ///   - patched: all runs with the patch; a scenario may have run more than once.
    ///   - baseline: runs without it.
    ///   - changed: the functions that the patch changes.
    public static func all(patched: [RunOutcome], baseline: [RunOutcome], changed: Set<String>) -> [Fault] {
        var faults: [Identity: Fault] = [:]
        for run in patched {
            for (identity, text, details, rank) in run.faults where faults[identity] == nil {
                let scenarios = Set(patched.filter { $0.shows(identity) }.map(\.scenario))
                func rate(_ runs: [RunOutcome]) -> Rate {
                    let runs = runs.filter { scenarios.contains($0.scenario) }
                    return Rate(runs.count { $0.shows(identity) }, of: runs.count)
                }
                faults[identity] = Fault(
                    identity: identity, text: text, details: details, scenarios: scenarios.sorted(),
                    patched: rate(patched),
                    // Wherever the unpatched kernel shows it, it is known.
                    unpatched: baseline.contains { $0.shows(identity) }
                        ? Rate(baseline.count { $0.shows(identity) }, of: baseline.count) : rate(baseline),
                    namesChangedFunction: !changed.isDisjoint(with: names(in: [text] + details)), rank: rank)
            }
        }
        return faults.values.sorted { ($0.rank, -$0.patched.hits, $0.text) < ($1.rank, -$1.patched.hits, $1.text) }
    }

    /// The identifiers in lines of a kernel's log: "recover_bitmaps" of "recover_bitmaps+0x45/0x90 [md_cluster]".
    private static func names(in lines: [String]) -> Set<String> {
        Set(lines.flatMap { $0.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.map(String.init) })
    }
}

extension RunOutcome {
    /// What was wrong in this run.
    var faults: [(identity: Fault.Identity, text: String, details: [String], rank: FindingRank)] {
        var all: [(identity: Fault.Identity, text: String, details: [String], rank: FindingRank)] = []
        if word == .fail || word == .xfail {
            all = findings.map { entry in
                let (finding, fact) = (entry.finding, entry.finding.fact)
                return (
                    .check(entry.check, kind: fact?.kind, subject: fact?.subject), finding.text, finding.details,
                    finding.rank ?? .protocol
                )
            }
        } else if word == .userSpace {
            all = [(.userSpace, reason, [], .userSpace)]
        }
        if case .differs(let difference, let text) = comparison {
            let said = "what the kernels did is not in the reference model: \(text)"
            all.append((.comparison(difference), said, [], .protocol))
        }
        return all
    }

    func shows(_ identity: Fault.Identity) -> Bool { faults.contains { $0.identity == identity } }
}
