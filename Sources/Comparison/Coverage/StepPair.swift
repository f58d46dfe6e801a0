// SPDX-License-Identifier: GPL-2.0
import MDClusterModel
import ProcedureModel

/// Two steps of md-cluster.c that meet (`Dependence`), in this order: a thread took the first one while another was about
/// to take the second.
///
/// Both orders of two steps are two pairs. Who waits for a mutex is about to take it, so a pair is met by contention, too.
public struct StepPair: Hashable, Sendable, Comparable {
    public var first: String
    public var second: String
    /// The threads are of different nodes.
    public var isAcross: Bool

    public init(first: String, second: String, isAcross: Bool) {
        (self.first, self.second, self.isAcross) = (first, second, isAcross)
    }

    /// The functions of both steps: what pairs are grouped by.
    public var functions: Functions {
        Functions(first: StepNames.function(of: first), second: StepNames.function(of: second), isAcross: isAcross)
    }

    public struct Functions: Hashable, Sendable, Comparable {
        public var first: String
        public var second: String
        public var isAcross: Bool
        public static func < (left: Functions, right: Functions) -> Bool {
            (left.first, left.second, left.isAcross ? 1 : 0) < (right.first, right.second, right.isAcross ? 1 : 0)
        }
    }

    public static func < (left: StepPair, right: StepPair) -> Bool {
        (left.first, left.second, left.isAcross ? 1 : 0) < (right.first, right.second, right.isAcross ? 1 : 0)
    }
}

/// The steps of a machine by the names that count: the same on all nodes and in all machines of a variant.
struct StepNames: Sendable {
    let names: [String]
    /// By step: the number of its name; -1 for what is no step of md-cluster.c.
    let numbers: [Int]
    /// By step: it only stands for an event.
    let isMarker: [Bool]
    private let nodes: [Int]

    init(_ machine: Machine, counting counts: (String) -> Bool = StepNames.counts) {
        var names: [String] = []
        var known: [String: Int] = [:]
        var numbers: [Int] = []
        for step in 0..<machine.stepCount {
            guard let name = machine.textName(ofStep: machine.pending(atStep: step)), counts(name) else {
                numbers.append(-1)
                continue
            }
            let number = known[name] ?? names.count
            if number == names.count {
                known[name] = number
                names.append(name)
            }
            numbers.append(number)
        }
        (self.names, self.numbers) = (names, numbers)
        isMarker = (0..<machine.stepCount).map { step in
            machine.place(ofStep: step).procedures.first.map(Marker.isOne) ?? false
        }
        nodes = (0..<machine.stepCount).map { machine.node(ofStep: $0) }
    }

    func pair(_ first: Int, _ second: Int) -> StepPair {
        StepPair(
            first: names[numbers[first]], second: names[numbers[second]], isAcross: nodes[first] != nodes[second])
    }

    static func function(of step: String) -> String { String(step.prefix { $0 != ":" }) }

    /// Callers of md-cluster.c, of which the model has only what calls it.
    static let callers: Set<String> = ["process", "raid1d", "md_do_sync", "md_update_sb", "power cut"]

    /// Steps of md-cluster.c: neither the trace's own nor those of the callers.
    static func counts(_ step: String) -> Bool {
        let function = function(of: step)
        return !Marker.isOne(function) && !callers.contains(function) && !function.hasPrefix(CallerProgram.prefix)
            && !step.contains("good_device_nr")
    }
}

/// Pairs of steps, by the steps' numbers; which of them meet is looked up once.
struct PairSet {
    private let dependence: Dependence
    private let names: StepNames
    /// By step: its place among those that count.
    private var places: [Int] = []
    private var count = 0
    private var seen: [UInt64]
    private(set) var pairs: Set<StepPair> = []

    init(_ machine: Machine, names: StepNames, dependence: Dependence) {
        (self.names, self.dependence) = (names, dependence)
        for number in names.numbers {
            places.append(count)
            if number >= 0 { count += 1 }
        }
        seen = Array(repeating: 0, count: count * count / 64 + 1)
    }

    /// Both are steps that count.
    mutating func note(_ first: Int, _ second: Int) {
        let place = places[first] * count + places[second]
        if seen[place >> 6] & 1 << UInt64(place & 63) != 0 { return }
        seen[place >> 6] |= 1 << UInt64(place & 63)
        if dependence.meet(first, second) { pairs.insert(names.pair(first, second)) }
    }
}
