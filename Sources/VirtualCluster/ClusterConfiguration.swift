// SPDX-License-Identifier: GPL-2.0
import Foundation
import RunRecord

/// Everything that a cluster is made of.
public struct ClusterConfiguration: Sendable {
    /// A module under test, in load order: loaded into running nodes, never part of the image.
    public struct Module: Sendable {
        public var name: String
        /// Uncompressed, stripped or not.
        public var path: String
        public var stock: Bool
        public var buildID: String
        public init(name: String, path: String, stock: Bool, buildID: String) {
            (self.name, self.path, self.stock, self.buildID) = (name, path, stock, buildID)
        }
    }

    public enum Accelerator: String, Sendable { case kvm, tcg }

    public var nodes = 2
    public var kernel: String
    public var kernelRelease: String
    /// Where the kernel's kallsyms are kept between runs; made by the first node that runs this kernel.
    public var kernelSymbols: URL
    public var initramfs: String
    public var modules: [Module]
    /// Modules that the image loads and whose functions may show in a trace: name and file.
    public var bootModules: [String: String] = [:]
    /// Offsets for reading md's structures out of a node's memory; nil when the modules have no debug info.
    public var layout: KernelLayout?
    public var accelerator: Accelerator = .tcg
    /// MiB for each node.
    public var memory = 512
    /// The shared disks: /dev/vda, /dev/vdb, ... on every node.
    public var disks = 6
    /// Bytes of each.
    public var diskSize = 128 << 20
    /// QEMU's program.
    public var qemu = "/usr/bin/qemu-system-x86_64"

    public init(kernel: String, kernelRelease: String, kernelSymbols: URL, initramfs: String, modules: [Module]) {
        self.kernel = kernel
        self.kernelRelease = kernelRelease
        self.kernelSymbols = kernelSymbols
        self.initramfs = initramfs
        self.modules = modules
    }
}

/// Byte offsets of the fields that a snapshot reads, from the debug info of the modules that are loaded.
public struct KernelLayout: Sendable, Codable, Equatable {
    /// "mddev.cluster_info" -> offset.
    public var offsets: [String: UInt64]
    public init(offsets: [String: UInt64]) { self.offsets = offsets }

    /// What must be in `offsets` for a snapshot to read arrays.
    public static let needed = [
        "mddev.all_mddevs", "mddev.cluster_info", "mddev.reconfig_mutex.owner", "mddev.flags", "mddev.recovery",
        "mddev.sb_flags",
        "mddev.md_minor", "md_cluster_info.state", "md_cluster_info.recv_mutex.owner", "task_struct.pid",
    ]
}
