// SPDX-License-Identifier: GPL-2.0

/// The program for SPIN: the same steps over the same variables, so an unreduced search of either visits as many
/// states.
///
/// Every thread is a process that loops over its steps; a step is indivisible and says where the thread stands next.
/// Deadlocks and the rules that hold `always` become assertions in a process of their own; what holds at rest is left
/// out.
public struct PromelaExport {
    let machine: Machine
    var code: Code { machine.code }
    var layout: Layout { machine.layout }
    var names: [Field: String] = [:]
    /// Bits of locals in use, by thread.
    var locals: [[Field: String]] = []

    public init(_ machine: Machine) {
        self.machine = machine
        for (name, field) in layout.shared { names[field] = clean(name) }
        for node in 0..<machine.program.nodes {
            let prefix = "n\(node + 1)_"
            for (name, field) in layout.node[node] { names[field] = prefix + clean(name) }
            for (name, field) in layout.mutexes[node] { names[field] = prefix + clean(name) }
            for lock in code.locks.indices {
                let lockName = prefix + clean(code.locks[lock].name)
                names[layout.granted[lock][node]] = lockName + "_granted"
                names[layout.requested[lock][node]] = lockName + "_requested"
                names[layout.rank[lock][node]] = lockName + "_rank"
            }
        }
        for (number, thread) in code.threads.enumerated() {
            names[layout.pc[number]] = "n\(thread.node + 1)_\(clean(thread.name))_at"
        }
        names[layout.broken] = "broken"
        collectLocals()
    }

    func clean(_ name: String) -> String {
        var result = ""
        for character in name {
            if character == ">" { continue }
            result.append(character.isLetter || character.isNumber ? character : "_")
        }
        return result
    }

    /// Locals of different procedures may share bits; each use of some bits becomes a variable of its own.
    mutating func collectLocals() {
        var fields = Set<Field>()
        for instruction in code.instructions where instruction.result.bits > 0 { fields.insert(instruction.result) }
        for effect in code.effects {
            if effect.kind != .constant { fields.insert(effect.target) }
            if effect.kind == .constant, effect.value != 0 { fields.insert(effect.target) }
            if effect.kind == .copy { fields.insert(effect.source) }
        }
        for test in code.tests where test.field.bits > 0 {
            fields.insert(test.field)
            if test.other.bits > 0 { fields.insert(test.other) }
        }
        locals = layout.locals.enumerated().map { number, region in
            var result: [Field: String] = [:]
            for field in fields where names[field] == nil && contains(region, field) {
                result[field] = "l\(number)_\(field.shift - region.shift)_\(field.bits)"
            }
            return result
        }
    }

    func contains(_ region: Field, _ field: Field) -> Bool {
        field.word == region.word && field.shift >= region.shift
            && field.shift + field.bits <= region.shift + region.bits
    }

    func name(_ field: Field) -> String {
        if let name = names[field] { return name }
        for list in locals { if let name = list[field] { return name } }
        return "0"
    }

    // MARK: Text

    /// The whole Promela model.
    public var text: String {
        var out =
            "/* md-cluster \(machine.program.name), \(machine.program.nodes) nodes: made by mdlab model export */\n"
        let initial = machine.initialWords
        let declared = names.filter { $0.key.bits > 0 } + locals.flatMap { $0 }
        for (field, name) in declared.sorted(by: { $0.value < $1.value }) {
            let value = machine.value(of: field, in: initial)
            let type = field.bits == 1 ? "bit \(name)" : "unsigned \(name) : \(field.bits)"
            out += "\(type)\(value == 0 ? "" : " = \(value)");\n"
        }
        for (number, thread) in code.threads.enumerated() { out += process(number, thread) }
        return out + watcher
    }

