// SPDX-License-Identifier: GPL-2.0
import Foundation

/// A hang, drawn: each thread a box on an ellipse, each wait an arrow to the box of the one that has to act.
struct HangView {
    struct Box {
        var x: Int
        var y: Int
        var width: Int
        var height: Int
        var textX: Int
        var firstY: Int
        var secondY: Int
        var thread: String
        var function: String
    }
    struct Arrow {
        var path: String
        var labelX: Int
        var labelY: Int
        var label: String
    }
    struct Waiter {
        var number: Int
        var thread: String
        var place: String
        var waitsFor: String
        var hasStack: Bool
        var stack: [String]
        var isLast: Bool
    }

    /// Of the headings and the drawing's description.
    var name: String
    var title: String
    var isCycle: Bool
    var isDrawn: Bool
    var width: Int
    var height: Int
    var boxes: [Box]
    var arrows: [Arrow]
    var waiters: [Waiter]
    var description: String

    private static let box = (width: 290.0, height: 62.0)

    init(_ hang: HangPicture, name: String) {
        self.name = name
        (title, isCycle) = (hang.title, hang.isCycle)
        let count = hang.waiters.count
        waiters = hang.waiters.enumerated().map { place, waiter in
            Waiter(
                number: place + 1, thread: waiter.thread, place: waiter.place, waitsFor: waiter.waitsFor,
                hasStack: !waiter.stack.isEmpty, stack: waiter.stack, isLast: place == count - 1)
        }
        description = hang.waiters.map { "\($0.thread) waits for \($0.waitsFor)" }.joined(separator: "; ")
        isDrawn = hang.isCycle && (2...8).contains(count)
        let (canvasWidth, canvasHeight) = (960.0, count < 3 ? 220.0 : 400.0)
        (width, height) = (Int(canvasWidth), Int(canvasHeight))
        guard isDrawn else {
            (boxes, arrows) = ([], [])
            return
        }
        let (reachX, reachY) = ((canvasWidth - Self.box.width) / 2 - 20, (canvasHeight - Self.box.height) / 2 - 20)
        let centres = (0..<count).map { place -> (x: Double, y: Double) in
            // Two stand side by side, three and more begin at the top.
            let angle = 2 * Double.pi * Double(place) / Double(count) - (count == 2 ? Double.pi : Double.pi / 2)
            return (canvasWidth / 2 + reachX * cos(angle), canvasHeight / 2 + reachY * sin(angle))
        }
        boxes = zip(centres, hang.waiters).map { centre, waiter in
            Box(
                x: Int(centre.x - Self.box.width / 2), y: Int(centre.y - Self.box.height / 2),
                width: Int(Self.box.width), height: Int(Self.box.height), textX: Int(centre.x),
                firstY: Int(centre.y - 6), secondY: Int(centre.y + 17), thread: waiter.thread,
                function: Self.function(waiter.place))
        }
        arrows = hang.waiters.indices.map { place in
            Self.arrow(
                centres[place], centres[(place + 1) % count], isPair: count == 2, label: Self.label(hang.waiters[place])
            )
        }
    }

    /// From box to box, bent outwards where two arrows would lie on each other.
    private static func arrow(
        _ from: (x: Double, y: Double), _ to: (x: Double, y: Double), isPair: Bool, label: String
    ) -> Arrow {
        let bend = isPair ? (to.x > from.x ? -46.0 : 46.0) : 0
        let (dx, dy) = (to.x - from.x, to.y - from.y)
        // As far along the line as it is inside the box.
        func inside(_ dx: Double, _ dy: Double) -> Double {
            min(
                dx == 0 ? 1 : (box.width / 2 + 8) / abs(dx), dy == 0 ? 1 : (box.height / 2 + 8) / abs(dy))
        }
        let cut = inside(dx, dy)
        let shift = isPair ? (to.x > from.x ? -16.0 : 16.0) : 0
        let start = (x: from.x + dx * cut, y: from.y + dy * cut + shift)
        let end = (x: to.x - dx * cut, y: to.y - dy * cut + shift)
        let middle = (x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 + bend)
        let path = String(
            format: "M%.0f %.0f Q%.0f %.0f %.0f %.0f", start.x, start.y, middle.x, middle.y, end.x, end.y)
        return Arrow(path: path, labelX: Int(middle.x), labelY: Int(middle.y + (isPair ? -bend / 4 : 0)), label: label)
    }

    /// "dlm_lock_sync(token, EX) <- metadata_update_start" is "dlm_lock_sync(token, EX)".
    private static func function(_ place: String) -> String {
        String((place.firstRange(of: " <- ").map { place[..<$0.lowerBound] } ?? place[...]).prefix(40))
    }

    /// What is waited for, in a few words: "token EX", "reconfig_mutex".
    private static func label(_ waiter: HangPicture.Waiter) -> String {
        let first = waiter.waitsFor.prefix { $0 != "," }
        guard first.hasPrefix("node"), let open = waiter.place.firstIndex(of: "("),
            let close = waiter.place[open...].firstIndex(of: ")")
        else { return String(first.prefix(40)) }
        return String(waiter.place[waiter.place.index(after: open)..<close]).replacing(", ", with: " ")
    }
}
