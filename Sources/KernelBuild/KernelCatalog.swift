// SPDX-License-Identifier: GPL-2.0
import Foundation
import NearNames

/// Which kernels there are: vm/kernels.json. Only names of meta packages stand there, never a version.
public struct KernelCatalog: Codable, Sendable, Equatable {
    public struct Entry: Codable, Sendable, Equatable {
        public var name: String
        /// Meta packages that depend on the newest image and headers, and the source package or a meta package of it.
        public var image: String
        public var headers: String
        public var source: String
        /// The suite of Debian that has it, of `suites`; nil for what the machine's own apt knows.
        public var suite: String?
    }

    /// A suite that the machine's own apt need not know.
    public struct Suite: Codable, Sendable, Equatable {
        /// As Debian names it: `trixie-backports`.
        public var name: String
        public var uri: String
        /// Suites whose packages those of this one need.
        public var with: [String]
    }

    /// The name of the entry taken when none is asked for.
    public var `default`: String
    public var kernels: [Entry]
    public var suites: [Suite]

    public init(files: ProjectFiles) throws {
        do {
            self = try JSONDecoder().decode(KernelCatalog.self, from: Data(try files.text(files.kernels).utf8))
        } catch let error as DecodingError {
            throw KernelBuildError.projectFile(path: files.kernels, reason: "not a list of kernels: \(error)")
        }
        for entry in kernels {
            guard let name = entry.suite, !suites.contains(where: { $0.name == name }) else { continue }
            throw KernelBuildError.projectFile(path: files.kernels, reason: "the suite \(name) is not described")
        }
    }

    func entry(_ name: String) throws -> Entry {
        if let found = kernels.first(where: { $0.name == name }) { return found }
        throw unknown(name, releases: [])
    }

    /// - Parameter releases: of the kernels that could be found out.
    func unknown(_ name: String, releases: [String]) -> KernelBuildError {
        let known = kernels.map(\.name)
        return .unknownKernel(
            name, near: NameSuggestions.of(name, among: known + releases), known: known + releases)
    }
}

/// Versions of kernels as far as they are numbers: `7.3.4+deb13-amd64` is 7, 3, 4.
struct KernelVersion: Comparable {
    let numbers: [Int]

    /// nil for a name that does not begin with two numbers ("sid").
    init?(_ text: String) {
        let parts = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            .split(separator: ".", omittingEmptySubsequences: false)
        numbers = parts.compactMap { Int($0) }
        guard numbers.count >= 2, numbers.count == parts.count else { return nil }
    }

    /// Whether this is one of the versions that `name` stands for: 7.3.4 is a 7.3, 6.12 is no 6.1.
    func isOne(of name: KernelVersion) -> Bool { numbers.starts(with: name.numbers) }

    static func < (left: KernelVersion, right: KernelVersion) -> Bool {
        left.numbers.lexicographicallyPrecedes(right.numbers)
    }
}
