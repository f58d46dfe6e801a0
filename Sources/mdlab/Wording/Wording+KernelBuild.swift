// SPDX-License-Identifier: GPL-2.0
import KernelBuild

extension KernelBuildError: Worded {
    var exitCode: Int32 {
        switch self {
        case .patchConflicts, .compileFailed, .variantFailed, .variantChangesNothing, .vermagic, .toolFailed,
            .downloadFailed, .packageDamaged:
            Exit.untestable
        default: Exit.usage
        }
    }

    var line: String {
        "\(self)"
    }
}
