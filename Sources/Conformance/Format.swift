// SPDX-License-Identifier: GPL-2.0
import Foundation

/// Nanoseconds of a trace clock as "12.345678".
func seconds(_ nanoseconds: UInt64) -> String { String(format: "%.6f", Double(nanoseconds) / 1e9) }

/// A length of time in nanoseconds as "1.23 ms".
func milliseconds(_ nanoseconds: UInt64) -> String { String(format: "%.2f ms", Double(nanoseconds) / 1e6) }

/// A length of time in seconds as "1.23 ms".
func milliseconds(_ seconds: Double) -> String { String(format: "%.2f ms", seconds * 1e3) }

/// "1 message", "2 messages".
func count(_ number: Int, _ singular: String, _ plural: String? = nil) -> String {
    "\(number) \(number == 1 ? singular : plural ?? singular + "s")"
}
