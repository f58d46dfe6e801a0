// SPDX-License-Identifier: GPL-2.0
import CKmod
import Foundation

/// libkmod on one kernel's module directory, without the configuration of the machine it runs on.
final class KmodContext {
    /// A module of the tree.
    struct Module {
        var name: String
        /// As modules.dep has it, below the directory; nil for a built-in one.
        var path: String?
        /// All modules that have to be loaded before, as modules.dep lists them.
        var dependencies: [String]
        /// "softdep NAME pre: ..." and "post: ..." of modules.softdep.
        var before: [String]
        var after: [String]
    }

    private let context: OpaquePointer

    /// `directory` holds modules.dep.bin and its like.
    init(directory: String) throws(ModuleError) {
        let softdeps = directory + "/modules.softdep"
        let configuration = FileManager.default.fileExists(atPath: softdeps) ? [softdeps] : []
        let paths = configuration.map { strdup($0) }
        defer { for path in paths { free(path) } }
        let pointers = paths.map { UnsafePointer($0) } + [nil]
        guard let context = pointers.withUnsafeBufferPointer({ kmod_new(directory, $0.baseAddress) }) else {
            throw .kmodFailed(call: "kmod_new", errno: errno)
        }
        self.context = context
        // Errors are told by what the calls return.
        kmod_set_log_priority(context, 0)
    }

    deinit { kmod_unref(context) }

    /// The modules that a name or an alias stands for; none if the kernel knows it not.
    func lookup(_ name: String) throws(ModuleError) -> [Module] {
        var list: OpaquePointer?
        let result = kmod_module_new_from_lookup(context, name, &list)
        if result == -ENOENT || result == -ENOSYS { return [] }
        if result < 0 { throw .kmodFailed(call: "kmod_module_new_from_lookup", errno: -result) }
        defer { kmod_module_unref_list(list) }
        return modules(in: list).map { module in
            defer { kmod_module_unref(module) }
            let dependencies = kmod_module_get_dependencies(module)
            defer { kmod_module_unref_list(dependencies) }
            var pre: OpaquePointer?
            var post: OpaquePointer?
            kmod_module_get_softdeps(module, &pre, &post)
            defer {
                kmod_module_unref_list(pre)
                kmod_module_unref_list(post)
            }
            return Module(
                name: String(cString: kmod_module_get_name(module)),
                path: kmod_module_get_path(module).map { String(cString: $0) }, dependencies: names(dependencies),
                before: names(pre), after: names(post))
        }
    }

    private func names(_ list: OpaquePointer?) -> [String] {
        modules(in: list).map { module in
            defer { kmod_module_unref(module) }
            return String(cString: kmod_module_get_name(module))
        }
    }

    /// Each with a reference of its own.
    private func modules(in list: OpaquePointer?) -> [OpaquePointer] {
        var result: [OpaquePointer] = []
        var entry = list
        while let current = entry {
            if let module = kmod_module_get_module(current) { result.append(module) }
            entry = kmod_list_next(list, current)
        }
        return result
    }
}
