// SPDX-License-Identifier: GPL-2.0
import CElf
import Foundation

/// The shared libraries that programs need, read from their ELF headers, not by running them.
struct LibraryClosure {
    /// The root that programs and libraries are taken from.
    let root: String
    /// Path in the guest -> path here.
    private(set) var files: [String: String] = [:]

    private static let directories = [
        "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/lib", "/usr/lib",
    ]

    init(root: String) { self.root = root == "/" ? "" : root }

    mutating func add(program path: String) throws(GuestImageError) {
        guard access(root + path, R_OK) == 0 else { throw .missingProgram(path, root: root) }
        try add(path)
    }

    mutating func add(library name: String, neededBy: String) throws(GuestImageError) {
        for directory in Self.directories where access("\(root)\(directory)/\(name)", R_OK) == 0 {
            return try add("\(directory)/\(name)")
        }
        throw .missingLibrary(name, neededBy: neededBy, root: root)
    }

    private mutating func add(_ path: String) throws(GuestImageError) {
        guard files.updateValue(root + path, forKey: path) == nil else { return }
        let (interpreter, needed) = try Self.headers(of: root + path)
        if let interpreter {
            // Found by its path, which the kernel takes as it stands; its file may be elsewhere in the root.
            let name = String(interpreter.split(separator: "/").last ?? "")
            if access(root + interpreter, R_OK) == 0 {
                files[interpreter] = root + interpreter
            } else if let directory = Self.directories.first(where: { access("\(root)\($0)/\(name)", R_OK) == 0 }) {
                files[interpreter] = "\(root)\(directory)/\(name)"
            } else {
                throw .missingLibrary(name, neededBy: path, root: root)
            }
        }
        for library in needed { try add(library: library, neededBy: path) }
    }

    /// PT_INTERP and the DT_NEEDED entries of an ELF file.
    static func headers(of path: String) throws(GuestImageError) -> (interpreter: String?, needed: [String]) {
        elf_version(UInt32(EV_CURRENT))
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .unreadable(path, errno: errno) }
        defer { close(file) }
        guard let elf = elf_begin(file, ELF_C_READ, nil), elf_kind(elf) == ELF_K_ELF else { throw .notELF(path) }
        defer { elf_end(elf) }
        var interpreter: String?
        var needed: [String] = []
        var count = 0
        guard elf_getphdrnum(elf, &count) == 0 else { throw .notELF(path) }
        for index in 0..<Int32(count) {
            var header = GElf_Phdr()
            guard gelf_getphdr(elf, index, &header) != nil, header.p_type == PT_INTERP,
                let data = elf_getdata_rawchunk(elf, Int64(header.p_offset), Int(header.p_filesz), ELF_T_BYTE),
                let text = data.pointee.d_buf
            else { continue }
            interpreter = String(
                decoding: UnsafeRawBufferPointer(start: text, count: data.pointee.d_size).prefix { $0 != 0 },
                as: UTF8.self)
        }
        var section: OpaquePointer?
        while let next = elf_nextscn(elf, section) {
            section = next
            var header = GElf_Shdr()
            guard gelf_getshdr(next, &header) != nil, header.sh_type == SHT_DYNAMIC, let data = elf_getdata(next, nil)
            else { continue }
            for index in 0..<Int32(data.pointee.d_size / max(1, Int(header.sh_entsize))) {
                var entry = GElf_Dyn()
                guard gelf_getdyn(data, index, &entry) != nil, entry.d_tag == DT_NEEDED,
                    let name = elf_strptr(elf, Int(header.sh_link), Int(entry.d_un.d_val))
                else { continue }
                needed.append(String(cString: name))
            }
        }
        return (interpreter, needed)
    }
}
