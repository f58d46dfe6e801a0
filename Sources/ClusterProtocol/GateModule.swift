// SPDX-License-Identifier: GPL-2.0

/// What kernel-tests/gate/mdlab_gate.c is called, and the files by which it is told what to do.
public enum GateModule {
    /// The module, its folder in debugfs, and its trace system.
    public static let name = "mdlab_gate"
    /// Beside `name`.c in kernel-tests/gate.
    public static let headers = ["mdlab_gate_trace.h", instrumentHeader]
    /// Included into every object whose functions call the module.
    public static let instrumentHeader = "mdlab_instrument.h"

    public static let folder = "/sys/kernel/debug/\(name)/"
    /// Takes one command a write.
    public static let control = folder + "control"
    /// All gates and who is held.
    public static let gates = folder + "gates"
    /// What was hit while it was recording.
    public static let points = folder + "points"
}
