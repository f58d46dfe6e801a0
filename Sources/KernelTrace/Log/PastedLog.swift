// SPDX-License-Identifier: GPL-2.0

extension KernelLog {
    /// Reads a text in which people show logs: a mail, a page, a bug report. As `init(bytes:)`, and two things that are
    /// right of such a text alone. A line that was broken where a mail program breaks lines is put together, and the
    /// report of a kernel without any stamp is found between other text by its own form.
    public init(pasted bytes: [UInt8]) {
        var parser = KernelLogParser()
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            parser.take(line.prefix(Self.longestLine))
        }
        self.init(parser, mayBeBare: !parser.lines.contains { Self.isOfAMail($0.text) })
        takeBareReports()
        joinBrokenLines(parser.widths)
    }

    /// What stands in mails and patches and in no log.
    private static func isOfAMail(_ text: String) -> Bool {
        ["diff --git ", "@@ -", "Subject: ", "From: ", "To: ", "Signed-off-by: ", "Fixes: "].contains {
            text.hasPrefix($0)
        }
            || text.hasPrefix("On ") && text.hasSuffix("wrote:")
    }

    // MARK: Lines that were broken

    /// Where mail programs break lines, with what they may put before a quoted one.
    private static let breaks = 66...96

    private mutating func joinBrokenLines(_ widths: [Int]) {
        var joined: [Line] = []
        // The part of a line that was read last: where it stood, and its width.
        var last: (number: Int, width: Int)?
        for (line, width) in zip(lines, widths) {
            if let before = last, let head = joined.last, head.isKernel, !line.isKernel,
                line.number == before.number + 1,
                let word = line.text.split(separator: " ").first, !line.text.hasPrefix("[ "),
                Self.breaks.contains(before.width + 1 + word.utf8.count), before.width <= Self.breaks.upperBound
            {
                let blank = head.text.hasSuffix(" ") ? "" : " "
                joined[joined.count - 1].text += blank + line.text.drop { $0 == " " }
            } else {
                joined.append(line)
            }
            last = (line.number, width)
        }
        lines = joined
    }

    // MARK: Reports without a stamp

    private mutating func takeBareReports() {
        var place = 0
        while place < lines.count {
            let end = endOfBareReport(at: place)
            for taken in place..<end { lines[taken].isKernel = true }
            place = max(end, place + 1)
        }
    }

    /// The place behind a report that begins here; `first` if none does. A line or two of another form may be in it.
    private func endOfBareReport(at first: Int) -> Int {
        guard !lines[first].isKernel, let head = BareReport.head(text(first)) else { return first }
        var (parts, end, gap) = (0, first + 1, 0)
        for place in lines.indices.dropFirst(first + 1) {
            guard !lines[place].isKernel, lines[place].number <= lines[place - 1].number + 2, gap < 3 else { break }
            let text = text(place)
            if BareReport.isPart(text) {
                (parts, end, gap) = (parts + 1, place + 1, 0)
            } else if BareReport.head(text) != nil, parts > 0 {
                break
            } else {
                gap += 1
            }
        }
        return parts >= head.partsNeeded ? end : first
    }

    private func text(_ place: Int) -> Substring { lines[place].text.drop { $0 == " " || $0 == "\t" } }
}

/// What a report of the kernel looks like when nothing before it says whose it is.
private enum BareReport {
    struct Head {
        /// Lines of a report that have to follow, so that it is no sentence about such reports.
        var partsNeeded: Int
    }

    private static let beginnings = [
        "BUG: ", "kernel BUG at ", "Oops: ", "general protection fault", "Kernel panic - not syncing",
        "------------[ cut here ]", "Internal error: Oops", "Unable to handle kernel ", "WARNING: possible ",
        "watchdog: BUG: ", "NMI watchdog: ", "rcu: INFO: ", "INFO: rcu_",
    ]

    static func head(_ text: Substring) -> Head? {
        let whole = String(text)
        if KernelLog.hungTask(whole) != nil { return Head(partsNeeded: 0) }
        if text.hasPrefix("WARNING: CPU: ") || text.hasPrefix("WARNING: ") && text.contains(", CPU#") {
            return Head(partsNeeded: 0)
        }
        if text.contains("soft lockup - CPU#") { return Head(partsNeeded: 0) }
        if KernelLog.task(whole) != nil { return Head(partsNeeded: 1) }
        if text.lowercased().hasPrefix("call trace:") { return Head(partsNeeded: 2) }
        return beginnings.contains { text.hasPrefix($0) } ? Head(partsNeeded: 1) : nil
    }

    private static let parts = [
        "Call Trace:", "Call trace:", "<TASK>", "</TASK>", "<IRQ>", "</IRQ>", "Modules linked in:", "CPU: ",
        "Hardware name:", "Workqueue:", "Tainted:", "Not tainted", "\"echo 0 > /proc/sys/kernel/hung_task",
        "---[ end ", "PGD ", "#PF: ", "Oops: ", "Code: ", "task:", "======",
    ]

    static func isPart(_ text: Substring) -> Bool {
        if parts.contains(where: { text.hasPrefix($0) }) || StackFrame(text) != nil { return true }
        if isRegister(text) || KernelLog.isWords(text) || KernelLog.task(String(text)) != nil { return true }
        // decode_stacktrace.sh: "md_update_sb (drivers/md/md.c:2834) md_mod"
        return text.contains(" (") && text.contains(".c:")
    }

    /// "RIP: 0010:...", "RAX: 00000000...", "R10: ...", "CR2: ..."
    private static func isRegister(_ text: Substring) -> Bool {
        guard let colon = text.prefix(8).firstIndex(of: ":") else { return false }
        let (name, value) = (text[..<colon], text[colon...].dropFirst())
        return name.allSatisfy { $0.isUppercase || $0.isNumber }
            && ["R", "CS", "CR", "DR", "FS", "EFLAGS"].contains { name.hasPrefix($0) }
            && value.first == " " && value.dropFirst().prefix(4).allSatisfy(\.isHexDigit)
    }
}
