// SPDX-License-Identifier: GPL-2.0
import CElf

/// What a kernel module file says about itself.
///
///     let module = try KernelModuleFile(path: "md-cluster.ko")
///     module.name                      // "md_cluster"
///     module.depends                   // ["md-mod", "dlm"]
///     module.undefinedSymbols.first    // dlm_lock, with the CRC it was built against
///     module.traceableFunctions        // ["ack_bast", "add_new_disk", ...]
///
/// A value: the file is read once, decompressed if need be, and not kept open. Reading takes a few milliseconds.
public struct KernelModuleFile: Sendable {
    public var path: String
    /// As in /proc/modules: with underscores.
    public var name: String
    /// "6.1.0-56-amd64 SMP preempt mod_unload modversions", without the blank that the kernel ends it with.
    public var vermagic: String
    /// Names as modpost wrote them ("md-mod"): the modules whose symbols this one uses.
    public var depends: [String]
    /// .note.gnu.build-id in hexadecimal, as /sys/module/NAME/notes shows it; nil when it was built without.
    public var buildID: String?
    /// .modinfo: a key may come more than once (author, alias, parm).
    public var modinfo: [String: [String]]
    /// What .symtab needs from elsewhere, sorted by name.
    public var undefinedSymbols: [UndefinedSymbol]
    /// EXPORT_SYMBOL and its kin, sorted by name.
    public var exportedSymbols: [ExportedSymbol]
    /// Functions and objects that are defined here, in the file's order, without section and file symbols.
    public var symbols: [Symbol]
    /// Functions with a call of __fentry__ that ftrace can patch, sorted: what set_ftrace_filter will take.
    public var traceableFunctions: [String]
    /// Whether it has DWARF, which `StructLayouts` and `InlinedFunctions` read.
    public var hasDebugInfo: Bool
    /// Whether it was built with CONFIG_MODVERSIONS: has a CRC for what it uses.
    public var hasVersions: Bool
    /// The CRC of `module_layout`, which stands for struct module as the module was built with; nil without versions.
    public var layoutCRC: UInt32?
    /// Whether a signature is appended. Loading an unsigned module taints a kernel that has CONFIG_MODULE_SIG (E).
    public var isSigned: Bool

    /// Reads a .ko, .ko.xz or .ko.gz. Throws the `ModuleError` cases about files and ELF, and `notAModule` for an
    /// object file without .modinfo or .gnu.linkonce.this_module, which the kernel would refuse at once.
    public init(path: String) throws(ModuleError) {
        try self.init(bytes: ModuleBytes.read(path), path: path)
    }

    /// The same from bytes that are already here; `path` is for errors and for the name of a module without one.
    public init(bytes: [UInt8], path: String) throws(ModuleError) {
        let image = try ElfImage(bytes, path: path)
        for required in [".modinfo", ".gnu.linkonce.this_module"] where image.section(required) == nil {
            throw .notAModule(path: path, missingSection: required)
        }
        self.path = path
        let table = try image.symbolTable()
        modinfo = Self.modinfo(image)
        name = modinfo["name"]?.first ?? Self.nameFromPath(path)
        vermagic = (modinfo["vermagic"]?.first ?? "").trimmingBlanks()
        depends = (modinfo["depends"] ?? []).flatMap { $0.split(separator: ",").map(String.init) }
        buildID = Self.buildID(image)
        let versions = Self.versions(image)
        hasVersions = versions != nil
        layoutCRC = versions?["module_layout"]
        undefinedSymbols = Self.undefinedSymbols(table, versions: versions ?? [:])
        exportedSymbols = Self.exportedSymbols(image, table)
        symbols = Self.symbols(image, table)
        traceableFunctions = Self.traceableFunctions(image, table)
        hasDebugInfo = image.section(".debug_info") != nil
        isSigned = bytes.suffix(Self.signatureMarker.count).elementsEqual(Self.signatureMarker)
    }

    /// MODULE_SIG_STRING of include/linux/module_signature.h.
    private static let signatureMarker = Array("~Module signature appended~\n".utf8)

    /// "a/md-cluster.ko.xz" is md_cluster, as libkmod's path_to_modname has it.
    static func nameFromPath(_ path: String) -> String {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        return moduleName(file.firstIndex(of: ".").map { String(file[..<$0]) } ?? file)
    }

    // MARK: - .modinfo and the build id

    /// Strings "key=value", each ended by at least one zero byte.
    private static func modinfo(_ image: ElfImage) -> [String: [String]] {
        guard let section = image.section(".modinfo") else { return [:] }
        var result: [String: [String]] = [:]
        for entry in image.bytes(of: section).split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let key = String(decoding: entry[..<equals], as: UTF8.self)
            result[key, default: []].append(String(decoding: entry[(equals + 1)...], as: UTF8.self))
        }
        return result
    }

    /// The note is: name size 4, description size, type NT_GNU_BUILD_ID, "GNU\0", the id.
    static func buildID(_ image: ElfImage) -> String? {
        guard let section = image.section(".note.gnu.build-id") else { return nil }
        let bytes = image.bytes(of: section)
        guard let nameSize: UInt32 = bytes.value(at: 0), let size: UInt32 = bytes.value(at: 4), nameSize == 4,
            let type: UInt32 = bytes.value(at: 8), type == UInt32(NT_GNU_BUILD_ID), Int(size) <= bytes.count - 16
        else { return nil }
        return bytes[16..<16 + Int(size)].map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}

/// The kernel's spelling of a module name: "md-cluster" and "md_cluster" are the same module.
public func moduleName(_ spelling: some StringProtocol) -> String {
    String(spelling.map { $0 == "-" ? "_" : $0 })
}

extension String {
    func trimmingBlanks() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
