// SPDX-License-Identifier: GPL-2.0
import KernelTrace

/// An event as two words for a reader: what happened, and with which values. Close to a line of `trace-cmd report`, but
/// with the lock's name for its hexadecimal bytes.
enum EventText {
    static func name(_ body: KernelEvent.Body) -> String {
        switch body {
        case .function(let name, _), .entry(let name, _): name
        case .exit(let name, _): "\(name) returns"
        case .dlm(let dlm): dlm.kind.rawValue
        case .other(let system, let name, _): "\(system):\(name)"
        case .lost: "lost"
        }
    }

    static func detail(_ body: KernelEvent.Body) -> String {
        switch body {
        case .function(_, let caller): "from \(caller)"
        case .entry(_, let arguments):
            arguments.sorted { $0.key < $1.key }.map { "\($0.key)=\(value($0.value))" }.joined(separator: " ")
        case .exit(_, let result): result.map { "\(value($0))" } ?? ""
        case .dlm(let dlm): self.detail(dlm)
        case .other(_, _, let fields):
            fields.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
        case .lost(let count): count == 0 ? "events are missing here" : "\(count) events are missing here"
        }
    }

    private static func detail(_ dlm: DLMEvent) -> String {
        var words = ["\(dlm.resource)"]
        if let mode = dlm.mode { words.append("\(mode)") }
        switch dlm.kind {
        case .lockStart:
            words.append(dlm.flags & DLMConstant.convert == 0 ? "new" : "convert")
            if dlm.flags & DLMConstant.noQueue != 0 { words.append("NOQUEUE") }
        case .unlockStart: if dlm.flags & DLMConstant.cancel != 0 { words.append("cancel") }
        case .bast: words[words.count - 1] = "is wanted" + (dlm.mode.map { " in \($0)" } ?? "")
        default: break
        }
        if let status = dlm.status { words.append(status == 0 ? "granted" : "status \(status)") }
        words.append("lkb \(dlm.lock)")
        return words.joined(separator: " ")
    }

    /// Kernel addresses in hexadecimal, and numbers as they are.
    private static func value(_ number: Int64) -> String {
        // An int that the probe fetched without its sign.
        if number > Int64(UInt32.max) - 4096, number <= Int64(UInt32.max) { return "\(number - Int64(UInt32.max) - 1)" }
        if number < -65_536 || number > 0xffff_ffff {
            return "0x" + String(UInt64(bitPattern: number), radix: 16)
        }
        return "\(number)"
    }
}
