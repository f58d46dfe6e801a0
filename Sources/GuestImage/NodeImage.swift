// SPDX-License-Identifier: GPL-2.0
import Foundation

/// The initramfs of a node. One serves all nodes of a cluster: a node learns its number from the kernel command line.
///
/// It holds the agent as /init, the programs of vm/guest.files with their libraries, the modules that a node needs
/// before md (in load order), and the configuration of corosync. It is not compressed: emulated CPUs inflate slowly.
public struct NodeImage: Sendable {
    /// The static agent.
    public var agent: String
    public var list: GuestFileList
    /// Where the programs and libraries come from: "/" or a root that packages were unpacked to.
    public var root: String
    /// The modules to load at boot, uncompressed, in the order in which to load them.
    public var bootModules: [(name: String, content: [UInt8])]
    public var nodes: Int

    public init(
        agent: String, list: GuestFileList, root: String, bootModules: [(name: String, content: [UInt8])], nodes: Int
    ) {
        self.agent = agent
        self.list = list
        self.root = root
        self.bootModules = bootModules
        self.nodes = nodes
    }

    /// Makes the archive.
    public func build() throws(GuestImageError) -> [UInt8] {
        var archive = CPIOArchive()
        for directory in ["proc", "sys", "dev", "tmp", "run", "etc/corosync", "var/lib", "var/log", "root"] {
            archive.directory(directory)
        }
        // The kernel opens it for PID 1 before anything is mounted.
        archive.characterDevice("dev/console", major: 5, minor: 1)
        archive.file("init", mode: 0o755, content: try Self.read(agent))

        var closure = LibraryClosure(root: root)
        for program in list.programs { try closure.add(program: program) }
        for library in list.libraries { try closure.add(library: library, neededBy: "vm/guest.files") }
        for (path, source) in closure.files.sorted(by: { $0.key < $1.key }) {
            archive.file(String(path.dropFirst()), mode: 0o755, content: try Self.read(source))
        }
        for (name, content) in bootModules { archive.file("modules/\(name).ko", content: content) }
        archive.file("modules/order", content: Array(bootModules.map { "\($0.name).ko\n" }.joined().utf8))

        archive.file("etc/passwd", content: Array("root:x:0:0:root:/root:/bin/sh\n".utf8))
        archive.file("etc/group", content: Array("root:x:0:\n".utf8))
        archive.file("etc/hosts", content: Array((1...nodes).map { "10.9.0.\($0) node\($0)\n" }.joined().utf8))
        archive.file("etc/corosync/corosync.conf", content: Array(Self.corosyncConfiguration(nodes: nodes).utf8))
        return archive.finish()
    }

    /// corosync.conf(5). An opening brace must end its line.
    ///
    /// `udpu` without crypto because the network is a pair of sockets between processes of one user; a long token
    /// timeout because emulated nodes stall; no SCHED_RR because the node has one CPU.
    static func corosyncConfiguration(nodes: Int) -> String {
        var text = """
            totem {
              version: 2
              cluster_name: mdlab
              transport: udpu
              token: 10000
              crypto_cipher: none
              crypto_hash: none
            }
            quorum {
              provider: corosync_votequorum
            }
            logging {
              to_stderr: no
              to_syslog: no
              to_logfile: yes
              logfile: /var/log/corosync.log
              timestamp: on
            }
            system {
              sched_rr: no
            }
            nodelist {

            """
        for node in 1...nodes {
            text += "  node {\n    ring0_addr: 10.9.0.\(node)\n    nodeid: \(node)\n    name: node\(node)\n  }\n"
        }
        return text + "}\n"
    }

    private static func read(_ path: String) throws(GuestImageError) -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else { throw .unreadable(path, errno: errno) }
        return Array(data)
    }
}
