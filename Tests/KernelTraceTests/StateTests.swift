// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import RunRecord
import TestRecords
import Testing

@testable import KernelTrace

/// The texts of a real two-node cluster, see Tests/Fixtures/README.md.
@Suite struct StateTests {
    func snapshot(_ name: String) throws -> NodeSnapshot {
        try JSONDecoder().decode(
            NodeSnapshot.self, from: Data(contentsOf: Fixture.root.appending(path: "state/\(name).json")))
    }

    // MARK: mdstat

    @Test(arguments: [
        ("resync", MDStat.Sync.running(action: "resync", done: 28416, total: 130048), "UU", 2),
        ("recovery", .running(action: "recovery", done: 16384, total: 130048), "U_", 1),
        ("pending", .pending(action: "resync"), "UU", 2),
        ("remote", .remote(action: "resync"), "UU", 2),
        ("recover-remote", .remote(action: "recover"), "U_", 1),
    ]) func mdstat(name: String, sync: MDStat.Sync, slots: String, inSync: Int) throws {
        let stat = MDStat(text: try Fixture.text("state/mdstat-\(name).txt"))
        let array = try #require(stat.arrays.first)
        #expect(stat.arrays.count == 1)
        #expect(array.name == "md0" && array.isActive && array.personality == "raid1" && array.size == 130048)
        #expect(array.sync == sync)
        #expect(array.slots == slots && array.inSync == inSync && array.wanted == 2)
        #expect(Set(array.devices.map(\.name)) == ["vda", "vdb", "vdc"])
        let vdc = try #require(array.devices.first { $0.name == "vdc" })
        #expect(vdc.number == 2 && vdc.isSpare == (slots == "UU"))
        #expect(array.devices.first { $0.name == "vdb" }?.isFaulty == (slots == "U_"))
    }

