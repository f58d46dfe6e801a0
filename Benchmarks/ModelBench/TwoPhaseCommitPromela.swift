// SPDX-License-Identifier: GPL-2.0

/// Two-phase commit in Promela, step for step what `TwoPhaseCommit` is.
func twoPhaseCommitPromela(managers: Int) -> String {
    var text = "bit commit, abort;\nunsigned tm : 2;\n"
    for manager in 0..<managers { text += "unsigned rm\(manager) : 2;\nbit said\(manager), known\(manager);\n" }
    let all = (0..<managers).map { "known\($0)" }.joined(separator: " && ")
    text += "active proctype system() {\nend:\tdo\n"
    text += "\t:: d_step { (tm == 0 && \(all)) -> tm = 1; commit = 1 }\n"
    text += "\t:: d_step { (tm == 0) -> tm = 2; abort = 1 }\n"
    for manager in 0..<managers {
        text += "\t:: d_step { (tm == 0 && said\(manager)) -> known\(manager) = 1 }\n"
        text += "\t:: d_step { (rm\(manager) == 0) -> rm\(manager) = 1; said\(manager) = 1 }\n"
        text += "\t:: d_step { (rm\(manager) == 0) -> rm\(manager) = 3 }\n"
        text += "\t:: d_step { (commit) -> rm\(manager) = 2 }\n"
        text += "\t:: d_step { (abort) -> rm\(manager) = 3 }\n"
    }
    return text + "\tod\n}\n"
}
