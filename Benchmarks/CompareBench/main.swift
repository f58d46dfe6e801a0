// SPDX-License-Identifier: GPL-2.0
import Foundation

// How fast recorded runs are compared with the model, and what the comparison notices.
//
//     compare-bench rate RECORD...          events a second, memory, growth with the length of the record
//     compare-bench decode RECORD...        decoding against trace-cmd report, on the same files
//     compare-bench mutations RECORD...     200 records changed in one place; --all prints each
//     compare-bench late RECORD...          records that leave the model near their end
//
// Ends with 1 if a bound is not kept.

let arguments = CommandLine.arguments.dropFirst().filter { $0 != "--all" }
guard let command = arguments.first, arguments.count > 1 else {
    print("usage: compare-bench rate|decode|mutations|late RECORD...; records are made by mdlab run")
    exit(2)
}
let records = arguments.dropFirst().map { URL(filePath: $0) }
var isGood = true
do {
    switch command {
    case "rate": isGood = try Rate.run(records)
    case "decode": isGood = try Decoding.run(records)
    case "compare": for url in records { try Rate.one(url) }
    case "one": for url in records { try Decoding.one(url) }
    case "mutations": isGood = try Mutations.run(records)
    case "late": isGood = try Late.run(records)
    case "late-one": try Late.one(records[0], arguments.last ?? "")
    default:
        print("compare-bench has no \(command): give rate, decode, mutations or late")
        exit(2)
    }
} catch {
    print("\(error)")
    exit(2)
}
exit(isGood ? 0 : 1)
