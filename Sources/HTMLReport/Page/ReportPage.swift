// SPDX-License-Identifier: GPL-2.0
import Foundation
import Mustache

/// report.html: one file, without a network, from a document and the templates beside this file.
public enum ReportPage {
    public enum Failure: Error, Equatable, Sendable {
        /// A template of this target cannot be read: the program was built from a broken tree.
        case template(name: String, reason: String)
        /// A number in the document that JSON does not have.
        case data(reason: String)
    }

    /// The page. The same document gives the same page.
    ///
    /// Cost: about 10 ms a 1,000 lines of tables, and 1 ms a 1,000 events.
    public static func html(_ document: ReportDocument) throws(Failure) -> String {
        let library = try templates()
        let data: String
        do { data = try ScriptData.text(TimelineData(document.runs)) } catch { throw .data(reason: "\(error)") }
        var page = PageView(document)
        page.data = data
        page.style = text(PackageResources.page_css)
        page.script = text(PackageResources.drawing_js) + text(PackageResources.page_js)
        page.nonce = nonce(of: data)
        guard let html = library.render(page, withTemplate: "page") else {
            throw .template(name: "page", reason: "it is missing")
        }
        return html
    }

    /// By name, as they call each other.
    static let sources: [String: String] = [
        "page": text(PackageResources.page_mustache),
        "patch": text(PackageResources.patch_mustache),
        "run": text(PackageResources.run_mustache),
        "hang": text(PackageResources.hang_mustache),
        "validation": text(PackageResources.validation_mustache),
    ]

    private static func templates() throws(Failure) -> MustacheLibrary {
        PageEscaping.register()
        var library = MustacheLibrary()
        for (name, source) in sources.sorted(by: { $0.key < $1.key }) {
            do { try library.register(PageEscaping.pragma + source, named: name) } catch {
                throw .template(name: name, reason: "\(error)")
            }
        }
        return library
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// The page's policy lets a script run that has this. It is made of what the page holds, so that no text in it can
    /// contain it.
    private static func nonce(of data: String) -> String {
        var (first, second): (UInt64, UInt64) = (0xcbf2_9ce4_8422_2325, 0x8422_2325_cbf2_9ce4)
        for byte in data.utf8 {
            first = (first ^ UInt64(byte)) &* 0x100_0000_01b3
            second = (second &+ UInt64(byte)) &* 0x9e37_79b9_7f4a_7c15
        }
        return String(first, radix: 16) + String(second, radix: 16)
    }
}
