// SPDX-License-Identifier: GPL-2.0

/// DLM in Promela: what Machine+Locks.swift does, written out for each lock.
extension PromelaExport {
    func granted(_ lock: Int, _ node: Int) -> String { name(layout.granted[lock][node]) }
    func requested(_ lock: Int, _ node: Int) -> String {
        layout.requested[lock][node].bits == 0 ? "0" : name(layout.requested[lock][node])
    }
    func rank(_ lock: Int, _ node: Int) -> String { name(layout.rank[lock][node]) }
    func others(_ node: Int) -> [Int] { (0..<machine.program.nodes).filter { $0 != node } }

    func isGrantable(_ lock: Int, _ mode: Int, _ node: Int) -> String {
        let conflicts = others(node).flatMap { other in
            code.locks[lock].modes.indices.filter { code.locks[lock].compatible[mode] >> UInt32($0) & 1 == 0 }
                .map { "\(granted(lock, other)) != \($0)" }
        }
        return conflicts.isEmpty ? "true" : conflicts.joined(separator: " && ")
    }

    func convert(_ instruction: Instruction, node: Int) -> String {
        let (lock, mode) = (Int(instruction.subject), Int(instruction.detail))
        func result(_ value: Int) -> String {
            instruction.result.bits == 0 ? "skip" : "\(name(instruction.result)) = \(value)"
        }
        var queued: [String] = []
        for other in others(node) where code.locks[lock].blockedSets[other].bits > 0 {
            let conflicts = code.locks[lock].modes.indices.filter {
                code.locks[lock].compatible[mode] >> UInt32($0) & 1 == 0
            }
            .map { "\(granted(lock, other)) == \($0)" }.joined(separator: " || ")
            if !conflicts.isEmpty {
                queued.append(
                    "if :: (\(conflicts)) -> \(name(code.locks[lock].blockedSets[other])) = 1 :: else -> skip fi")
            }
        }
        let waiting = others(node).map { "(\(requested(lock, $0)) != 0)" }.joined(separator: " + ")
        queued.append("\(rank(lock, node)) = \(waiting)")
        queued.append("\(requested(lock, node)) = \(mode + 1)")
        queued.append(result(0))
        let inTheWay = isInTheWay(lock, node)
        let wait = "if :: (\(inTheWay)) -> \(result(3)) :: else -> \(queued.joined(separator: "; ")) fi"
        let refused = instruction.noQueue ? result(2) : wait
        var grant = "\(granted(lock, node)) = \(mode); \(result(0)); \(grantWaiting(lock))"
        let blocked = code.locks[lock].blockedSets[node]
        if blocked.bits > 0 { grant += "; if :: (\(inTheWay)) -> \(name(blocked)) = 1 :: else -> skip fi" }
        return
            "if :: (\(requested(lock, node)) != 0) -> \(result(1)) :: else -> if :: (\(isGrantable(lock, mode, node))) -> \(grant) :: else -> \(refused) fi fi"
    }

    /// The mode that the node's lock has is in the way of a conversion that waits.
    private func isInTheWay(_ lock: Int, _ node: Int) -> String {
        let modes = code.locks[lock].modes.indices
        let conflicts = others(node).flatMap { other in
            modes.flatMap { wanted in
                modes.filter { code.locks[lock].compatible[wanted] >> UInt32($0) & 1 == 0 }.map {
                    "(\(requested(lock, other)) == \(wanted + 1) && \(granted(lock, node)) == \($0))"
                }
            }
        }
        return conflicts.isEmpty ? "false" : conflicts.joined(separator: " || ")
    }

    func cancel(_ lock: Int, node: Int) -> String {
        "if :: (\(requested(lock, node)) != 0) -> \(leaveQueue(lock, node)); \(grantWaiting(lock)) :: else -> skip fi"
    }

    func leaveQueue(_ lock: Int, _ node: Int) -> String {
        let shifts = others(node).map { other in
            "if :: (\(requested(lock, other)) != 0 && \(rank(lock, other)) > \(rank(lock, node))) -> \(rank(lock, other)) = \(rank(lock, other)) - 1 :: else -> skip fi"
        }
        return (shifts + ["\(requested(lock, node)) = 0", "\(rank(lock, node)) = 0"]).joined(separator: "; ")
    }

    func grantWaiting(_ lock: Int) -> String {
        var options: [String] = []
        for node in 0..<machine.program.nodes {
            for mode in code.locks[lock].modes.indices where mode > 0 {
                let grant = "\(granted(lock, node)) = \(mode); \(leaveQueue(lock, node))"
                options.append(
                    ":: (\(requested(lock, node)) == \(mode + 1) && \(rank(lock, node)) == 0 && \(isGrantable(lock, mode, node))) -> \(grant)"
                )
            }
        }
        return "do \(options.joined(separator: " ")) :: else -> break od"
    }
}
