// SPDX-License-Identifier: GPL-2.0
import Reporting
import Scenarios

extension ScenarioError: Worded {
    var exitCode: Int32 { Exit.usage }

    var line: String {
        switch self {
        case .file(let file, let line, let problem): "\(file):\(line): \(problem.text)"
        case .unreadable(let file, let reason): "\(file) cannot be read: \(reason)"
        case .unknownScenario(let name, let near):
            "there is no scenario \(name)" + meant(near, otherwise: "mdlab run --list shows all")
        case .unknownVariant(let name, let near, let known):
            "there is no variant \(name)"
                + meant(near, otherwise: known.isEmpty ? "kernel-tests/variants is empty" : "there are \(list(known))")
        case .noScenarios(let directory): "no scenario file (*.yaml) in \(directory); run mdlab from its source tree"
        case .nodes(let scenario, let asked, let possible):
            "\(scenario) does not run with \(asked) nodes; give --nodes \(list(possible.map(String.init), "or"))"
        case .record(let folder, let reason):
            "\(folder) is no record that can be judged: \(reason); give the folder of a run"
        }
    }
}

extension ScenarioError.Problem {
    var text: String {
        switch self {
        case .syntax(let text): "not YAML: \(text); the line or the one before it is where to look"
        case .tooLarge(let bytes, let limit): "\(bytes) bytes are more than a scenario may have (\(limit)); split it"
        case .longLine(let limit): "the line is longer than \(limit) bytes; break it"
        case .notText: "not UTF-8 text; save it as UTF-8"
        case .alias: "YAML's anchors and aliases are not used in scenarios; write it out, or quote the text"
        case .deep(let limit): "nested more than \(limit) deep; no scenario needs that, look for a missing bracket"
        case .notAMapping(let what): "\(what) is a mapping: write KEY: VALUE"
        case .notAList(let what): "\(what) is a list: begin each element with -"
        case .missing(let key, let what): "\(what) needs \(key): add it"
        case .unknownKey(let key, let what, let near): "\(what) has no \(key)" + meant(near, otherwise: "remove it")
        case .unknownNode(let name, let nodes): "there is no node \(name) here; use \(list(nodes, "or"))"
        case .badValue(let key, let value, let expected): "\(key): \(value) is not \(expected); change it"
        case .noAction(let actions): "one of \(list(actions, "or")) is missing; add it"
        case .twoActions(let actions): "\(list(actions)) are two things; write two, each for itself"
        case .unknownBackground(let name, let near):
            "nothing called \(name) was started in the background"
                + meant(near, otherwise: "add background: \(name) to a run before")
        case .emptyList(let key): "\(key) is an empty list; give it a value or remove it"
        }
    }
}

extension VerdictFile.Failure: Worded {
    var exitCode: Int32 { Exit.usage }

    var line: String {
        switch self {
        case .missing(let folder): "there is no verdict.json in \(folder); mdlab check judges a record"
        case .unreadable(let path, let reason): "\(path) cannot be read: \(reason); mdlab check writes it anew"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason); give another folder with --out"
        case .format(let path, let format, let known):
            "\(path) has format \(format) and this mdlab knows \(known); use a newer mdlab, or judge again with mdlab check"
        }
    }
}

/// "a, b or c"
private func list(_ names: [String], _ word: String = "and") -> String {
    guard let last = names.last, names.count > 1 else { return names.first ?? "" }
    return names.dropLast().joined(separator: ", ") + " \(word) " + last
}

/// "; did you mean a or b?", or what else to do.
private func meant(_ near: [String], otherwise: String) -> String {
    near.isEmpty ? "; " + otherwise : "; did you mean \(list(near, "or"))?"
}
