// SPDX-License-Identifier: GPL-2.0
import CElf

extension KernelModuleFile {
    /// The functions that ftrace can hook, sorted.
    ///
    /// ftrace takes the addresses that `ftrace_process_locs` finds in the module's __mcount_loc. Where there is none,
    /// calls of `__fentry__` are counted instead: those of an object that recordmcount or objtool has not seen yet.
    static func traceableFunctions(_ image: ElfImage, _ table: [ElfImage.Entry]) -> [String] {
        let functions = FunctionIndex(table)
        var found: Set<String> = []
        if let locations = image.section("__mcount_loc") {
            for relocation in image.relocations(of: locations) where relocation.type == UInt32(R_X86_64_64) {
                found.formUnion(functions.name(at: relocation, in: table, adding: relocation.addend))
            }
        } else if let calls = table.firstIndex(where: { $0.name == "__fentry__" && $0.section == SHN_UNDEF }) {
            let executable = UInt64(SHF_EXECINSTR)
            for section in image.sections where section.flags & executable != 0 && !section.name.hasPrefix(".init") {
                for relocation in image.relocations(of: section) where relocation.symbol == calls {
                    found.formUnion(functions.name(section: section.index, offset: relocation.offset))
                }
            }
        }
        return found.sorted()
    }
}

/// Finds the function that an offset of a section is in.
struct FunctionIndex {
    private var bySection: [Int: [ElfImage.Entry]] = [:]

    init(_ table: [ElfImage.Entry]) {
        for entry in table where Int32(entry.type) == STT_FUNC && entry.section != SHN_UNDEF {
            bySection[entry.section, default: []].append(entry)
        }
        for section in bySection.keys { bySection[section]!.sort { $0.value < $1.value } }
    }

    /// The functions at that offset: more than one where a function has an alias.
    func name(section: Int, offset: UInt64) -> [String] {
        guard let functions = bySection[section] else { return [] }
        var low = 0
        var high = functions.count
        while low < high {
            let middle = (low + high) / 2
            if functions[middle].value <= offset { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return [] }
        let start = functions[low - 1].value
        return functions[..<low].reversed().prefix { $0.value == start }
            .filter { offset - start < max($0.size, 1) }.map(\.name)
    }

    /// The same for what a relocation points to.
    func name(at relocation: ElfImage.Relocation, in table: [ElfImage.Entry], adding addend: Int64) -> [String] {
        guard table.indices.contains(relocation.symbol) else { return [] }
        let symbol = table[relocation.symbol]
        return name(section: symbol.section, offset: symbol.value &+ UInt64(bitPattern: addend))
    }
}
