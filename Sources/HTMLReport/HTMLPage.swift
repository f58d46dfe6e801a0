// SPDX-License-Identifier: GPL-2.0
import Foundation
import Mustache
import ProtocolTrace
import RunRecord
import Validation

/// report.html: one file with everything in it, made from records, a validation, or both.
///
///     let page = HTMLPage(records: [(recording, verdict)], validation: nil)
///     try page.text(templates: URL(filePath: "report"))
///
/// The page is a Mustache template: what is put into it is escaped by the template language. Only the style, the script
/// and the data, in which every `<` is written as an escape, are not.
public struct HTMLPage {
    public enum Failure: Error, Equatable, Sendable {
        /// A file of the project is missing, or is no template.
        case template(path: String, reason: String)
    }

    let records: [(recording: Recording, verdict: Verdict)]
    let validation: ValidationReport?
    let version: String

    /// - Parameter version: of mdlab, for the foot of the page.
    public init(records: [(recording: Recording, verdict: Verdict)], validation: ValidationReport?, version: String) {
        (self.records, self.validation, self.version) = (records, validation, version)
    }

    /// - Parameter templates: the folder with page.mustache, style.css and page.js.
    public func text(templates: URL) throws -> String {
        func file(_ name: String) throws -> String {
            let url = templates.appending(path: name)
            do { return try String(contentsOf: url, encoding: .utf8) } catch {
                throw Failure.template(path: url.path, reason: "it cannot be read")
            }
        }
        let template: MustacheTemplate
        do { template = try MustacheTemplate(string: try file("page.mustache")) } catch let error as Failure {
            throw error
        } catch {
            throw Failure.template(path: templates.appending(path: "page.mustache").path, reason: "\(error)")
        }
        var view = PageView(records, validation)
        (view.version, view.style, view.script) = (version, try file("style.css"), try file("page.js"))
        let data = PageData(
            records: zip(records, view.records).map { RecordData($0.recording, name: "\($1.index + 1), \($1.name)") })
        view.data = Self.escaped(try JSONEncoder().encode(data))
        for (index, record) in data.records.enumerated() {
            view.records[index].waits = record.waits.map(\.text)
            view.records[index].hasWaits = !record.waits.isEmpty
            view.records[index].hasTimeline = !record.events.isEmpty
        }
        return template.render(view)
    }

    private struct PageData: Encodable {
        var records: [RecordData]
    }

    /// JSON that can stand inside a script element: nothing in it ends the element.
    static func escaped(_ json: Data) -> String {
        String(decoding: json, as: UTF8.self).replacing("<", with: "\\u003c").replacing("\u{2028}", with: "\\u2028")
            .replacing("\u{2029}", with: "\\u2029")
    }
}