    @Test func mdstatOfOtherArrays() {
        let stat = MDStat(
            text: """
                Personalities : [raid1] [raid10]
                md127 : active (auto-read-only) raid10 sdd1[3] sdc1[2](W) sdb1[1] sda1[0]
                      260096 blocks super 1.2 512K chunks 2 near-copies [4/4] [UUUU]
                      \tresync=DELAYED

                md5 : inactive vdb[1](S)
                      130048 blocks super 1.2

                unused devices: <none>
                """)
        #expect(stat.arrays.map(\.name) == ["md127", "md5"])
        #expect(
            stat.arrays[0].isReadOnly && stat.arrays[0].sync == .delayed(action: "resync") && stat.arrays[0].wanted == 4
        )
        #expect(!stat.arrays[1].isActive && stat.arrays[1].personality == nil && stat.arrays[1].wanted == nil)
        #expect(stat.arrays[1].devices == [.init(name: "vdb", number: 1, isFaulty: false, isSpare: true)])
    }

    // MARK: sysfs

    @Test func theArrayOfSysfs() throws {
        for node in ["fail-device-node1", "fail-device-node2"] {
            let snapshot = try snapshot(node)
            let array = try #require(snapshot.arrayViews.first)
            #expect(snapshot.arrayViews.count == 1)
            #expect(array.name == "md0" && array.level == "raid1" && array.raidDisks == 2 && array.degraded == 1)
            #expect(array.componentSize == 130048 && array.size == 260096 && array.syncAction == "idle")
            #expect(array.syncDone == nil && array.resyncStart == nil)
            #expect(array.devices.map(\.name) == ["vda", "vdb"])
            #expect(array.devices[0].isInSync && array.devices[0].slot == 0)
            #expect(array.devices[1].isFaulty && array.devices[1].slot == nil)
            #expect(snapshot.lockspaces.map(\.name) == [array.uuid])
            #expect(snapshot.taint?.unexpected == [])
            #expect(snapshot.mdstat?.arrays.first?.slots == "U_")
        }
    }

    @Test func anEmptySnapshotHasNothing() {
        let empty = NodeSnapshot(node: NodeID(1), label: "x", time: 0, uptime: 0, files: [:], threads: [], arrays: nil)
        #expect(empty.arrayViews == [] && empty.lockspaces == [] && empty.mdstat == nil && empty.taint == nil)
    }

    // MARK: DLM

    @Test func theLocksOfAHang() throws {
        // METADATA_UPDATED of node 2 that node 1 cannot handle: HOLDING_MUTEX_FOR_RECVD was not set there.
        let space = try #require(try snapshot("hang-node1").lockspaces.first)
        #expect(space.id != nil && space.locks.count == 11 && space.resources.count == 6 && space.waiters == [])
        let ack = space.locks.filter { $0.resource == .ack }
        let mine = try #require(ack.first { !$0.isMasterCopy })
        #expect(mine.status == .granted && mine.granted == .cr && mine.requested == .none && mine.master == 0)
        let theirs = try #require(ack.first { $0.isMasterCopy })
        #expect(theirs.status == .converting && theirs.granted == .cr && theirs.requested == .ex && theirs.nodeID == 2)
        #expect(theirs.id == 0xa && theirs.remoteID == 4)
        #expect((3.0...4.0).contains(theirs.age))
        let token = try #require(space.locks.first { $0.resource == .token && !$0.isMasterCopy })
        #expect(token.status == .converting && token.requested == .ex)
        #expect(token.pid == 131, "the thread that asked for it is md0_raid1")
    }

    @Test func theQueuesOfAHang() throws {
        let space = try #require(try snapshot("hang-node1").lockspaces.first)
        let token = try #require(space.resources.first { $0.name == .token })
        #expect(token.master == 0)
        #expect(token.granted == [.init(id: 8, granted: .ex, requested: nil, remote: 2, remoteID: 2)])
        #expect(token.converting == [.init(id: 2, granted: .nl, requested: .ex, remote: nil, remoteID: nil)])
        let message = try #require(space.resources.first { $0.name == .message })
        #expect(message.valueBlock.count == 64 && !message.valueBlockIsInvalid)
        let content = try #require(ClusterMessage(valueBlock: message.valueBlock))
        #expect(content.type == .metadataUpdated && content.slot == 1)
    }

    @Test func theLocksOfANodeThatIsNotTheMaster() throws {
        let space = try #require(try snapshot("hang-node2").lockspaces.first)
        let ack = try #require(space.locks.first { $0.resource == .ack })
        #expect(!ack.isMasterCopy && ack.master == 1 && ack.remoteID == 0xa)
        let resource = try #require(space.resources.first { $0.name == .ack })
        #expect(resource.master == 1)
        #expect(
            resource.granted + resource.converting + resource.waiting == [
                .init(id: 4, granted: .cr, requested: .ex, remote: nil, remoteID: 0xa)
            ])
    }

    @Test func waiters() {
        #expect(
            DLMText.waiters("a 2 1 token\n0000000b 1 2 \"ack\"\nx y\n") == [
                DLMWaiter(id: 10, waitType: 2, nodeID: 1, resource: .token),
                DLMWaiter(id: 11, waitType: 1, nodeID: 2, resource: .ack),
            ])
    }

    @Test func anInvalidValueBlock() {
        let text =
            "Resource 00 Name (len=7) \"message\"\nLocal Copy, Looking Up Master\nLVB: 01 02 \n     03 04 (INVALID)\nGranted Queue\n"
        let resource = DLMText.resources(text).first
        #expect(
            resource?.valueBlock == [1, 2, 3, 4] && resource?.valueBlockIsInvalid == true && resource?.master == nil)
    }

    // MARK: stacks

    @Test func frames() throws {
        let frame = try #require(StackFrame("[<0>] md_update_sb.part.0+0x92/0x7e0 [md_mod]"))
        #expect(frame.symbol == "md_update_sb.part.0" && frame.function == "md_update_sb" && frame.module == "md_mod")
        #expect(frame.offset == 0x92 && frame.length == 0x7e0)
        #expect(StackFrame("kthread+0xda/0x100")?.module == nil)
        #expect(StackFrame(" ? schedule+0x5a/0xd0")?.symbol == "schedule")
        for line in [
            "", " ", "+0x1/0x2", "a+", "a+0x1", "a+1/2", "0xffffffffc0000000", "[<0>]", " <TASK>",
            "a+0xfffffffffffffffff/0x1",
        ] {
            #expect(StackFrame(line) == nil, "\(line)")
        }
    }

    @Test func theStacksOfAHang() throws {
        let threads = try snapshot("hang-node1").threads
        let receiver = try #require(threads.first { $0.comm == "md0_cluster_recv" })
        #expect(receiver.frames.map(\.function) == ["recv_daemon", "md_thread", "kthread", "ret_from_fork"])
        let daemon = try #require(threads.first { $0.comm == "md0_raid1" })
        #expect(daemon.frames.map(\.function).prefix(3) == ["dlm_lock_sync", "metadata_update_start", "md_update_sb"])
        #expect(ThreadRole(comm: receiver.comm) == .recvDaemon)
    }

    // MARK: superblocks

    @Test(arguments: ["superblock-degraded", "superblock-spare-now-active"]) func asMdadmReadsIt(name: String) throws {
        let block = try Superblock(bytes: [UInt8](Data(contentsOf: Fixture.root.appending(path: "state/\(name).bin"))))
        let lines = try Fixture.text("state/\(name).txt").split(separator: "\n")
        func mdadm(_ key: String) -> String {
            let line = lines.first { $0.trimmingCharacters(in: .whitespaces).hasPrefix(key + " : ") } ?? ""
            return line.components(separatedBy: " : ").last?.trimmingCharacters(in: .whitespaces) ?? ""
        }
        #expect(String(block.events) == mdadm("Events"))
        #expect(String(block.raidDisks) == mdadm("Raid Devices"))
        #expect("raid\(block.level)" == mdadm("Raid Level"))
        #expect("0x" + String(block.featureMap, radix: 16) == mdadm("Feature Map"))
        #expect(block.isClustered)
        #expect(mdadm("Avail Dev Size").hasPrefix("\(block.size) sectors"))
        #expect(mdadm("Data Offset") == "\(block.dataOffset) sectors")
        #expect(mdadm("Super Offset") == "\(block.superOffset) sectors")
        #expect(block.name == mdadm("Name"))
        #expect(Hex.text(block.setUUID) == mdadm("Array UUID").replacingOccurrences(of: ":", with: ""))
        #expect(Hex.text(block.deviceUUID) == mdadm("Device UUID").replacingOccurrences(of: ":", with: ""))
        guard case .active(let slot) = try #require(block.role) else {
            Issue.record("role \(String(describing: block.role))")
            return
        }
        #expect("Active device \(slot)" == mdadm("Device Role"))
        let actives = (0..<block.raidDisks).map { block.roles.contains(.active($0)) ? "A" : "." }.joined()
        #expect(mdadm("Array State").hasPrefix(actives + " "))
    }

    @Test func superblocksOfASnapshot() throws {
        let blocks = try snapshot("fail-device-node1").decodedSuperblocks
        #expect(blocks.keys.sorted() == ["vda", "vdb"])
        let vda = try #require(try blocks["vda"]?.get())
        #expect(vda.role == .active(0) && vda.roles.filter { if case .active = $0 { true } else { false } }.count == 1)
    }

    @Test func damagedSuperblocks() throws {
        let good = [UInt8](try Data(contentsOf: Fixture.root.appending(path: "state/superblock-degraded.bin")))
        #expect(throws: Superblock.Failure.tooShort(bytes: 0)) { try Superblock(bytes: []) }
        #expect(throws: Superblock.Failure.tooShort(bytes: 255)) { try Superblock(bytes: Array(good.prefix(255))) }
        #expect(throws: Superblock.Failure.tooShort(bytes: 256)) { try Superblock(bytes: Array(good.prefix(256))) }
        #expect(throws: Superblock.Failure.noMagic) { try Superblock(bytes: [UInt8](repeating: 0, count: 8192)) }
        var bytes = good
        bytes[4] = 2
        #expect(throws: Superblock.Failure.version(2)) { try Superblock(bytes: bytes) }
        var generator = Xorshift(seed: 3)
        for _ in 0..<200 {
            var bytes = good
            // Within what the checksum covers: 256 bytes and the roles.
            bytes[Int.random(in: 0..<256, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            #expect(throws: Superblock.Failure.self) { try Superblock(bytes: bytes) }
        }
    }

    // MARK: garbage

    @Test(arguments: 1...8) func garbage(seed: UInt64) throws {
        var generator = Xorshift(seed: seed)
        let texts = try [
            Fixture.text("state/mdstat-recovery.txt"),
            snapshot("hang-node1").files.filter { $0.key.contains("/debug/dlm/") }.values.joined(),
        ]
        for text in texts {
            for _ in 0..<40 {
                var bytes = Array(text.utf8)
                for _ in 0..<20 {
                    bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                }
                let damaged = String(
                    decoding: bytes.prefix(Int.random(in: 0...bytes.count, using: &generator)), as: UTF8.self)
                let lines = damaged.split(separator: "\n").count
                #expect(MDStat(text: damaged).arrays.count <= lines)
                #expect(DLMText.locks(damaged).count <= lines)
                #expect(DLMText.resources(damaged).count <= lines)
                #expect(DLMText.waiters(damaged).count <= lines)
            }
        }
    }

    @Test func enormousLines() {
        let line = String(repeating: "vdb[1](F) [2/1] Remote: ", count: 400_000)
        #expect(MDStat(text: "md0 : active raid1 " + line + "\n      " + line).arrays.count == 1)
        #expect(DLMText.locks("1 2 3 4 5 6 7 8 9 1 2 3 4 " + line) == [])
        #expect(DLMText.resources("Resource 1 Name (len=1) \"" + line).count <= 1)
        #expect(StackFrame(line) == nil)
    }
}
