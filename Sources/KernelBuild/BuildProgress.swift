// SPDX-License-Identifier: GPL-2.0

/// What a build is doing now. A terminal and the tests are both receivers.
public enum BuildProgress: Sendable, Equatable {
    /// Another mdlab is at work on the same cache entry.
    case waitingForLock(String)
    case downloading(package: String, bytes: Int)
    case unpacking(String)
    /// The package lists of a suite are fetched.
    case updatingLists(suite: String)
    /// New lists of a suite could not be fetched; the old ones are used.
    case oldLists(suite: String, reason: String)
    /// Another compiler than the kernel's own compiles the modules.
    case otherCompiler(used: String, kernels: String)
    case applyingPatch(String)
    case applyingVariant(String)
    /// One line of kbuild: the file it compiles or links.
    case compiling(String)
    case finished(String)
    /// The modules were there already.
    case upToDate(String)
}

public typealias BuildProgressHandler = @Sendable (BuildProgress) -> Void
