// SPDX-License-Identifier: GPL-2.0
import CLinux
import Foundation
import Synchronization

/// Starts QEMU so that it cannot outlive mdlab: the kernel kills it when the thread that started it ends, and that
/// thread lives as long as mdlab does. (swift-subprocess has no way to ask for PR_SET_PDEATHSIG or to hand descriptors
/// down.)
final class Spawner: Sendable {
    static let shared = Spawner()

    private let work = Mutex<[@Sendable () -> Void]>([])
    private let ready = DispatchSemaphore(value: 0)

    private init() {
        let thread = Thread { [self] in
            while true {
                ready.wait()
                let item = work.withLock { $0.isEmpty ? nil : $0.removeFirst() }
                item?()
            }
        }
        thread.name = "mdlab-spawner"
        thread.start()
    }

    /// Starts a program whose descriptors 0, 1, 2 ... are the given ones. Returns its pid, or -errno.
    func spawn(_ argv: [String], descriptors: [Int32]) async -> pid_t {
        await withCheckedContinuation { continuation in
            work.withLock {
                $0.append { continuation.resume(returning: Self.spawnHere(argv, descriptors: descriptors)) }
            }
            ready.signal()
        }
    }

    private static func spawnHere(_ argv: [String], descriptors: [Int32]) -> pid_t {
        var arguments: [UnsafePointer<CChar>?] = argv.map { UnsafePointer(strdup($0)) }
        arguments.append(nil)
        defer { for argument in arguments { free(UnsafeMutableRawPointer(mutating: argument)) } }
        return arguments.withUnsafeBufferPointer { arguments in
            descriptors.withUnsafeBufferPointer { descriptors in
                environ.withMemoryRebound(to: UnsafePointer<CChar>?.self, capacity: 1) { environment in
                    var spawn = CLinux.linux_spawn()
                    spawn.argv = arguments.baseAddress
                    spawn.envp = UnsafePointer(environment)
                    spawn.descriptors = descriptors.baseAddress
                    spawn.descriptor_count = Int32(descriptors.count)
                    spawn.death_signal = SIGKILL
                    spawn.new_group = 1
                    // Of the first thread, as `nice mdlab` set it; threads of Foundation begin with 0.
                    spawn.nice = getpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(getpid()))
                    return linux_spawn(&spawn)
                }
            }
        }
    }
}
