// SPDX-License-Identifier: GPL-2.0
import Foundation
import Mustache

/// How text gets into the page. Every template is parsed with this content type, so that `{{name}}` cannot forget it.
///
/// The library's own HTML type looks at grapheme clusters: in it a quotation mark that is followed by a combining
/// character is no quotation mark, while a browser sees one.
struct PageEscaping: MustacheContentType {
    /// What a template begins with.
    static let pragma = "{{% CONTENT_TYPE:MDLAB-HTML}}"
    static func register() { MustacheContentTypes.register(PageEscaping(), named: "MDLAB-HTML") }

    func escapeText(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "<": result.append(contentsOf: "&lt;".unicodeScalars)
            case ">": result.append(contentsOf: "&gt;".unicodeScalars)
            case "&": result.append(contentsOf: "&amp;".unicodeScalars)
            case "\"": result.append(contentsOf: "&quot;".unicodeScalars)
            case "'": result.append(contentsOf: "&#39;".unicodeScalars)
            case "`": result.append(contentsOf: "&#96;".unicodeScalars)
            case "\t", "\n": result.append(scalar)
            default:
                if Self.isHidden(scalar) {
                    // As a reader would have to write it: what changes the order of text must be seen.
                    let number = String(scalar.value, radix: 16, uppercase: true)
                    result.append(contentsOf: "\u{FFFD}U+\(number)".unicodeScalars)
                } else {
                    result.append(scalar)
                }
            }
        }
        return String(result)
    }

    /// Control characters, and those that turn the direction of text.
    static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0...8, 11...31, 127...159, 0x202A...0x202E, 0x2066...0x2069, 0x200E, 0x200F: true
        default: false
        }
    }
}

/// A value as JSON inside a script element, from which no text can break out.
enum ScriptData {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var result = String.UnicodeScalarView()
        for scalar in String(decoding: try encoder.encode(value), as: UTF8.self).unicodeScalars {
            switch scalar {
            // In JSON these stand in strings only.
            case "<", ">", "&", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result.append(
                    contentsOf: ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }
}
