// SPDX-License-Identifier: GPL-2.0

/// What a build is doing now. A terminal and the tests are both receivers.
public enum BuildProgress: Sendable, Equatable {
    /// Another mdlab is at work on the same cache entry.
    case waitingForLock(String)
    case downloading(package: String, bytes: Int)
    case unpacking(String)
    case applyingPatch(String)
    case applyingVariant(String)
    /// One line of kbuild: the file it compiles or links.
    case compiling(String)
    case finished(String)
    /// The modules were there already.
    case upToDate(String)
}

public typealias BuildProgressHandler = @Sendable (BuildProgress) -> Void
