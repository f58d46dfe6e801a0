// SPDX-License-Identifier: GPL-2.0
import Foundation

/// What an instrumented build adds to md's own sources: the module of kernel-tests/gate, and the flags that make md
/// call it.
struct Instrumentation {
    /// The module's name, and that of its .ko and .c file.
    static let module = "mdlab_gate"

    /// File name -> content.
    let files: [String: Data]

    init(in project: ProjectFiles) throws {
        var files: [String: Data] = [:]
        for name in [Self.module + ".c", Self.module + "_trace.h", "mdlab_instrument.h"] {
            files[name] = Data(try project.text("\(project.gate)/\(name)").utf8)
        }
        self.files = files
    }

    /// Lines for the Kbuild file that defines md-mod-y. Only md's own objects are instrumented: what the kernel's
    /// headers put into them is not, since some of it runs where a call is not allowed.
    static let kbuild = """
        obj-m += \(module).o
        CFLAGS_\(module).o := -I$(src)
        instrument := -finstrument-functions -finstrument-functions-exclude-file-list=include/ -include $(src)/mdlab_instrument.h
        $(foreach object,$(md-mod-y) raid1.o raid10.o md-cluster.o,$(eval CFLAGS_$(object) := $(instrument)))

        """

    /// For the name of a cache entry.
    var text: String {
        files.sorted { $0.key < $1.key }.map { "\($0.key)\n\($0.value.base64EncodedString())\n" }.joined() + Self.kbuild
    }
}
