// SPDX-License-Identifier: GPL-2.0
import CTraceCmd
import ClusterProtocol

/// How the events of one number are read.
enum EventPlan {
    case function(address: RawField, parent: RawField)
    case entry(function: String, arguments: [(String, RawField)])
    case exit(function: String, value: RawField?)
    case dlm(DLMPlan)
    case other(system: String, name: String, fields: [RawField])

    /// The system of the kprobes that mdlab sets: `p:mdlab/FUNCTION FUNCTION ...` at the entry of a function,
    /// `r:mdlab/FUNCTION__ret FUNCTION ret=$retval` at its return.
    static let probes = "mdlab"
    static let returnSuffix = "__ret"

    init(event: UnsafeMutablePointer<tep_event>?, type: Int) {
        guard let event, let system = event.pointee.system.map({ String(cString: $0) }),
            let name = event.pointee.name.map({ String(cString: $0) })
        else {
            self = .other(system: "unknown", name: "event \(type)", fields: [])
            return
        }
        var fields: [RawField] = []
        var next = event.pointee.format.fields
        while let field = next {
            fields.append(RawField(field.pointee))
            next = field.pointee.next
        }
        func field(_ name: String) -> RawField? { fields.first { $0.name == name && $0.isNumber } }

        self = .other(system: system, name: name, fields: fields)
        switch system {
        case "ftrace" where name == "function":
            if let address = field("ip"), let parent = field("parent_ip") {
                self = .function(address: address, parent: parent)
            }
        case Self.probes where name.hasSuffix(Self.returnSuffix) && field("__probe_ret_ip") != nil:
            self = .exit(function: String(name.dropLast(Self.returnSuffix.count)), value: field("ret"))
        case Self.probes where field("__probe_ip") != nil:
            let arguments = fields.filter { $0.isNumber && !$0.name.hasPrefix("__probe") }
            self = .entry(function: name, arguments: arguments.map { ($0.name, $0) })
        case "dlm":
            if let plan = DLMPlan(name: name, fields: fields) { self = .dlm(plan) }
        default: break
        }
    }
}

/// How a tracepoint of include/trace/events/dlm.h is read.
struct DLMPlan {
    let kind: DLMEvent.Kind
    let lockspace, lock, resource: RawField
    let mode, flags, status: RawField?

    /// nil for an event of the group that is not about a lock of ours (dlm_send, dlm_recv_rcom, ...).
    init?(name: String, fields: [RawField]) {
        func number(_ names: String...) -> RawField? { fields.first { names.contains($0.name) && $0.isNumber } }
        guard let kind = DLMEvent.Kind(rawValue: name), let lockspace = number("ls_id"), let lock = number("lkb_id"),
            let resource = fields.first(where: { $0.name == "res_name" && !$0.isNumber })
        else { return nil }
        (self.kind, self.lockspace, self.lock, self.resource) = (kind, lockspace, lock, resource)
        mode = number("mode")
        flags = number("flags", "sb_flags")
        status = number("error", "sb_status")
    }

    func event(_ raw: RawRecord) -> DLMEvent {
        DLMEvent(
            kind: kind, lockspace: UInt32(truncatingIfNeeded: raw.unsigned(lockspace)),
            lock: UInt32(truncatingIfNeeded: raw.unsigned(lock)),
            resource: LockResource(rawValue: String(decoding: raw.span(resource).prefix { $0 != 0 }, as: UTF8.self)),
            mode: mode.map { LockMode(rawValue: Int8(truncatingIfNeeded: raw.signed($0))) },
            flags: flags.map { UInt32(truncatingIfNeeded: raw.unsigned($0)) } ?? 0,
            status: status.map { Int32(truncatingIfNeeded: raw.signed($0)) })
    }
}
