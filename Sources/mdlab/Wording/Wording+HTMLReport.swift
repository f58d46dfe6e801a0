// SPDX-License-Identifier: GPL-2.0
import HTMLReport

extension HTMLPage.Failure: Worded {
    var exitCode: Int32 { Exit.usage }

    var line: String {
        switch self {
        case .template(let path, let reason):
            "\(path) cannot be used (\(reason)): run mdlab in its source tree, or set MDLAB_ROOT to it."
        }
    }
}
