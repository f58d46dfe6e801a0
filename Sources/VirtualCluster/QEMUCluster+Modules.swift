// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import GuestProtocol
import KernelModule
import RunRecord

extension QEMUCluster {
    /// Loads the modules under test in order on every node, then starts to trace. Does nothing the second time.
    public func loadModules() async throws {
        let isFirst = state.withLock { state in
            defer { state.modulesAreLoaded = true }
            return !state.modulesAreLoaded
        }
        guard isFirst else { return }
        let files = try configuration.modules.map { module in
            (module, Array(try Data(contentsOf: URL(filePath: module.path))))
        }
        try await makeKernelSymbols()
        let symbols = try KernelSymbols(kernel: configuration.kernelSymbols)
        try await everyNode { [self] node in
            for (module, content) in files {
                let path = "/modules/\(module.name).ko"
                try await node.agent.demand(.putFile(path: path, mode: 0o644, content: content))
                try await node.agent.demand(.insertModule(path: path, parameters: ""))
            }
            try await startTrace(node, symbols: symbols)
        }
        recorder.note(.modules, "loaded " + configuration.modules.map(\.name).joined(separator: ", "))
    }

    /// Reads the kernel's own symbols from the first node, if no run has done so for this kernel.
    private func makeKernelSymbols() async throws {
        guard !FileManager.default.fileExists(atPath: configuration.kernelSymbols.path) else { return }
        let all = String(decoding: try await guests[0].read("/proc/kallsyms"), as: UTF8.self)
        let kernel = all.split(separator: "\n").filter { !$0.hasSuffix("]") }.joined(separator: "\n") + "\n"
        let folder = configuration.kernelSymbols.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(kernel.utf8).write(to: configuration.kernelSymbols, options: .atomic)
    }

    private func startTrace(_ node: VirtualNode, symbols: KernelSymbols) async throws {
        var symbols = symbols
        let paths = configuration.bootModules.merging(configuration.modules.map { ($0.name, $0.path) }) { _, tested in
            tested
        }
        for (name, path) in paths.sorted(by: { $0.key < $1.key }) {
            let sections = try await sections(of: name, on: node)
            let file = try KernelModuleFile(path: path)
            symbols.add(module: name, file: file, sections: sections)
            let counters = CounterMemory.of(module: name, file: file, sections: sections)
            state.withLock { $0.counters[node.id, default: []] += counters }
        }
        state.withLock { [symbols] in $0.symbols[node.id] = symbols }
        let gates = configuration.modules.contains { $0.name == GateModule.name }
        guard case .warnings(let warnings) = try await node.agent.demand(.startTrace(TracePlan.writes(gates: gates)))
        else { return }
        // A function that the compiler inlined cannot be probed; the record says so, and the checks that need it say so
        // too.
        recorder.update { description in
            for warning in warnings { description.detectorsOff["trace: \(warning)"] = "not possible on this kernel" }
        }
        try await saveTraceParts(node, symbols: symbols)
        _ = state.withLock { $0.tracing.insert(node.id) }
    }

    /// .text -> address and so on, from /sys/module.
    private func sections(of module: String, on node: VirtualNode) async throws -> [String: UInt64] {
        let name = module.replacingOccurrences(of: "-", with: "_")
        let pattern = "/sys/module/\(name)/sections/"
        // Names start with a dot, which a pattern's star does not match.
        guard
            case .files(let files) = try await node.agent.demand(
                .collect(patterns: [pattern + ".*", pattern + "*"], limit: 64))
        else { return [:] }
        var sections: [String: UInt64] = [:]
        for file in files {
            let text = String(decoding: file.content, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
            sections[String(file.path.dropFirst(pattern.count))] = UInt64(text.dropFirst(2), radix: 16)
        }
        return sections
    }

    /// Puts what a trace.dat needs beside the pages into the record, before the first page comes.
    private func saveTraceParts(_ node: VirtualNode, symbols: KernelSymbols) async throws {
        guard
            case .files(let files) = try await node.agent.demand(
                .collect(patterns: TracePlan.descriptionFiles, limit: 4 << 20))
        else { return }
        func content(_ name: String) -> [UInt8] { files.first { $0.path == TracePlan.directory + name }?.content ?? [] }
        func formats(_ system: String) -> [[UInt8]] {
            files.filter { $0.path.hasPrefix(TracePlan.directory + "events/\(system)/") }.map(\.content)
        }
        let contents = TraceDatContents(
            headerPage: content("events/header_page"), headerEvent: content("events/header_event"),
            ftraceFormats: formats("ftrace"),
            eventFormats: ["dlm", "mdlab", GateModule.name].map { .init(name: $0, formats: formats($0)) }.filter {
                !$0.formats.isEmpty
            }, kallsyms: symbols.text,
            printkFormats: String(decoding: content("printk_formats"), as: UTF8.self),
            commandLines: String(decoding: content("saved_cmdlines"), as: UTF8.self), cpuPages: [], clock: "mono")
        let root = recorder.layout.node(node.id).root
        try contents.save(to: root)
        // So that there is a trace.dat even if nothing was traced.
        recorder.append(Data(), to: TraceDatContents.rawPages(cpu: 0, in: root))
    }

    /// Ends tracing on the nodes that still answer, and makes the trace.dat files. Never throws: the record is what it
    /// is.
    public func finishRecord() async {
        for node in guests where state.withLock({ $0.tracing.contains(node.id) }) {
            let root = recorder.layout.node(node.id).root
            if node.isAlive {
                do {
                    try await withLimit(
                        .seconds(20), else: .commandTimedOut(node.id, argv: ["stop tracing"], seconds: 20)
                    ) {
                        try await node.agent.demand(.stopTrace)
                        let names = try await node.read(TracePlan.directory + "saved_cmdlines")
                        try Data(names).write(to: TraceDatContents.commandLines(in: root))
                    }
                } catch {
                    recorder.note(
                        .note, node: node.id, "the end of the trace could not be read: \(error)",
                        [RunEvent.lostTraceEnd: "yes"])
                }
            }
            do {
                try TraceDatContents.completeTrace(in: recorder.layout.node(node.id))
            } catch {
                recorder.note(.note, node: node.id, "no trace.dat: \(error)")
            }
        }
    }
}
