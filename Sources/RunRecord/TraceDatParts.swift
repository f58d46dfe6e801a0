// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The parts of a trace.dat that is not made yet, as they lie in a node's folder of a record:
///
///     trace.parts/  header_page  header_event  formats/SYSTEM/NUMBER
///                   kallsyms  printk_formats  saved_cmdlines  trace_clock
///     trace.cpu0.raw  trace.cpu1.raw ...
extension TraceDatContents {
    static func partsFolder(in directory: URL) -> URL { directory.appending(path: "trace.parts") }

    /// Where the raw pages of a CPU are collected.
    public static func rawPages(cpu: Int, in directory: URL) -> URL { directory.appending(path: "trace.cpu\(cpu).raw") }

    /// Where saved_cmdlines is kept: the one text that may be written again when the run ends.
    public static func commandLines(in directory: URL) -> URL {
        partsFolder(in: directory).appending(path: "saved_cmdlines")
    }

    /// Writes all parts but the pages.
    public func save(to directory: URL) throws(TraceDatError) {
        let folder = Self.partsFolder(in: directory)
        try Self.write(headerPage, folder.appending(path: "header_page"))
        try Self.write(headerEvent, folder.appending(path: "header_event"))
        try Self.write(Array(kallsyms.utf8), folder.appending(path: "kallsyms"))
        try Self.write(Array(printkFormats.utf8), folder.appending(path: "printk_formats"))
        try Self.write(Array(commandLines.utf8), Self.commandLines(in: directory))
        try Self.write(Array(clock.utf8), folder.appending(path: "trace_clock"))
        for system in [EventSystem(name: "ftrace", formats: ftraceFormats)] + eventFormats {
            for (number, format) in system.formats.enumerated() {
                let name = String(repeating: "0", count: max(0, 4 - String(number).count)) + String(number)
                try Self.write(format, folder.appending(path: "formats/\(system.name)/\(name)"))
            }
        }
    }

    /// Reads the parts that `save(to:)` wrote and finds the pages beside them. The texts that only make the trace
    /// nicer to read (kallsyms, printk_formats, saved_cmdlines) may be missing, the others may not.
    public static func load(from directory: URL) throws(TraceDatError) -> TraceDatContents {
        let folder = partsFolder(in: directory)
        func need(_ name: String) throws(TraceDatError) -> [UInt8] {
            guard let data = try? Data(contentsOf: folder.appending(path: name)), !data.isEmpty else {
                throw .missing(part: name, directory: folder.path)
            }
            return [UInt8](data)
        }
        func text(_ name: String) -> String {
            (try? Data(contentsOf: folder.appending(path: name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
        }
        func names(_ url: URL) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted()
        }
        let formats = folder.appending(path: "formats")
        var systems: [EventSystem] = []
        for system in names(formats) {
            var texts: [[UInt8]] = []
            for event in names(formats.appending(path: system)) { texts.append(try need("formats/\(system)/\(event)")) }
            systems.append(EventSystem(name: system, formats: texts))
        }
        var pages: [URL] = []
        while FileManager.default.fileExists(atPath: rawPages(cpu: pages.count, in: directory).path) {
            pages.append(rawPages(cpu: pages.count, in: directory))
        }
        guard !pages.isEmpty else { throw .missing(part: "trace.cpu0.raw", directory: directory.path) }
        let clock = text("trace_clock")
        return TraceDatContents(
            headerPage: try need("header_page"), headerEvent: try need("header_event"),
            ftraceFormats: systems.first { $0.name == "ftrace" }?.formats ?? [],
            eventFormats: systems.filter { $0.name != "ftrace" }, kallsyms: text("kallsyms"),
            printkFormats: text("printk_formats"), commandLines: text("saved_cmdlines"), cpuPages: pages,
            clock: clock.isEmpty ? "local" : clock)
    }

    /// Whether a node's folder holds parts of which no trace.dat was made: the recorder was killed.
    public static func isIncomplete(_ node: NodeLayout) -> Bool {
        !FileManager.default.fileExists(atPath: node.trace.path)
            && FileManager.default.fileExists(atPath: partsFolder(in: node.root).path)
    }

    /// Makes trace.dat of the parts in a node's folder and removes them. A folder that has its trace.dat, or nothing to
    /// make one of, is left alone. True if a file was made.
    @discardableResult
    public static func completeTrace(in node: NodeLayout) throws(TraceDatError) -> Bool {
        guard isIncomplete(node) else { return false }
        let contents = try load(from: node.root)
        try contents.write(to: node.trace)
        for file in contents.cpuPages { unlink(file.path) }
        try? FileManager.default.removeItem(at: partsFolder(in: node.root))
        return true
    }

    private static func write(_ bytes: [UInt8], _ url: URL) throws(TraceDatError) {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
        } catch {
            throw .unwritable(path: url.path, reason: error.localizedDescription)
        }
    }
}