    func process(_ number: Int, _ thread: CompiledThread) -> String {
        let at = name(layout.pc[number])
        var out = "\nactive proctype n\(thread.node + 1)_\(clean(thread.name))() {\nend:\tdo\n"
        for position in 1..<thread.count {
            let step = thread.first + position
            let instruction = code.instructions[step]
            if instruction.isSilent { continue }
            let place = code.places[step]
            out +=
                "\t/* \(place.procedures.first ?? ""): \(place.text.replacing("*/", with: "").replacing("/*", with: "")) */\n"
            switch instruction.operation {
            case .wait, .waitEvent:
                var earlier: [String] = []
                let list = (0..<Int(instruction.count)).map { code.alternatives[Int(instruction.subject) + $0] }
                for alternative in list where !alternative.isTimeout {
                    let condition = text(Int(alternative.condition))
                    let guards = ["\(at) == \(position)"] + earlier.map { "!(\($0))" } + [condition]
                    out += option(guards, chain(number, Int(alternative.target)))
                    earlier.append(condition)
                }
                if instruction.operation == .waitEvent {
                    out += option(["\(at) == \(position)"] + earlier.map { "!(\($0))" }, "\(at) = \(position + 1)")
                }
                for alternative in list where alternative.isTimeout {
                    out += option(
                        [
                            "timeout", "\(at) == \(position + (instruction.operation == .waitEvent ? 1 : 0))",
                            text(Int(alternative.condition)),
                        ],
                        chain(number, Int(alternative.target)))
                }
            case .asleep: continue
            case .lock:
                out += option(
                    ["\(at) == \(position)", "\(name(instruction.field)) == 0"], chain(number, position, isFirst: true))
            case .choose:
                for item in 0..<Int(instruction.count) {
                    out += option(
                        ["\(at) == \(position)"], chain(number, Int(code.targets[Int(instruction.subject) + item])))
                }
            default: out += option(["\(at) == \(position)"], chain(number, position, isFirst: true))
            }
        }
        return out + "\tod\n}\n"
    }

    /// SPIN does not want to see `timeout` in a d_step.
    func option(_ guards: [String], _ body: String) -> String {
        let block = guards.first == "timeout" ? "atomic" : "d_step"
        return "\t:: \(block) { (\(guards.joined(separator: " && "))) -> \(body) }\n"
    }

    /// What a thread does from an instruction on until it rests.
    func chain(_ thread: Int, _ position: Int, isFirst: Bool = false) -> String {
        let step = code.threads[thread].first + position
        let instruction = code.instructions[step]
        let at = name(layout.pc[thread])
        guard isFirst || instruction.isSilent else { return "\(at) = \(position)" }
        func then(_ text: String) -> String { "\(text); \(chain(thread, Int(instruction.next)))" }
        switch instruction.operation {
        case .jump: return chain(thread, Int(instruction.next))
        case .assign:
            let list = (0..<Int(instruction.count)).map { assignment(code.effects[Int(instruction.subject) + $0]) }
            let text = list.filter { !$0.isEmpty }.joined(separator: "; ")
            return text.isEmpty ? chain(thread, Int(instruction.next)) : then(text)
        case .branch:
            let (yes, no) = (chain(thread, Int(instruction.next)), chain(thread, Int(instruction.other)))
            return "if :: (\(text(Int(instruction.subject)))) -> \(yes) :: else -> \(no) fi"
        case .lock: return then("\(name(instruction.field)) = \(Machine.owner(of: thread, code.threads))")
        case .tryLock:
            let (mutex, result) = (name(instruction.field), name(instruction.result))
            return then(
                "if :: (\(mutex) == 0) -> \(mutex) = \(Machine.owner(of: thread, code.threads)); \(result) = 1 :: else -> \(result) = 0 fi"
            )
        case .unlock:
            return then("assert(\(name(instruction.field)) != 0); \(name(instruction.field)) = 0")
        case .wake: return then(wakeUp(Int(instruction.subject)))
        case .convert: return then(convert(instruction, node: code.threads[thread].node))
        case .cancel: return then(cancel(Int(instruction.subject), node: code.threads[thread].node))
        case .require: return then("assert(\(text(Int(instruction.subject))))")
        case .start: return then("\(name(layout.pc[Int(instruction.subject)])) = 1")
        case .end: return "\(at) = 0"
        case .choose:
            let branches = (0..<Int(instruction.count)).map {
                ":: \(chain(thread, Int(code.targets[Int(instruction.subject) + $0])))"
            }
            return "if \(branches.joined(separator: " ")) fi"
        case .wait, .waitEvent, .asleep: return "\(at) = \(position)"
        }
    }

    func assignment(_ effect: Effect) -> String {
        switch effect.kind {
        case .constant:
            if let whole = layout.locals.firstIndex(where: { contains($0, effect.target) }), effect.value == 0 {
                return locals[whole].filter { contains(effect.target, $0.key) }.map { "\($0.value) = 0" }.sorted()
                    .joined(separator: "; ")
            }
            return effect.target.bits == 0 ? "" : "\(name(effect.target)) = \(effect.value)"
        case .copy:
            let sum =
                effect.value == 0
                ? name(effect.source) : "(\(name(effect.source)) + \(effect.value)) % \(effect.modulus)"
            return "\(name(effect.target)) = \(sum)"
        case .condition: return "\(name(effect.target)) = (\(text(Int(effect.value))) -> 1 : 0)"
        }
    }

