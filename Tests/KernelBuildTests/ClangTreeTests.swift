// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelBuild

@Suite struct ClangTreeTests {
    @Test func keepsWhatDecidesTheMeaningOfTheSource() {
        let words = [
            "gcc-12", "-Wp,-MMD,x.d", "-nostdinc", "-I./arch/x86/include/generated", "-I/abs/include", "-include",
            "./include/linux/kconfig.h", "-D__KERNEL__", "-DKBUILD_MODNAME=\"md\"", "-Wall", "-std=gnu11",
            "-fconserve-stack", "-mrecord-mcount", "-c", "-o", "x.o", "x.c", ";", "./tools/objtool/objtool", "-Dno",
        ]
        #expect(
            ClangFrontEnd.kept(words, relativeTo: "/k") == [
                "-nostdinc", "-I/k/./arch/x86/include/generated", "-I/abs/include", "-include",
                "/k/./include/linux/kconfig.h", "-D__KERNEL__", "-DKBUILD_MODNAME=\"md\"", "-std=gnu11",
            ])
    }

    @Test func anEndlessOptionIsLeftOut() {
        #expect(ClangFrontEnd.kept(["-DA", "-include"], relativeTo: "/k") == ["-DA"])
        #expect(ClangFrontEnd.kept([], relativeTo: "/k").isEmpty)
    }
}
