// SPDX-License-Identifier: GPL-2.0
import Foundation
import Testing

@testable import KernelModule

@Suite struct StructLayoutTests {
    private static let source = """
        typedef struct { long counter; } atomic64_t;
        typedef atomic64_t atomic_long_t;
        struct mutex { atomic_long_t owner; int wait; };
        struct forward;
        struct mddev {
            int minor;
            volatile const struct mutex reconfig_mutex;
            struct { short left; union { char right; int both; }; };
            struct forward *cluster_info;
            char name[3][8];
            unsigned int low : 4, high : 12;
            struct { int x; } unnamed_type;
            int tail[];
        };
        struct mddev device;
        """

    private func layouts(_ structs: [String] = ["mddev"]) throws -> StructLayouts {
        let folder = try TemporaryFolder()
        return try StructLayouts(path: folder.compile(Self.source, flags: ["-g"]), structs: structs)
    }

    @Test func offsetsAreThoseOfOffsetof() throws {
        let layouts = try layouts()
        func offset(_ path: String) throws -> Int { try layouts.offset(of: path, in: "mddev") }
        #expect(try offset("minor") == 0)
        #expect(try offset("reconfig_mutex") == 8)
        #expect(try offset("reconfig_mutex.owner") == 8)
        #expect(try offset("reconfig_mutex.owner.counter") == 8)
        #expect(try offset("reconfig_mutex.wait") == 16)
        #expect(try offset("left") == 24)
        #expect(try offset("right") == 28)
        #expect(try offset("both") == 28)
        #expect(try offset("cluster_info") == 32)
        #expect(try offset("name") == 40)
        #expect(try offset("high") == 64)
        #expect(try offset("unnamed_type.x") == 68)
        #expect(try offset("tail") == 72)
    }

    @Test func membersHaveSizesAndTypes() throws {
        let layouts = try layouts()
        #expect(try layouts.member("name", in: "mddev").size == 24)
        #expect(try layouts.member("reconfig_mutex", in: "mddev").type == "mutex")
        #expect(try layouts.member("reconfig_mutex.owner", in: "mddev").type == "atomic64_t")
        #expect(try layouts.member("cluster_info", in: "mddev").type == nil)
        #expect(layouts.structs["mddev"]?.size == 72)
    }

    @Test func whatIsNotThereNamesNearOnes() throws {
        let layouts = try layouts(["mddev", "absent", "forward"])
        #expect(throws: ModuleError.noSuchStruct("mddv", near: ["mddev"])) { try layouts.offset(of: "x", in: "mddv") }
        #expect(throws: ModuleError.noSuchStruct("forward", near: [])) { try layouts.offset(of: "x", in: "forward") }
        #expect(throws: ModuleError.noSuchMember("mutex", of: "mddev", near: ["reconfig_mutex"])) {
            try layouts.offset(of: "mutex", in: "mddev")
        }
        #expect(throws: ModuleError.noSuchMember("x", of: "mddev.minor, which is no struct", near: [])) {
            try layouts.offset(of: "minor.x", in: "mddev")
        }
        #expect(throws: ModuleError.noSuchMember("", of: "mddev", near: [])) { try layouts.offset(of: "", in: "mddev") }
    }

    @Test func survivesBeingWrittenDown() throws {
        let layouts = try layouts()
        let data = try JSONEncoder().encode(layouts)
        #expect(try JSONDecoder().decode(StructLayouts.self, from: data) == layouts)
    }

    @Test func needsDebugInformation() throws {
        let folder = try TemporaryFolder()
        let object = try folder.compile(Self.source, flags: [])
        #expect(throws: ModuleError.noDebugInfo(path: object)) { try StructLayouts(path: object) }
        #expect(throws: ModuleError.noDebugInfo(path: object)) { try InlinedFunctions(path: object) }
    }

    @Test func readsOlderAndNewerDWARF() throws {
        let folder = try TemporaryFolder()
        for version in 3...5 {
            let object = try folder.compile(Self.source, name: "v\(version).c", flags: ["-gdwarf-\(version)"])
            let layouts = try StructLayouts(path: object, structs: ["mddev"])
            #expect(try layouts.offset(of: "both", in: "mddev") == 28, "DWARF \(version)")
            #expect(try layouts.offset(of: "name", in: "mddev") == 40, "DWARF \(version)")
        }
    }
}

@Suite struct InlinedFunctionTests {
    private func inlined(_ source: String) throws -> InlinedFunctions {
        let folder = try TemporaryFolder()
        return try InlinedFunctions(path: folder.compile(source, flags: ["-g", "-O2"]))
    }

    private static let start = """
        #define ALWAYS static inline __attribute__((always_inline))
        #define NEVER __attribute__((noinline))
        extern int out(int);
        """

    @Test func saysWhereTheCopiesAre() throws {
        let inlined = try inlined(
            Self.start + """

                ALWAYS int lock_token(int x) { return out(x) + 1; }
                ALWAYS int lock_comm(int x) { for (int i = 0; i < x; i++) { int y = lock_token(i); out(y); } return 0; }
                NEVER int sender(int x) { return lock_comm(x); }
                NEVER int update(int x) { return lock_token(x); }
                """)
        let functions = try #require(inlined.units.first).functions
        #expect(functions["lock_token"] == .init(into: ["sender", "update"], everywhere: true))
        #expect(functions["lock_comm"] == .init(into: ["sender"], everywhere: true))
        #expect(functions["sender"] == nil)
        #expect(inlined.isInlinedEverywhere("lock_comm") && !inlined.isInlinedEverywhere("sender"))
        #expect(inlined.units.first?.name.hasSuffix("unit.c") == true)
    }

    @Test func functionWithASymbolIsNotInlinedEverywhere() throws {
        let inlined = try inlined(
            Self.start + """

                inline __attribute__((always_inline)) int both(int x) { return out(x) + 1; }
                extern int both(int);
                int (*taken)(int) = both;
                NEVER int user(int x) { return both(x); }
                """)
        #expect(inlined.units.first?.functions["both"] == .init(into: ["user"], everywhere: false))
    }

    @Test func headersAreLeftOut() throws {
        let folder = try TemporaryFolder()
        try folder.write(
            "helper.h", "static inline __attribute__((always_inline)) int helper(int x) { return x * 3; }\n")
        let source = "#include \"helper.h\"\nint user(int x) { return helper(x); }\n"
        let inlined = try InlinedFunctions(path: folder.compile(source, flags: ["-g", "-O2"]))
        #expect(inlined.units.map(\.functions) == [[:]])
    }
}
