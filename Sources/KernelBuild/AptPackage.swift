// SPDX-License-Identifier: GPL-2.0

/// One version of a Debian package as apt's lists describe it.
struct AptPackage: Equatable, Sendable {
    struct Dependency: Equatable, Sendable {
        var name: String
        /// Set for `name (= version)`.
        var exactVersion: String?
    }

    var name: String
    var version: String
    var architecture: String
    var size: Int
    var sha256: String
    /// The first alternative of each.
    var dependencies: [Dependency]

    /// Name and version, fit for a file name.
    var identity: String {
        "\(name)_\(version)_\(architecture)".replacing(":", with: "%3a")
    }

    /// Reads the stanzas that `apt-cache show` prints. A stanza without name, version, size or sum is left out: it
    /// could be neither downloaded nor verified.
    static func parse(_ text: String) -> [AptPackage] {
        var packages: [AptPackage] = []
        var fields: [Substring: Substring] = [:]
        func finish() {
            if let name = fields["Package"], let version = fields["Version"],
                let architecture = fields["Architecture"], let size = fields["Size"].flatMap({ Int($0) }), size > 0,
                let sum = fields["SHA256"], sum.utf8.count == 64, isPlain(name), isPlain(version), isPlain(architecture)
            {
                packages.append(
                    AptPackage(
                        name: String(name), version: String(version), architecture: String(architecture), size: size,
                        sha256: String(sum), dependencies: parseDependencies(fields["Depends"] ?? "")))
            }
            fields = [:]
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.isEmpty {
                finish()
            } else if line.first != " ", let colon = line.firstIndex(of: ":") {
                let value = line[line.index(after: colon)...].drop { $0 == " " }
                fields[line[..<colon]] = value
            }
        }
        finish()
        return packages
    }

    /// Names and versions become file names: only the letters that Debian policy allows in them.
    private static func isPlain(_ text: Substring) -> Bool {
        !text.isEmpty && text.first != "." && text.first != "-"
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "+-.~:".utf8.contains(byte)
                }
            }
    }

    static func parseDependencies(_ text: Substring) -> [Dependency] {
        text.split(separator: ",").compactMap { group in
            guard let first = group.split(separator: "|").first else { return nil }
            let words = first.split { " ()".contains($0) }
            guard let name = words.first else { return nil }
            let exact = words.count == 3 && words[1] == "=" ? String(words[2]) : nil
            return Dependency(name: String(name.split(separator: ":")[0]), exactVersion: exact)
        }
    }
}
