// SPDX-License-Identifier: GPL-2.0

/// Why a file is no patch that can be read.
public enum PatchFault: Equatable, Sendable {
    case unreadable
}

public struct PatchReport: Equatable, Sendable {
}