    func wakeUp(_ queue: Int) -> String {
        var options: [String] = []
        for (number, thread) in code.threads.enumerated() {
            let positions = (1..<thread.count).filter {
                let instruction = code.instructions[thread.first + $0]
                return instruction.operation == .asleep && instruction.subject == Int32(queue)
            }
            guard !positions.isEmpty else { continue }
            let at = name(layout.pc[number])
            let tests = positions.map { "\(at) == \($0)" }.joined(separator: " || ")
            options.append("if :: (\(tests)) -> \(at) = \(at) - 1 :: else -> skip fi")
        }
        return options.isEmpty ? "skip" : options.joined(separator: "; ")
    }

    // MARK: Conditions

    func text(_ condition: Int) -> String {
        let list = code.conditions[condition]
        let clauses = (0..<Int(list.count)).map { index -> String in
            let clause = code.clauses[Int(list.first) + index]
            let tests = (0..<Int(clause.count)).map { text(code.tests[Int(clause.first) + $0]) }
            return tests.isEmpty ? "true" : tests.joined(separator: " && ")
        }
        return clauses.isEmpty ? "false" : clauses.map { clauses.count > 1 ? "(\($0))" : $0 }.joined(separator: " || ")
    }

    func text(_ test: Test) -> String {
        switch test.kind {
        case .masked, .notMasked:
            // Several fields of a word may have been merged into one test.
            let known = names.merging(locals.reduce(into: [:]) { $0.merge($1) { first, _ in first } }) { first, _ in
                first
            }
            var parts: [String] = []
            var left = test.mask
            for (field, name) in known.sorted(by: { $0.value < $1.value })
            where field.bits > 0 && field.word == test.word
                && (field.mask << UInt64(field.shift)) & left == field.mask << UInt64(field.shift)
            {
                if test.field.bits > 0, test.mask == test.field.mask << UInt64(test.field.shift), field != test.field {
                    continue
                }
                parts.append("\(name) == \(test.value >> UInt64(field.shift) & field.mask)")
                left &= ~(field.mask << UInt64(field.shift))
            }
            let all = parts.isEmpty ? "true" : parts.joined(separator: " && ")
            return test.kind == .masked ? all : "!(\(all))"
        case .less: return "\(name(test.field)) < \(test.value)"
        case .notLess: return "\(name(test.field)) >= \(test.value)"
        case .fieldsEqual: return "\(name(test.field)) == \(name(test.other))"
        case .fieldsDiffer: return "\(name(test.field)) != \(name(test.other))"
        case .inSet, .notInSet:
            let values = code.sets[Int(test.value)].enumerated().filter(\.element).map {
                "\(name(test.field)) == \($0.offset)"
            }
            let any = values.isEmpty ? "false" : "(\(values.joined(separator: " || ")))"
            return test.kind == .inSet ? any : "!\(any)"
        case .never: return "false"
        }
    }

    /// Fails where nothing can happen and somebody is not at rest, and where a rule is broken.
    var watcher: String {
        var busy: [String] = []
        var rescued: [String] = []
        for (number, thread) in code.threads.enumerated() {
            let at = name(layout.pc[number])
            let rest = [0] + (1..<thread.count).filter { code.instructions[thread.first + $0].isIdle }
            busy.append("!(\(rest.map { "\(at) == \($0)" }.joined(separator: " || ")))")
            for position in 1..<thread.count {
                let instruction = code.instructions[thread.first + position]
                guard instruction.operation == .wait || instruction.operation == .waitEvent else { continue }
                for item in 0..<Int(instruction.count) {
                    let alternative = code.alternatives[Int(instruction.subject) + item]
                    guard alternative.isTimeout else { continue }
                    let where_ = instruction.operation == .waitEvent ? position + 1 : position
                    rescued.append("(\(at) == \(where_) && (\(text(Int(alternative.condition)))))")
                }
            }
        }
        let noRescue = rescued.isEmpty ? "" : " && !(\(rescued.joined(separator: " || ")))"
        var out = "\nactive proctype watcher() {\nend:\tdo\n"
        out += "\t:: atomic { (timeout && (\(busy.joined(separator: " || ")))\(noRescue)) -> assert(false) }\n"
        for (rule, condition) in machine.rules where rule.kind == .always {
            out += "\t/* \(rule.name) */\n\t:: d_step { (\(text(condition))) -> assert(false) }\n"
        }
        return out + "\tod\n}\n"
    }
}
