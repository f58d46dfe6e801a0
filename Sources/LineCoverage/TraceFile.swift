// SPDX-License-Identifier: GPL-2.0

/// lcov's tracefile (geninfo(1)), so that genhtml and editors read it.
///
///     SF:drivers/md/md-cluster.c
///     FN:213,220,unlock_comm        first line, last line, name
///     FNDA:7,unlock_comm
///     BRDA:214,0,1,7                line, block, way, how often
///     DA:214,7
///     end_of_record
extension LineCounts {
    /// - Parameter comments: lines that begin with `#`, before all else.
    public func traceFile(comments: [String] = []) -> String {
        var text = comments.map { "# \($0)\n" }.joined()
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            text += "SF:\(path)\n"
            let functions = file.functions.sorted { ($0.value.line, $0.key) < ($1.value.line, $1.key) }
            for (name, function) in functions {
                text += "FN:\(function.line),\(function.end.map { "\($0)," } ?? "")\(name)\n"
                text += "FNDA:\(function.count),\(name)\n"
            }
            for (line, ways) in file.branches.sorted(by: { $0.key < $1.key }) {
                for (way, count) in ways.enumerated() { text += "BRDA:\(line),0,\(way),\(count)\n" }
            }
            for (line, count) in file.lines.sorted(by: { $0.key < $1.key }) { text += "DA:\(line),\(count)\n" }
            text += "end_of_record\n"
        }
        return text
    }

    /// Reads a tracefile. Records that are not needed (LF, LH, TN and so on) are passed over.
    ///
    /// - Throws: `damaged` with the line for what is no tracefile, or one that is cut off.
    public init(traceFile text: String, file: String) throws(LineCoverageError) {
        var path: String?
        var current = File()
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if line.isEmpty || line.hasPrefix("#") { continue }
            if line == "end_of_record" {
                guard let name = path else {
                    throw .damaged(file: file, what: "line \(index + 1) ends a record that none began")
                }
                files[name, default: File()].add(current)
                (path, current) = (nil, File())
                continue
            }
            guard let colon = line.firstIndex(of: ":") else {
                throw .damaged(file: file, what: "line \(index + 1) is no line of a tracefile")
            }
            let value = line[line.index(after: colon)...]
            let fields = value.split(separator: ",", omittingEmptySubsequences: false)
            var isSound = true
            switch line[..<colon] {
            case "SF": path = String(value)
            case "FN": isSound = current.declare(fields)
            case "FNDA": isSound = current.entered(fields)
            case "BRDA": isSound = current.branch(fields)
            case "DA": isSound = current.count(fields)
            default: break
            }
            guard isSound else { throw .damaged(file: file, what: "line \(index + 1) is not a line of numbers") }
        }
        guard path == nil else { throw .damaged(file: file, what: "its last record has no end") }
    }
}

extension LineCounts.File {
    fileprivate mutating func declare(_ fields: [Substring]) -> Bool {
        guard fields.count == 2 || fields.count == 3, let line = Int(fields[0]), let name = fields.last else {
            return false
        }
        functions[String(name)] = .init(line: line, end: fields.count == 3 ? Int(fields[1]) : nil, count: 0)
        return true
    }

    fileprivate mutating func entered(_ fields: [Substring]) -> Bool {
        guard fields.count == 2, let count = UInt64(fields[0]), let known = functions[String(fields[1])] else {
            return false
        }
        functions[String(fields[1])] = .init(line: known.line, end: known.end, count: count)
        return true
    }

    fileprivate mutating func branch(_ fields: [Substring]) -> Bool {
        // "-" says that the condition was never reached.
        guard fields.count == 4, let line = Int(fields[0]), let count = fields[3] == "-" ? 0 : UInt64(fields[3]) else {
            return false
        }
        branches[line, default: []].append(count)
        return true
    }

    fileprivate mutating func count(_ fields: [Substring]) -> Bool {
        guard fields.count >= 2, let line = Int(fields[0]), let count = UInt64(fields[1]) else { return false }
        lines[line, default: 0] &+= count
        return true
    }
}
