// SPDX-License-Identifier: GPL-2.0

/// A node of what `clang -Xclang -ast-dump=json` prints, with the fields that are used here.
final class ClangNode: Decodable {
    struct Location: Decodable {
        struct Place: Decodable {
            var offset: Int?
            var file: String?
        }

        var offset: Int?
        var file: String?
        var spellingLoc: Place?
        var expansionLoc: Place?

        /// Counted in bytes from the begin of the file; where a macro was used, not where it is defined.
        var place: Int? { expansionLoc?.offset ?? offset }
        /// The files that it names, in the order of printing. One is named only where it is another than before.
        var files: [String] { [spellingLoc?.file, expansionLoc?.file, file].compactMap { $0 } }
    }

    struct Range: Decodable {
        var begin: Location
        var end: Location
    }

    struct CType: Decodable {
        var qualType: String
        var desugaredQualType: String?
    }

    struct Reference: Decodable {
        var id: String
        var kind: String
        var name: String?
    }

    /// A number for characters, a text for all else.
    enum Value: Decodable {
        case text(String)
        case number(Int)

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                self = .number(number)
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }

    /// Missing in the place of what is left out, as the condition of `for (;;)`.
    let kind: String?
    let id: String?
    let name: String?
    let loc: Location?
    let range: Range?
    let type: CType?
    let opcode: String?
    let value: Value?
    let referencedDecl: Reference?
    let targetLabelDeclId: String?
    let declId: String?
    let `init`: String?
    let inner: [ClangNode]?

    var children: [ClangNode] { inner ?? [] }
    func child(_ number: Int) -> ClangNode? { number < children.count ? children[number] : nil }
}
