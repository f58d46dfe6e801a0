// SPDX-License-Identifier: GPL-2.0
import Foundation

/// What a kernel is known by on disk: its module directory, its headers, or both.
///
/// Found from any of: lib/modules/RELEASE, the directory of its headers or its build tree (the one with
/// Module.symvers), or a directory that packages were unpacked into.
public struct KernelReference: Sendable {
    /// lib/modules/RELEASE; nil when only headers were found.
    public var modules: String?
    /// The directory with Module.symvers and include/config/auto.conf; nil when only modules were found.
    public var headers: String?
    /// As its modules have it.
    public var vermagic: String
    /// `uname -r`.
    public var release: String { String(vermagic.prefix { $0 != " " }) }

    /// A vmlinux or vmlinuz, for the types of the kernel; nil when there is none at hand.
    public var image: String? {
        let names =
            [headers.map { $0 + "/vmlinux" }]
            + [modules, headers].map { directory in
                directory.map { "\($0)/../../../boot/vmlinuz-\(release)" }
            }
        return (names.compactMap { $0 } + ["/boot/vmlinuz-\(release)"]).first(where: Self.exists).map(Self.resolved)
    }

    /// Throws `noModuleTree` when neither can be found, or several kernels could be meant.
    public init(directory: String) throws(ModuleError) {
        modules = Self.modulesDirectory(directory)
        headers = Self.headersDirectory(directory)
        if let modules, headers == nil {
            let name = (modules as NSString).lastPathComponent
            headers = ["\(modules)/build", "\(modules)/../../../usr/src/linux-headers-\(name)"].first(
                where: Self.isHeaders)
        } else if let headers, modules == nil, let release = Self.release(headers: headers) {
            let tree = "\(headers)/../../../lib/modules/\(release)"
            if Self.isModules(tree) { modules = tree }
        }
        modules = modules.map(Self.resolved)
        headers = headers.map(Self.resolved)
        guard let found = headers.flatMap(Self.vermagic(headers:)) ?? modules.flatMap(Self.vermagic(modules:)) else {
            throw .noModuleTree(path: directory)
        }
        vermagic = found
    }

    /// What it exports. Throws `noSymvers` where only modules were found.
    public func symvers() throws(ModuleError) -> ModuleSymvers {
        guard let headers else { throw .noSymvers(path: modules ?? "") }
        return try ModuleSymvers(path: headers + "/Module.symvers")
    }

    // MARK: - Finding

    /// Without links and "..".
    private static func resolved(_ path: String) -> String {
        guard let pointer = realpath(path, nil) else { return path }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    private static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    private static func isModules(_ path: String) -> Bool {
        exists(path + "/modules.builtin") && exists(path + "/kernel")
    }

    private static func isHeaders(_ path: String) -> Bool { exists(path + "/Module.symvers") }

    private static func modulesDirectory(_ directory: String) -> String? {
        // A build tree has modules.builtin and a folder `kernel` too, but that is the source of the scheduler.
        if isModules(directory), !exists(directory + "/Kconfig") { return directory }
        return only(in: directory + "/lib/modules", isModules)
    }

    private static func headersDirectory(_ directory: String) -> String? {
        isHeaders(directory) ? directory : only(in: directory + "/usr/src", isHeaders)
    }

    /// The one entry that fits; nil for none and for several.
    private static func only(in directory: String, _ fits: (String) -> Bool) -> String? {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        let found = entries.map { "\(directory)/\($0)" }.filter(fits)
        return found.count == 1 ? found[0] : nil
    }

    // MARK: - Version magic

    private static func release(headers: String) -> String? {
        guard let bytes = try? ModuleBytes.readFile(headers + "/include/generated/utsrelease.h") else { return nil }
        // #define UTS_RELEASE "6.1.0-56-amd64"
        let parts = String(decoding: bytes, as: UTF8.self).split(separator: "\"", omittingEmptySubsequences: false)
        return parts.count >= 3 ? String(parts[1]) : nil
    }

    /// VERMAGIC_STRING of include/linux/vermagic.h, as the preprocessor would put it together for x86-64.
    private static func vermagic(headers: String) -> String? {
        guard let release = release(headers: headers),
            let bytes = try? ModuleBytes.readFile(headers + "/include/config/auto.conf")
        else { return nil }
        let options = Set(bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) })
        func has(_ option: String) -> Bool { options.contains("CONFIG_\(option)=y") }
        var words = [release]
        if has("SMP") { words.append("SMP") }
        if has("PREEMPT_RT") { words.append("preempt_rt") } else if has("PREEMPT_BUILD") { words.append("preempt") }
        if has("MODULE_UNLOAD") { words.append("mod_unload") }
        if has("MODVERSIONS") { words.append("modversions") }
        return words.joined(separator: " ")
    }

    /// That of the first module that can be read.
    private static func vermagic(modules: String) -> String? {
        guard let bytes = try? ModuleBytes.readFile(modules + "/modules.order") else { return nil }
        for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(20) {
            let path = modules + "/" + String(decoding: line, as: UTF8.self)
            for suffix in ["", ".xz", ".gz"] {
                if let module = try? KernelModuleFile(path: path + suffix) { return module.vermagic }
            }
        }
        return nil
    }
}
