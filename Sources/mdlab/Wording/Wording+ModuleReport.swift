// SPDX-License-Identifier: GPL-2.0
import KernelModule

extension ModuleReport {
    /// The report for people: a line a fact, lists wrapped at 100 columns.
    var text: String {
        (["\(name)  \(path)"] + identity + fit + functions + layout).joined(separator: "\n")
    }

    private var identity: [String] {
        // What is said elsewhere, and what is of no use to a person.
        let hidden: Set = ["name", "vermagic", "depends", "retpoline", "signature"]
        var lines = modinfo.filter { !hidden.contains($0.key) }.sorted { $0.key < $1.key }
            .flatMap { key, values in values.map { row(key, $0) } }
        lines.append(row("depends", depends.isEmpty ? "nothing" : depends.joined(separator: ", ")))
        lines.append(row("build id", buildID ?? "none"))
        lines.append(row("vermagic", vermagic.isEmpty ? "none" : vermagic))
        lines.append(row("signed", isSigned ? "yes" : "no (loading it taints the kernel with E)"))
        lines.append(
            row("debug info", hasDebugInfo ? "yes" : "no (which functions were inlined is not known)"))
        return lines
    }

    private var fit: [String] {
        guard let kernel else {
            return [row("needs", "\(neededSymbols.count) symbols; not compared with a kernel: give --kernel-dir DIR")]
        }
        var lines = [row("kernel", kernel.vermagic)]
        let missing =
            kernel.missingSymbols.map { "\($0.count) missing" } ?? "not compared: the kernel's headers are not at hand"
        lines.append(row("needs", "\(neededSymbols.count) symbols, \(missing)"))
        let unknown = kernel.missingSymbols == nil ? "not known: only the version magic was compared" : "yes"
        lines.append(row("would load", kernel.problems.isEmpty ? unknown : "no"))
        lines += kernel.problems.map { row("", $0.line) }
        if let order = kernel.loadOrder {
            lines += order.enumerated().map { row($0 == 0 ? "load order" : "", "\($0 + 1). \($1)") }
        } else {
            lines.append(row("load order", "not known: the kernel's module directory is not at hand"))
        }
        return lines
    }

    private var functions: [String] {
        var lines = wrapped("traceable", "\(traceableFunctions.count):", traceableFunctions)
        if !untraceableFunctions.isEmpty {
            lines += wrapped("untraceable", "\(untraceableFunctions.count):", untraceableFunctions)
        }
        guard let inlinedFunctions else { return lines }
        let sorted = inlinedFunctions.sorted { $0.key < $1.key }
        for (title, everywhere) in [("inlined", true), ("in places", false)] {
            let chosen = sorted.filter { $0.value.everywhere == everywhere }
            for (index, entry) in chosen.enumerated() {
                lines += wrapped(index == 0 ? title : "", entry.key + " into", entry.value.into)
            }
        }
        return lines
    }

    private var layout: [String] {
        guard let clusterStateOffset else {
            guard name == "md_cluster" else { return [] }
            return [
                row("offset", "md_cluster_info.state is not known: give the module with debug information, or"),
                row("", "--kernel-dir DIR of a kernel whose vmlinux or vmlinuz (compressed by xz or gzip) has BTF"),
            ]
        }
        return [row("offset", "md_cluster_info.state at \(clusterStateOffset)")]
    }

    private func row(_ title: String, _ text: String) -> String {
        "  " + title + String(repeating: " ", count: max(1, 13 - title.count)) + text
    }

    private func wrapped(_ title: String, _ start: String, _ words: [String]) -> [String] {
        var lines: [String] = []
        var line = start
        for word in words {
            if line.count + word.count + 1 > 85 {
                lines.append(row(lines.isEmpty ? title : "", line))
                line = "  " + word
            } else {
                line += " " + word
            }
        }
        return lines + [row(lines.isEmpty ? title : "", line)]
    }
}

extension LoadProblem {
    /// The problem in a line, and what to do about it.
    var line: String {
        switch self {
        case .vermagic(let module, let kernel):
            "built for \"\(module)\", the kernel is \"\(kernel)\"; build it against this kernel's headers"
        case .noVermagic: "it has no vermagic; give the .ko that `make modules` writes"
        case .missingSymbol(let symbol):
            "nobody exports \(symbol); give the module that does along with it, or build it against this kernel"
        case .crc("module_layout", _, let module, let kernel):
            "struct module differs (CRC \(Self.hex(module)), the kernel's \(Self.hex(kernel))); "
                + "build it against this kernel's headers"
        case .crc(let symbol, let owner, let module, let kernel):
            "\(symbol) of \(owner) has another type (CRC \(Self.hex(module)), the kernel's \(Self.hex(kernel))); "
                + "build both against the same headers"
        case .gplOnly(let symbol, let license):
            "\(symbol) is exported to GPL modules only and its license is \"\(license)\"; set MODULE_LICENSE"
        case .namespace(let symbol, let namespace):
            "\(symbol) is in the namespace \(namespace); add MODULE_IMPORT_NS(\(namespace))"
        case .duplicateExport(let symbol, let owner): "\(owner) exports \(symbol) too; load one of them only"
        }
    }

    private static func hex(_ crc: UInt32) -> String {
        let digits = String(crc, radix: 16)
        return "0x" + String(repeating: "0", count: 8 - digits.count) + digits
    }
}
