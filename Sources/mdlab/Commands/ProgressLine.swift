// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild
import Reporting

/// Build progress on stderr: one line that is written over on a terminal, a line per large step in a pipe.
struct ProgressLine: Sendable {
    private let onTerminal = isatty(STDERR_FILENO) == 1

    var handler: BuildProgressHandler {
        { [onTerminal] step in
            guard let text = Self.text(step) else { return }
            if onTerminal {
                Self.write("\r\u{1B}[K\(text)")
            } else if Self.isLarge(step) {
                Self.write(text + "\n")
            }
        }
    }

    /// A line about something else than a build.
    func show(_ text: String) {
        Self.write(onTerminal ? "\r\u{1B}[K\(text)" : text + "\n")
    }

    func clear() {
        if onTerminal { Self.write("\r\u{1B}[K") }
    }

    private static func write(_ text: String) {
        Terminal.write(text, to: 2)
    }

    private static func isLarge(_ step: BuildProgress) -> Bool {
        switch step {
        case .downloading, .waitingForLock, .updatingLists, .oldLists, .otherCompiler: true
        default: false
        }
    }

    private static func text(_ step: BuildProgress) -> String? {
        switch step {
        case .waitingForLock(let name): "waiting for another mdlab that works on \(name)"
        case .downloading(let package, let bytes): "downloading \(package) (\((bytes + 999_999) / 1_000_000) MB)"
        case .unpacking(let package): "unpacking \(package)"
        case .updatingLists(let suite): "fetching the package lists of \(suite)"
        case .oldLists(let suite, let reason): "\(suite): old package lists are used, no new ones came (\(reason))"
        case .otherCompiler(let used, let kernels): "compiling with \(used); the kernel was compiled with \(kernels)"
        case .applyingPatch(let name): "applying \(name)"
        case .applyingVariant(let name): "applying variant \(name)"
        case .compiling(let file): "compiling \(file)"
        case .finished, .upToDate: nil
        }
    }
}
