// SPDX-License-Identifier: GPL-2.0
import Foundation
import NearNames

/// Which kernels there are: vm/kernels.json. Only names of meta packages stand there, never a version.
public struct KernelCatalog: Codable, Sendable, Equatable {
    public struct Entry: Codable, Sendable, Equatable {
        public var name: String
        /// Meta packages that depend on the newest image and headers, and the source package.
        public var image: String
        public var headers: String
        public var source: String
    }

    /// The name of the entry taken when none is asked for.
    public var `default`: String
    public var kernels: [Entry]

    public init(files: ProjectFiles) throws {
        do {
            self = try JSONDecoder().decode(KernelCatalog.self, from: Data(try files.text(files.kernels).utf8))
        } catch let error as DecodingError {
            throw KernelBuildError.projectFile(path: files.kernels, reason: "not a list of kernels: \(error)")
        }
    }

    func entry(_ name: String) throws -> Entry {
        if let found = kernels.first(where: { $0.name == name }) { return found }
        let known = kernels.map(\.name)
        throw KernelBuildError.unknownKernel(name, near: NameSuggestions.of(name, among: known), known: known)
    }
}
