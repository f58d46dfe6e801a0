// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol

/// The texts of DLM's debugfs files. A line that is cut or garbage is left out.
public enum DLMText {
    /// `id nodeid remid pid xid exflags flags sts grmode rqmode time_ms r_nodeid r_len r_name`
    public static func locks(_ text: String) -> [DLMLock] {
        text.split(separator: "\n").compactMap { line in
            let words = line.prefix(1024).split(separator: " ", maxSplits: 13)
            guard words.count == 14, let id = UInt32(words[0], radix: 16), let node = Int(words[1]),
                let remote = UInt32(words[2], radix: 16), let pid = Int(words[3]), let xid = UInt64(words[4]),
                let external = UInt32(words[5], radix: 16), let flags = UInt32(words[6], radix: 16),
                let status = Int(words[7]), let granted = Int8(words[8]), let requested = Int8(words[9]),
                let age = UInt64(words[10]), let master = Int(words[11]), let name = quoted(words[13])
            else { return nil }
            return DLMLock(
                id: id, nodeID: node, remoteID: remote, pid: pid, xid: xid, externalFlags: external, internalFlags: flags,
                status: self.status(status), granted: LockMode(rawValue: granted), requested: LockMode(rawValue: requested),
                age: Double(age) / 1e6, master: master, resource: LockResource(rawValue: name))
        }
    }

    private static func status(_ number: Int) -> DLMLock.Status {
        switch number {
        case 1: .waiting
        case 2: .granted
        case 3: .converting
        default: .other(number)
        }
    }

    /// `lkb_id wait_type nodeid name`
    public static func waiters(_ text: String) -> [DLMWaiter] {
        text.split(separator: "\n").compactMap { line in
            let words = line.prefix(1024).split(separator: " ", maxSplits: 3)
            guard words.count == 4, let id = UInt32(words[0], radix: 16), let type = Int(words[1]), let node = Int(words[2])
            else { return nil }
            return DLMWaiter(
                id: id, waitType: type, nodeID: node, resource: LockResource(rawValue: quoted(words[3]) ?? String(words[3])))
        }
    }

    public static func resources(_ text: String) -> [DLMResource] {
        enum Part { case head, granted, converting, waiting }
        var resources: [DLMResource] = []
        var part = Part.head
        for line in text.split(separator: "\n") {
            let line = line.prefix(4096)
            if line.hasPrefix("Resource "), let quote = line.firstIndex(of: "\""), let name = quoted(line[quote...]) {
                resources.append(DLMResource(name: LockResource(rawValue: name)))
                part = .head
                continue
            }
            guard !resources.isEmpty else { continue }
            let last = resources.count - 1
            switch line {
            case "Master Copy": resources[last].master = 0
            case "Granted Queue": part = .granted
            case "Conversion Queue": part = .converting
            case "Waiting Queue": part = .waiting
            default:
                if line.hasPrefix("Local Copy, Master is node ") {
                    resources[last].master = Int(line.split(separator: " ").last ?? "")
                } else if line.hasPrefix("LVB: ") || (part == .head && line.hasPrefix("     ")) {
                    for word in line.split(separator: " ") where word.utf8.count == 2 {
                        if let byte = UInt8(word, radix: 16) { resources[last].valueBlock.append(byte) }
                    }
                    if line.contains("(INVALID)") { resources[last].valueBlockIsInvalid = true }
                } else if let entry = entry(line) {
                    switch part {
                    case .granted: resources[last].granted.append(entry)
                    case .converting: resources[last].converting.append(entry)
                    case .waiting: resources[last].waiting.append(entry)
                    case .head: break
                    }
                }
            }
        }
        return resources
    }

    /// "0000000a CR (EX) Remote:   2 00000004"
    private static func entry(_ line: Substring) -> DLMResource.Entry? {
        let words = line.split(separator: " ")
        guard words.count >= 2, words[0].utf8.count == 8, let id = UInt32(words[0], radix: 16) else { return nil }
        let granted = LockMode(name: words[1]) ?? .none
        var entry = DLMResource.Entry(id: id, granted: granted)
        if words.count > 2, words[2].hasPrefix("("), words[2].hasSuffix(")") {
            entry.requested = LockMode(name: words[2].dropFirst().dropLast())
        }
        if let remote = words.firstIndex(of: "Remote:"), words.count > remote + 2 {
            entry.remote = Int(words[remote + 1])
            entry.remoteID = UInt32(words[remote + 2], radix: 16)
        } else if let master = words.firstIndex(of: "Master:"), words.count > master + 1 {
            entry.remoteID = UInt32(words[master + 1], radix: 16)
        }
        return entry
    }

    /// The text between the first and the last quote.
    private static func quoted(_ text: some StringProtocol) -> String? {
        guard text.first == "\"", let end = text.lastIndex(of: "\""), end > text.startIndex else { return nil }
        return String(text[text.index(after: text.startIndex)..<end])
    }
}
