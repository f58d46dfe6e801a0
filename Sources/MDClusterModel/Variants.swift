// SPDX-License-Identifier: GPL-2.0
import ProcedureModel

/// A version of md-cluster: the reference model with some procedures changed.
public struct Variant: Sendable {
    public var name: String
    /// What it changes, and what is known of it.
    public var summary: String
    let apply: @Sendable (inout Program) -> Void
}

public enum Variants {
    public static let all: [Variant] = [
        Variant(name: "v5.11", summary: "what Linux 6.1 has") { _ in },
    ]
}
