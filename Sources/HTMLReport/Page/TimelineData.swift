// SPDX-License-Identifier: GPL-2.0

/// The timelines as the page's script reads them: columns instead of objects, and each text once. 10,000 events are
/// some 400 KiB.
struct TimelineData: Encodable {
    struct Run: Encodable {
        var id: String
        var lanes: [Timeline.Lane]
        /// Of each event: lane, time, index, the node's time in seconds, CPU, name, detail.
        var lane: [Int] = []
        var time: [Int64] = []
        var index: [Int] = []
        var clock: [UInt64] = []
        var cpu: [Int] = []
        var name: [Int] = []
        var detail: [Int] = []
        var slices: [[Int64]] = []
        var bars: [[Int64]] = []
        var messages: [Message] = []
        var marks: [Mark] = []
        var end: Int64
    }
    struct Message: Encodable {
        var type: Int
        var lane: Int
        var asked: Int64
        var granted: Int64
        var askedEvent: Int
        var grantedEvent: Int
        /// lane, told, released, told event, released event
        var receptions: [[Int64]]
        /// Of each reception: "trylock".
        var paths: [Int]
    }
    struct Mark: Encodable {
        var time: Int64
        var text: Int
    }

    var texts: [String] = []
    var runs: [Run] = []
    private var known: [String: Int] = [:]

    enum CodingKeys: CodingKey { case texts, runs }

    init(_ runs: [ReportRun]) {
        for run in runs where !run.timeline.events.isEmpty { add(run) }
    }

    /// -1 stands for what did not happen.
    private mutating func add(_ run: ReportRun) {
        let timeline = run.timeline
        var data = Run(id: run.id, lanes: timeline.lanes, end: timeline.end)
        for event in timeline.events {
            data.lane.append(event.lane)
            data.time.append(event.time)
            data.index.append(event.index)
            data.clock.append(event.nodeTime / 1000)
            data.cpu.append(event.cpu)
            data.name.append(number(event.name))
            data.detail.append(number(event.detail))
        }
        data.slices = timeline.slices.map {
            [Int64($0.lane), $0.start, $0.end ?? -1, Int64(number($0.name)), Int64($0.depth), Int64($0.event)]
        }
        data.bars = timeline.bars.map {
            [Int64($0.lane), $0.start, $0.end ?? -1, Int64(number($0.mode)), $0.isWaiting ? 1 : 0, Int64($0.event)]
        }
        data.messages = timeline.messages.enumerated().map { place, message in
            Message(
                type: number(message.type), lane: message.lane, asked: message.asked, granted: message.granted ?? -1,
                askedEvent: message.askedEvent, grantedEvent: message.grantedEvent ?? -1,
                receptions: message.receptions.map {
                    [Int64($0.lane), $0.told, $0.released ?? -1, Int64($0.toldEvent), Int64($0.releasedEvent ?? -1)]
                },
                paths: message.receptions.map { reception in
                    let node = timeline.lanes[reception.lane].node
                    return number(run.updates.first { $0.message == place && $0.receiver == node }?.path ?? "")
                })
        }
        if let begin = timeline.begin {
            data.marks = run.steps.map { Mark(time: Int64(($0.seconds - begin) * 1e9), text: number($0.text)) }
        }
        self.runs.append(data)
    }

    private mutating func number(_ text: String) -> Int {
        if let number = known[text] { return number }
        known[text] = texts.count
        texts.append(text)
        return texts.count - 1
    }
}
