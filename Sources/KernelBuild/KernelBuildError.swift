// SPDX-License-Identifier: GPL-2.0
import KernelModule

/// What went wrong while a kernel or its modules were prepared: facts, put into words by the command line.
public enum KernelBuildError: Error, Equatable, Sendable {
    /// The program is not installed; `package` is the Debian package that has it.
    case missingTool(String, package: String)
    /// A program ended badly. `tail` is the end of what it said.
    case toolFailed(command: String, status: String, tail: String)
    /// The cache folder cannot be made or written.
    case cacheNotWritable(path: String, reason: String)
    /// The disk that holds the cache has no room left.
    case diskFull(path: String, freeBytes: Int)
    /// Kbuild cannot work in a folder whose path has a blank or a colon.
    case cachePathUnusable(String)
    /// apt knows no such package; `listsPresent` says whether apt has any package list at all.
    case packageUnknown(String, listsPresent: Bool)
    /// The downloaded file is not the one apt's list describes.
    case packageDamaged(String, reason: String)
    /// apt could not download the package.
    case downloadFailed(package: String, reason: String)
    /// The package lists of a suite cannot be fetched, and there are no older ones.
    case suiteUnreachable(String, reason: String)
    case unknownKernel(String, near: [String], known: [String])
    /// A data file of the project is not there or not what it should be.
    case projectFile(path: String, reason: String)
    /// `--linux TREE` is not a kernel that can be used; `reason` says what is missing.
    case kernelTree(path: String, KernelTreeFault)
    case unknownVariant(String, near: [String], known: [String])
    /// The semantic patch matched nothing in a file that it means to change.
    case variantChangesNothing(String, file: String, kernel: String)
    case variantFailed(String, reason: String)
    case unreadablePatch(path: String, PatchFault)
    /// Nothing was applied; the report says why, hunk by hunk.
    case patchConflicts(PatchReport)
    /// drivers/md of this kernel has no such file.
    case noSuchSource(String, kernel: String)
    /// The compiler or modpost refused the source. `errors` are their error lines.
    case compileFailed(errors: [String], log: String)
    /// The kernel's own Makefile does not say what md-mod is made of.
    case unknownModuleParts(path: String)
    /// The kernel would refuse the module: as when the headers and the image are not of one kernel.
    case wouldNotLoad(module: String, [LoadProblem])
}

/// Why a kernel tree given by the user cannot serve.
public enum KernelTreeFault: Equatable, Sendable {
    case notAKernelTree
    case notConfigured
    /// Lines that .config lacks.
    case missingOptions([String])
    case notBuilt(missing: String)
}
