// SPDX-License-Identifier: GPL-2.0
import Foundation

/// run.json: what ran. Written before the first node starts, and again when the run ends.
public struct RunDescription: Codable, Sendable, Equatable {
    /// Raised when a reader of an older tool could misread the record. 2: commit, host, packages, and beside run.json
    /// the log rules that were in force (rules/) and the difference from the kernel's own source (changes.diff).
    public static let currentFormat = 2

    public struct Module: Codable, Sendable, Equatable {
        public var name: String
        /// The ELF build id (.note.gnu.build-id), in hex; empty when the file has none.
        public var buildID: String
        /// True for the distribution's own file, false for one that was built here.
        public var stock: Bool
        public init(name: String, buildID: String, stock: Bool) {
            (self.name, self.buildID, self.stock) = (name, buildID, stock)
        }
    }

    public enum Start: String, Codable, Sendable { case cold, warm }
    public enum Ending: String, Codable, Sendable { case running, finished, hung, nodeDied, interrupted, failed }

    /// What `scenario` says of a cluster that was used by hand.
    public static let byHand = "vm"

    public var format = RunDescription.currentFormat
    public var toolVersion: String
    /// The commit that mdlab was built from, with "+" when the tree had other changes; nil when that is not known.
    public var toolCommit: String?
    public var scenario: String
    public var started: Date
    public var ended: Date?
    public var ending: Ending = .running
    public var nodes: Int
    /// `uname -r` of the guests.
    public var kernelRelease: String
    public var variant: String?
    public var patches: [String] = []
    public var modules: [Module] = []
    public var start: Start
    public var accelerator: String
    public var seed: UInt64?
    /// One argv per node; a shell may run it again.
    public var qemuCommandLines: [[String]] = []
    /// Guest seconds (CLOCK_MONOTONIC) minus host seconds (CLOCK_MONOTONIC) per node, as first measured: a hint, never
    /// an order.
    public var clockOffsets: [Double] = []
    /// Detectors that were on, and those that could not be, each with the reason.
    public var detectorsOff: [String: String] = [:]
    /// Of the machine: kernel, processor, cores, load when it began, qemu. nil in records of format 1.
    public var host: [String: String]?
    /// Debian package -> version. nil in records of format 1.
    public var packages: [String: String]?

    public init(
        toolVersion: String, scenario: String, started: Date, nodes: Int, kernelRelease: String, start: Start,
        accelerator: String
    ) {
        self.toolVersion = toolVersion
        self.scenario = scenario
        self.started = started
        self.nodes = nodes
        self.kernelRelease = kernelRelease
        self.start = start
        self.accelerator = accelerator
    }
}
