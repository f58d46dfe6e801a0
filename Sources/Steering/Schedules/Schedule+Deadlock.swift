// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Comparison

extension Schedule {
    /// Its deadlock, as snapshots are asked for it.
    public var predictedWaits: [PredictedWait] {
        deadlock.map { blocked in
            PredictedWait(
                thread: predicted(blocked.thread), stack: blocked.stack, waitsFor: blocked.waitsFor,
                heldBy: blocked.heldBy.map(predicted))
        }
    }

    private func predicted(_ thread: ScheduledThread) -> PredictedThread {
        var comm: String?
        if case .operation = thread.kind { comm = self.comm(of: thread) }
        return PredictedThread(node: thread.node, name: thread.name, role: thread.role, comm: comm)
    }
}
