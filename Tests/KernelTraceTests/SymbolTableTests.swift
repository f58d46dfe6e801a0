// SPDX-License-Identifier: GPL-2.0
import Testing

@testable import KernelTrace

@Suite struct SymbolTableTests {
    static let text = """
        0000000000000000 A fixed_percpu_data
        ffffffff81000000 T _stext
        ffffffff81000100 t middle
        ffffffff81000180 d data
        ffffffff81000200 W last_of_kernel
        ffffffffc0000100 t lock_comm\t[md_cluster]
        ffffffffc0000000 t join\t[md_cluster]

        """

    @Test func anAddressIsInTheFunctionThatBeginsBeforeIt() {
        let table = SymbolTable(Array(Self.text.utf8))
        #expect(table.name(at: 0xffff_ffff_8100_0100) == "middle")
        #expect(table.name(at: 0xffff_ffff_8100_01ff) == "middle")
        #expect(table.name(at: 0xffff_ffff_c000_0010) == "join")
        #expect(table.name(at: 0xffff_ffff_c000_0100) == "lock_comm")
        #expect(table.name(at: 0xffff_ffff_c000_0101) == nil)
        #expect(table.name(at: 0x1000) == nil)
    }

    @Test func whatIsNoSymbolIsPassedOver() {
        #expect(SymbolTable([]).name(at: 1) == nil)
        for garbage in [
            "x", "12", "12 ", "12 t", "12 t ", " t name", "zz t name", "11112222333344445 t name", "12 t \n",
        ] {
            let table = SymbolTable(Array((garbage + "\n10 t good\n20 t next").utf8))
            #expect(table.name(at: 0x10) == "good", "\(garbage)")
        }
        let whole = Array(Self.text.utf8)
        for length in whole.indices { _ = SymbolTable(Array(whole[..<length])).name(at: 0xffff_ffff_8100_0100) }
    }
}
