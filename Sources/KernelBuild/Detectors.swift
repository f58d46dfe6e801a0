// SPDX-License-Identifier: GPL-2.0

/// The kernel's own detectors of trouble, and which of them a kernel was built without.
///
/// A clean log says nothing about what nobody looked for, so a run lists them.
public enum Detectors {
    /// What it finds, and the option that builds it.
    static let known = [
        (name: "lockdep", option: "CONFIG_PROVE_LOCKING"), (name: "KASAN", option: "CONFIG_KASAN"),
        (name: "KCSAN", option: "CONFIG_KCSAN"), (name: "UBSAN", option: "CONFIG_UBSAN"),
        (name: "kmemleak", option: "CONFIG_DEBUG_KMEMLEAK"),
        (name: "sleep in atomic", option: "CONFIG_DEBUG_ATOMIC_SLEEP"),
        (name: "hung task", option: "CONFIG_DETECT_HUNG_TASK"),
        (name: "soft lockup", option: "CONFIG_SOFTLOCKUP_DETECTOR"),
        (name: "list corruption", option: "CONFIG_DEBUG_LIST"),
    ]

    /// Detector -> why it was off, from the text of a kernel's .config.
    public static func off(config: String) -> [String: String] {
        let set = Set(config.split(separator: "\n").filter { $0.hasSuffix("=y") }.map { $0.dropLast(2) })
        var off: [String: String] = [:]
        for detector in known where !set.contains(Substring(detector.option)) {
            off[detector.name] = "\(detector.option) is not set in this kernel"
        }
        return off
    }
}
