// SPDX-License-Identifier: GPL-2.0

/// What can go wrong with module files and module trees: facts, worded at the edge.
public enum ModuleError: Error, Sendable, Equatable {
    // The file itself.
    case notFound(path: String)
    case isDirectory(path: String)
    /// A device, a socket, a fifo.
    case notAFile(path: String)
    case unreadable(path: String, errno: Int32)
    case empty(path: String)
    case tooLarge(path: String, limit: Int)
    /// Compressed by a program this tool has no library for.
    case compressedBy(path: String, program: String)
    case badCompression(path: String, format: String, reason: String)

    // The ELF.
    case notELF(path: String)
    case foreignClass(path: String, bits: Int)
    case bigEndian(path: String)
    /// `machine` is the e_machine number of elf.h, with its name where it is a common one.
    case foreignMachine(path: String, machine: String)
    /// An executable, a shared library, a core: not an ET_REL file.
    case notRelocatable(path: String, type: String)
    /// The file ends before what its headers speak of.
    case truncated(path: String, missing: String)
    case malformed(path: String, what: String)
    /// An object file that modpost has not made a module of.
    case notAModule(path: String, missingSection: String)

    /// An object file where a vmlinux or vmlinuz was expected.
    case notAKernel(path: String)

    // Debug information.
    case noDebugInfo(path: String)
    case badDebugInfo(path: String, reason: String)
    case noSuchStruct(String, near: [String])
    case noSuchMember(String, of: String, near: [String])

    // Trees and tables of a kernel.
    case noModuleTree(path: String)
    case noSymvers(path: String)
    case badSymvers(path: String, line: Int)
    case unknownModule(String, near: [String])
    /// The modules that need each other, first one again at the end.
    case dependencyCycle([String])
    case depmodMissing
    case depmodFailed(status: Int32, errors: String)
    /// A call of libkmod, or of the system for it, failed.
    case kmodFailed(call: String, errno: Int32)
    case unwritable(path: String, errno: Int32)
}
