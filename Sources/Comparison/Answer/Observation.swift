// SPDX-License-Identifier: GPL-2.0
import KernelTrace
import MDClusterModel
import ProcedureModel
import RunRecord

/// What a record cannot show of what the comparison is about. The less it shows, the more runs of the model fit it.
public struct Observation: Codable, Sendable, Equatable {
    /// Modules that are the distribution's own, neither patched nor built here.
    public var stockModules: [String]
    /// Kinds of events that the model has and no node's trace can have: "enter md_wakeup_thread".
    public var events: [String]
    /// Functions of md-cluster.c that the run must have gone through and that no trace shows: the compiler put them
    /// into their callers.
    public var functions: [String]
    /// Values at rest that no snapshot holds.
    public var values: [String]

    public init(_ comparison: ModelComparison, _ end: EndState, _ run: RunDescription) {
        stockModules = run.modules.filter(\.stock).map(\.name)
        events = comparison.figures.unobserved
        functions = comparison.figures.unseenFunctions
        values = end.unread
    }

    /// The functions of md-cluster.c among the procedures of a run which are in no trace.
    static func functions(
        of procedures: Set<String>, _ program: Program, missingIn traces: [[KernelEvent]]
    ) -> [String] {
        let source = "md-cluster.c: "
        var missing: Set<String> = []
        for name in procedures {
            guard let procedure = program.procedure(named: name), procedure.source.hasPrefix(source) else { continue }
            let function = String(procedure.source.dropFirst(source.count))
            // Several in one, or a part of one.
            if function.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) { missing.insert(function) }
        }
        for trace in traces {
            for event in trace {
                switch event.body {
                case .entry(let function, _): missing.remove(function)
                case .function(let function, _): missing.remove(function)
                default: continue
                }
                if missing.isEmpty { return [] }
            }
        }
        return missing.sorted()
    }
}
