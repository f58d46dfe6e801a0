// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Reads patches out of what people have: a mail, a mailbox with the whole thread, a folder of `git format-patch` or
/// quilt, a plain diff, a range of commits. Mails are split and decoded by git's own parser, as `git am` does.
///
///     let series = try await Intake(tree: "/home/me/linux").series(["thread.mbox"])
///     let files = try series.write(to: folder)        // one file a patch, in order
public struct Intake: Sendable {
    /// Larger than any thread about a patch.
    static let sizeLimit = 64 << 20

    /// The kernel tree whose commits a range means.
    let tree: String

    /// - Parameter tree: where `A..B` is looked up; the current folder if not said.
    public init(tree: String = FileManager.default.currentDirectoryPath) { self.tree = tree }

    /// The series in the sources, one behind the other.
    ///
    /// - Parameter sources: paths of files or folders, or ranges "A..B", in the order in which they are applied.
    public func series(_ sources: [String]) async throws(IntakeError) -> IncomingSeries {
        var all = IncomingSeries()
        for source in sources {
            let one = try await series(source)
            all.patches += one.patches
            all.notes += one.notes
            all.version = max(all.version, one.version)
            all.cover = all.cover ?? one.cover
        }
        let there = Set(all.patches.compactMap(\.subject.number))
        if let total = all.patches.compactMap(\.subject.total).max(), !(1...total).allSatisfy(there.contains) {
            all.notes.append(.partOfASeries(there.sorted(), total: total))
        }
        return all
    }

    private func series(_ source: String) async throws(IntakeError) -> IncomingSeries {
        var isFolder = ObjCBool(false)
        if FileManager.default.fileExists(atPath: source, isDirectory: &isFolder) {
            let mails = isFolder.boolValue ? try await folder(source) : try await file(source)
            return try SeriesAssembly.series(of: mails, path: source)
        }
        guard source.contains("..") else { throw .source(path: source, .unreadable(reason: "there is no such file")) }
        return try await range(source)
    }

    // MARK: - Files

    private func file(_ path: String) async throws(IntakeError) -> [Mail] {
        var bytes = try Self.bytes(of: path)
        if bytes.starts(with: [0x1f, 0x8b]) {
            let said = try await GitTool.unzipped(URL(filePath: path).path, folder: "/")
            guard said.succeeded else { throw .source(path: path, .binary) }
            guard said.bytes.count <= Self.sizeLimit else {
                throw .source(path: path, .tooLarge(bytes: said.bytes.count))
            }
            bytes = said.bytes
        }
        guard bytes.contains(where: { !" \t\r\n".utf8.contains($0) }) else { throw .source(path: path, .empty) }
        guard !bytes.contains(0) else { throw .source(path: path, .binary) }
        switch SourceShape(bytes) {
        case .nothing: throw .source(path: path, .noDiff)
        case .diff: return [Self.plain(bytes, path: path)]
        case .mail: return try await Mailbox.mails(in: bytes, path: path)
        }
    }

    private static func bytes(of path: String) throws(IntakeError) -> [UInt8] {
        let handle: FileHandle
        do { handle = try FileHandle(forReadingFrom: URL(filePath: path)) } catch {
            throw .source(path: path, .unreadable(reason: (error as NSError).localizedDescription))
        }
        defer { try? handle.close() }
        let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        guard size <= sizeLimit else { throw .source(path: path, .tooLarge(bytes: size)) }
        do {
            let data = try handle.read(upToCount: sizeLimit + 1) ?? Data()
            guard data.count <= sizeLimit else { throw IntakeError.source(path: path, .tooLarge(bytes: data.count)) }
            return [UInt8](data)
        } catch let error as IntakeError {
            throw error
        } catch {
            throw .source(path: path, .unreadable(reason: (error as NSError).localizedDescription))
        }
    }

    private static func plain(_ bytes: [UInt8], path: String) -> Mail {
        Mail(
            origin: path, subject: SubjectLine(URL(filePath: path).deletingPathExtension().lastPathComponent),
            author: nil, date: nil,
            message: "",
            diff: bytes)
    }

    // MARK: - Folders

    /// A quilt series, or the files of `git format-patch`, in the order of their names.
    private func folder(_ path: String) async throws(IntakeError) -> [Mail] {
        let files = FileManager.default
        let names = ((try? files.contentsOfDirectory(atPath: path)) ?? []).sorted()
        for (series, base) in [("\(path)/series", path), ("\(path)/patches/series", "\(path)/patches")] {
            guard let text = try? String(contentsOfFile: series, encoding: .utf8) else { continue }
            return try await quilt(text, base: base, path: path)
        }
        let patches = names.filter { $0.hasSuffix(".patch") || $0.hasSuffix(".eml") || $0.hasSuffix(".diff") }
        guard !patches.isEmpty else { throw .source(path: path, .emptyFolder) }
        var mails: [Mail] = []
        for name in patches {
            do { mails += try await file("\(path)/\(name)") } catch IntakeError.source(_, .noDiff)
                where name.hasPrefix("0000-")
            {
                continue
            }
        }
        return mails
    }

    /// `patches/series` of quilt: a name a line, then options; `#` begins a comment.
    private func quilt(_ series: String, base: String, path: String) async throws(IntakeError) -> [Mail] {
        var mails: [Mail] = []
        for line in series.split(separator: "\n") {
            guard let name = line.prefix(while: { $0 != "#" }).split(whereSeparator: \.isWhitespace).first else {
                continue
            }
            guard FileManager.default.fileExists(atPath: "\(base)/\(name)") else {
                throw .source(path: path, .seriesNames(String(name)))
            }
            // The series file gives the order: numbers in subjects are of the mails that the patches once were.
            mails += try await file("\(base)/\(name)").map { mail in
                var mail = mail
                (mail.subject.number, mail.subject.total, mail.subject.version) = (nil, nil, 1)
                return mail
            }
        }
        guard !mails.isEmpty else { throw .source(path: path, .emptyFolder) }
        return mails
    }
}
