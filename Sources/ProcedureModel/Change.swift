// SPDX-License-Identifier: GPL-2.0

extension Statement {
    /// The statement with those inside it replaced, innermost first.
    public func replacing(_ change: (Statement) -> [Statement]) -> [Statement] {
        var result = self
        for number in blocks.indices {
            let block = result.blocks[number]
            result = block.rebuild(block.body.flatMap { $0.replacing(change) })
        }
        return change(result)
    }
}

extension Program {
    /// Replaces statements of a procedure; a change that finds nothing to change is a mistake of whoever wrote it.
    public mutating func change(_ name: String, _ change: (Statement) -> [Statement]) {
        guard let index = procedures.firstIndex(where: { $0.name == name }) else {
            preconditionFailure("no procedure \(name) to change")
        }
        let body = procedures[index].body.flatMap { $0.replacing(change) }
        precondition(body != procedures[index].body, "nothing to change in \(name)")
        procedures[index].body = body
    }

    /// Puts statements behind the first statement of a procedure that fits.
    public mutating func insert(_ statements: [Statement], into name: String, afterFirst fits: (Statement) -> Bool) {
        var isDone = false
        change(name) { statement in
            guard !isDone, fits(statement) else { return [statement] }
            isDone = true
            return [statement] + statements
        }
    }
}
