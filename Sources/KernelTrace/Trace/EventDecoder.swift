// SPDX-License-Identifier: GPL-2.0
import CTraceCmd
import ClusterProtocol

/// Turns the records of one trace.dat into `KernelEvent`s.
///
/// What an event's number means is worked out once, when the number is first seen; after that an event costs a few
/// loads at known offsets.
final class EventDecoder {
    private let node: NodeID
    private let tep: OpaquePointer
    private let body: (KernelEvent) -> Void
    private var index = 0
    private var plans: [EventPlan?] = Array(repeating: nil, count: 1 << 16)
    private var comms: [Int: String] = [:]
    private let table: SymbolTable
    private var symbols: [UInt64: String] = [:]
    /// Offset of a page -> events lost before it, for the pages that were not met yet.
    private var losses: [UInt64: UInt64]

    init(
        node: NodeID, tep: OpaquePointer, table: SymbolTable, losses: [UInt64: UInt64],
        body: @escaping (KernelEvent) -> Void
    ) {
        (self.node, self.tep, self.table, self.losses, self.body) = (node, tep, table, losses, body)
    }

    func decode(_ record: UnsafeMutablePointer<tep_record>, cpu: Int) {
        if let lost = losses.removeValue(forKey: record.pointee.offset & ~UInt64(TraceDatFile.pageSize - 1)) {
            emit(record.pointee.ts, cpu, pid: 0, comm: "", .lost(lost))
        }
        guard let data = record.pointee.data, record.pointee.size >= 8 else { return }
        let raw = RawRecord(bytes: UnsafeRawBufferPointer(start: data, count: Int(record.pointee.size)))
        // common_type and common_pid: struct trace_entry of include/linux/trace_events.h.
        let type = Int(raw.bytes.loadUnaligned(as: UInt16.self))
        let pid = Int(raw.bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self))
        emit(record.pointee.ts, cpu, pid: pid, comm: comm(of: pid), content(of: raw, type: type))
    }

    private func emit(_ time: UInt64, _ cpu: Int, pid: Int, comm: String, _ content: KernelEvent.Body) {
        body(KernelEvent(node: node, index: index, time: time, cpu: cpu, pid: pid, comm: comm, body: content))
        index += 1
    }

    private func content(of raw: RawRecord, type: Int) -> KernelEvent.Body {
        let plan: EventPlan
        if let known = plans[type] {
            plan = known
        } else {
            plan = EventPlan(event: tep_find_event(tep, Int32(type)), type: type)
            plans[type] = plan
        }
        switch plan {
        case .function(let address, let parent):
            return .function(name: symbol(raw.unsigned(address)), caller: symbol(raw.unsigned(parent)))
        case .entry(let function, let arguments):
            var values: [String: Int64] = [:]
            for (name, field) in arguments { values[name] = raw.signed(field) }
            return .entry(function: function, arguments: values)
        case .exit(let function, let value):
            return .exit(function: function, value: value.map { raw.signed($0) })
        case .dlm(let plan):
            return .dlm(plan.event(raw))
        case .other(let system, let name, let fields):
            var texts: [String: String] = [:]
            for field in fields { texts[field.name] = raw.text(field) }
            return .other(system: system, name: name, fields: texts)
        }
    }

    private func comm(of pid: Int) -> String {
        if let known = comms[pid] { return known }
        let comm = tep_data_comm_from_pid(tep, Int32(pid)).map { String(cString: $0) } ?? "<...>"
        comms[pid] = comm
        return comm
    }

    private func symbol(_ address: UInt64) -> String {
        if let known = symbols[address] { return known }
        let name = table.name(at: address) ?? "0x" + String(address, radix: 16)
        symbols[address] = name
        return name
    }
}
