// SPDX-License-Identifier: GPL-2.0
import Foundation
import NearNames

/// The order in which modules have to be loaded.
///
///     try ModuleOrder.order(modules: ["md-cluster", "raid1"], directory: "lib/modules/6.1.0-56-amd64",
///                           replacements: ["md_mod": "build/md-mod.ko"])
///     // [".../configfs.ko", ".../dlm.ko", "build/md-mod.ko", ".../md-cluster.ko", ".../raid1.ko"]
public enum ModuleOrder {
    /// The files to load, one after the other, for the modules wanted and all that they need: modules.dep through
    /// libkmod, softdeps as modprobe follows them. What is built into the kernel needs no file.
    ///
    /// - Parameters:
    ///   - modules: names or aliases, with dashes or underscores.
    ///   - directory: lib/modules/RELEASE. Without a modules.dep an index is made aside and forgotten, which takes
    ///     seconds: see `ModuleIndex.write`.
    ///   - replacements: files by module name that take the place of the kernel's own, or are new. What they need is
    ///     read from themselves.
    /// Throws `noModuleTree`, `unknownModule`, `dependencyCycle`, and what reading a replacement throws.
    public static func order(
        modules: [String], directory: String, replacements: [String: String] = [:]
    ) throws(ModuleError) -> [String] {
        let directory = try ModuleIndex.resolve(directory)
        return try ModuleIndex.with(directory) { indexed throws(ModuleError) in
            try order(modules: modules, indexed: indexed, directory: directory, replacements: replacements)
        }
    }

    /// The same with an index that is already there, for several orders in a row.
    static func order(
        modules: [String], indexed: String, directory: String, replacements: [String: String]
    ) throws(ModuleError) -> [String] {
        var walk = Walk(
            context: try KmodContext(directory: indexed), indexed: indexed, directory: directory,
            replacements: Dictionary(replacements.map { (moduleName($0), $1) }, uniquingKeysWith: { $1 }))
        for name in modules { try walk.visit(name, required: true) }
        return walk.order
    }

    /// The names of the modules that are built into the kernel, from modules.builtin.
    public static func builtIn(directory: String) -> Set<String> {
        names(inLinesOf: directory + "/modules.builtin")
    }

    /// The names of the modules that the kernel has as files, from modules.dep.
    static func available(directory: String) -> Set<String> {
        names(inLinesOf: directory + "/modules.dep")
    }

    /// Both files have a path at the start of each line.
    private static func names(inLinesOf file: String) -> Set<String> {
        guard let bytes = try? ModuleBytes.readFile(file) else { return [] }
        return Set(
            bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
                let path = String(decoding: line.prefix { $0 != UInt8(ascii: ":") }, as: UTF8.self)
                return path.isEmpty ? nil : KernelModuleFile.nameFromPath(path)
            })
    }
}

/// Depth first: what a module needs comes before it.
private struct Walk {
    let context: KmodContext
    /// Where libkmod has its index and its paths start.
    let indexed: String
    /// Where the files really are.
    let directory: String
    let replacements: [String: String]
    let builtIn: Set<String>
    private(set) var order: [String] = []
    private var done: Set<String> = []
    private var stack: [String] = []

    init(context: KmodContext, indexed: String, directory: String, replacements: [String: String]) {
        (self.context, self.indexed, self.directory) = (context, indexed, directory)
        self.replacements = replacements
        builtIn = ModuleOrder.builtIn(directory: directory)
    }

    mutating func visit(_ spelling: String, required: Bool) throws(ModuleError) {
        let name = moduleName(spelling)
        if let path = replacements[name] {
            return try visit(replacement: path, name: name, required: required)
        }
        let found = try context.lookup(spelling)
        if found.isEmpty, !builtIn.contains(name), required {
            let known = ModuleOrder.available(directory: indexed).union(builtIn).union(replacements.keys)
            throw .unknownModule(spelling, near: NameSuggestions.of(name, among: known))
        }
        for module in found {
            // An alias may have led to a module that is replaced.
            if let path = replacements[module.name] {
                try visit(replacement: path, name: module.name, required: required)
            } else if let path = module.path, !builtIn.contains(module.name) {
                let real = path.hasPrefix(indexed + "/") ? directory + path.dropFirst(indexed.count) : path
                try load(
                    module.name, path: real, needs: module.dependencies, before: module.before, after: module.after,
                    required: required)
            }
        }
    }

    private mutating func visit(replacement path: String, name: String, required: Bool) throws(ModuleError) {
        if done.contains(name) { return }
        let file = try KernelModuleFile(path: path)
        let soft = SoftDependencies(file.modinfo["softdep"] ?? [])
        try load(name, path: path, needs: file.depends, before: soft.before, after: soft.after, required: required)
    }

    private mutating func load(
        _ name: String, path: String, needs: [String], before: [String], after: [String], required: Bool
    ) throws(ModuleError) {
        if done.contains(name) { return }
        if let start = stack.firstIndex(of: name) {
            // Soft dependencies may go round in a circle; modprobe breaks it off too.
            if required { throw .dependencyCycle(Array(stack[start...]) + [name]) }
            return
        }
        stack.append(name)
        for other in before { try visit(other, required: false) }
        for other in needs { try visit(other, required: true) }
        stack.removeLast()
        if !done.insert(name).inserted { return }
        order.append(path)
        for other in after { try visit(other, required: false) }
    }
}

/// MODULE_SOFTDEP("pre: a b post: c").
struct SoftDependencies {
    private(set) var before: [String] = []
    private(set) var after: [String] = []

    init(_ texts: [String]) {
        for text in texts {
            var isAfter = false
            for word in text.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "," }) {
                switch word {
                case "pre:": isAfter = false
                case "post:": isAfter = true
                default: if isAfter { after.append(String(word)) } else { before.append(String(word)) }
                }
            }
        }
    }
}
