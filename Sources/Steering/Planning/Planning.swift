// SPDX-License-Identifier: GPL-2.0

/// Schedules that force a counterexample of the model on a kernel.
///
///     let prediction = try Prediction.read(file: url)
///     let schedules = try Planning.schedules(for: prediction, name: "deadlock-v4.12")
public enum Planning {
    /// A schedule and its text.
    public struct Candidate: Sendable, Equatable {
        public var schedule: Schedule
        public var text: String
        public init(schedule: Schedule, text: String) { (self.schedule, self.text) = (schedule, text) }
    }

    /// Those with the fewest gates, the best first. Each brings the model into the predicted state in whatever order
    /// its threads run. Takes seconds.
    public static func schedules(for prediction: Prediction, name: String) throws -> [Candidate] {
        try Planner(prediction: prediction).plans().map { plan in
            let text = ScheduleText(prediction, plan).text(name: name)
            return Candidate(
                schedule: try ScheduleReader.parse(Array(text.utf8), name: name, file: name + ".yaml"), text: text)
        }
    }
}
