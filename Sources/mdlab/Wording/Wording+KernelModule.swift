// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelModule

extension ModuleError: Worded {
    var line: String {
        switch self {
        case .notFound(let path): "\(path) does not exist; give the path of a .ko file"
        case .isDirectory(let path): "\(path) is a directory; give the path of a .ko file in it"
        case .notAFile(let path): "\(path) is not a regular file; give the path of a .ko file"
        case .unreadable(let path, let errno):
            "cannot read \(path): \(Self.reason(errno)); make it readable for this user, or copy it"
        case .empty(let path): "\(path) is empty; build or unpack the module again"
        case .tooLarge(let path, let limit):
            "\(path) has more than \(limit >> 20) MiB, which no module has; check that it is the right file"
        case .compressedBy(let path, let program):
            "\(path) is compressed with \(program), which mdlab cannot read; decompress it first: \(program) -d \(path)"
        case .badCompression(let path, let format, let reason):
            "\(path) is not a whole \(format) file (\(reason)); copy or unpack it again"
        case .notELF(let path): "\(path) is not an ELF file; give a .ko, .ko.xz or .ko.gz"
        case .foreignClass(let path, let bits):
            "\(path) is a \(bits)-bit ELF file; mdlab runs x86-64 kernels: build it for x86-64"
        case .bigEndian(let path):
            "\(path) is an ELF file for a big-endian machine; mdlab runs x86-64 kernels: build it for x86-64"
        case .foreignMachine(let path, let machine):
            "\(path) was built for \(machine); mdlab runs x86-64 kernels: build it for x86-64"
        case .notRelocatable(let path, let type): "\(path) is \(type), not a kernel module; give a .ko file"
        case .truncated(let path, let missing):
            "\(path) is cut short (without \(missing)); build or unpack the module again"
        case .malformed(let path, let what): "\(path) is a damaged ELF file (\(what)); build or unpack the module again"
        case .notAModule(let path, let section):
            "\(path) is no module (it has no section \(section)); give the .ko that `make modules` writes"
        case .notAKernel(let path): "\(path) is not a kernel image; give a vmlinux or a vmlinuz"
        case .noDebugInfo(let path):
            "\(path) has no debug information; give the unstripped module, which `mdlab build` keeps too"
        case .badDebugInfo(let path, let reason):
            "the debug information of \(path) is damaged (\(reason)); build the module again"
        case .noSuchStruct(let name, let near):
            "the debug information has no struct \(name)\(Self.meant(near)); give a module whose source uses it"
        case .noSuchMember(let name, let type, let near):
            "struct \(type) has no member \(name)\(Self.meant(near)); check the kernel version"
        case .noModuleTree(let path):
            "\(path) is not a kernel's module directory; give lib/modules/RELEASE of an unpacked linux-image package"
        case .noSymvers(let path): "\(path) has no Module.symvers; give the directory of the kernel's headers"
        case .badSymvers(let path, let line):
            "line \(line) of \(path) is not \"CRC symbol module export\"; unpack the kernel's headers again"
        case .unknownModule(let name, let near):
            "the kernel has no module \(name)\(Self.meant(near)); check the name, or give the file as a replacement"
        case .dependencyCycle(let names):
            "the modules need each other: \(names.joined(separator: " -> ")); take one of the uses out"
        case .depmodMissing: "depmod is not installed; install the package kmod"
        case .depmodFailed(let status, let errors):
            "depmod failed (status \(status)) with \(errors.isEmpty ? "no message" : errors); unpack the modules again"
        case .kmodFailed(let call, let errno):
            "\(call) failed: \(Self.reason(errno)); unpack the kernel's modules again"
        case .unwritable(let path, let errno):
            "cannot write \(path): \(Self.reason(errno)); free some space or set TMPDIR to a writable directory"
        }
    }

    /// The input is wrong, not the kernel under test.
    var exitCode: Int32 { Exit.usage }

    private static func reason(_ errno: Int32) -> String { String(cString: strerror(errno)) }

    private static func meant(_ near: [String]) -> String {
        near.isEmpty ? "" : " (near: \(near.joined(separator: ", ")))"
    }
}
