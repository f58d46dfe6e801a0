// SPDX-License-Identifier: GPL-2.0

/// Why a trace.dat cannot be read.
public enum TraceError: Error, Sendable, Equatable {
    case unreadable(path: String, reason: String)
    /// The file does not begin as a trace.dat does.
    case notTrace(path: String)
    /// A trace.dat, but not of the one kind that mdlab writes (version 6, little endian, 4 KiB pages).
    case unsupported(path: String, what: String)
    /// The file ends before the part that it promised.
    case truncated(path: String, part: String)
    case corrupt(path: String, part: String, reason: String)
    /// libtracecmd refused a file in which the checks found no fault.
    case undecodable(path: String)
}
