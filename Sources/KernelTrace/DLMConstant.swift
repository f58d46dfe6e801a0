// SPDX-License-Identifier: GPL-2.0

/// Values of include/uapi/linux/dlmconstants.h and the errors that DLM puts into `sb_status`.
package enum DLMConstant {
    package static let noQueue: UInt32 = 0x1
    package static let cancel: UInt32 = 0x2
    package static let convert: UInt32 = 0x4
    package static let again: Int32 = -11
    package static let cancelled: Int32 = -0x10001
    package static let unlocked: Int32 = -0x10002
}
