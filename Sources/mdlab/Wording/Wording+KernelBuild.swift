// SPDX-License-Identifier: GPL-2.0
import Foundation
import KernelBuild

extension KernelBuildError: Worded {
    var exitCode: Int32 {
        switch self {
        case .toolFailed, .packageDamaged, .downloadFailed, .suiteUnreachable, .variantChangesNothing, .variantFailed,
            .patchConflicts,
            .compileFailed, .unknownModuleParts, .wouldNotLoad:
            Exit.untestable
        case .missingTool, .cacheNotWritable, .diskFull, .cachePathUnusable, .packageUnknown, .unknownKernel,
            .projectFile, .kernelTree, .noSuchSource, .unknownVariant, .unreadablePatch:
            Exit.usage
        }
    }

    var line: String {
        switch self {
        case .missingTool(let name, let package):
            "\(name) is not installed: run scripts/bootstrap, or apt-get install \(package)."
        case .toolFailed(let command, let status, let tail):
            "\(command) ended with \(status): \(Self.oneLine(tail))"
        case .cacheNotWritable(let path, let reason):
            "the cache \(path) cannot be written (\(reason)): make it writable, or set MDLAB_CACHE to another folder."
        case .diskFull(let path, let free):
            "the disk of the cache \(path) has too little room (\(free / 1_000_000) MB free): make 3 GB of room, "
                + "or set MDLAB_CACHE to a folder on another disk."
        case .cachePathUnusable(let path):
            "kbuild cannot work in \(path), whose name has a blank or a colon: set MDLAB_CACHE to another folder."
        case .packageUnknown(let name, let lists):
            lists
                ? "apt knows no package \(name): run apt-get update as root; mdlab is made for Debian 12."
                : "apt has no package lists, so \(name) cannot be found: run apt-get update as root."
        case .packageDamaged(let name, let reason):
            "the package \(name) is not what apt's list describes (\(reason)): run apt-get update as root, then again."
        case .downloadFailed(let package, let reason):
            "\(package) could not be downloaded (\(Self.oneLine(reason))): check the network, "
                + "run apt-get update as root, then again."
        case .suiteUnreachable(let suite, let reason):
            "the lists of \(suite) could not be fetched (\(Self.oneLine(reason))): check the network and "
                + "the clock; kernels of other suites can be used without it."
        case .unknownKernel(let name, let near, let known):
            "there is no kernel \(name.prefix(60))" + Self.choice(near, known)
        case .projectFile(let path, let reason):
            "\(path): \(Self.oneLine(reason)); set MDLAB_ROOT to the folder of mdlab's sources."
        case .kernelTree(let path, let fault):
            "\(path): " + Self.words(fault)
        case .unknownVariant(let name, let near, let known):
            "there is no variant \(name.prefix(60))" + Self.choice(near, known)
        case .variantChangesNothing(let name, let file, let kernel):
            "variant \(name) finds nothing to change in \(file) of kernel \(kernel): choose another kernel."
        case .variantFailed(let name, let reason):
            "variant \(name) cannot be applied (\(Self.oneLine(reason))): mend kernel-tests/variants/\(name).cocci."
        case .unreadablePatch(let path, let fault):
            "\(path): " + Self.words(fault)
        case .patchConflicts(let report):
            "\(report.patch) does not apply: \(report.conflicts) of \(report.hunks.count) hunks conflict, "
                + "nothing was changed; rebase it on this kernel, or choose the kernel it is made for."
        case .compileFailed(let errors, let log):
            "the modules do not compile (\(Self.oneLine(errors.first ?? String(log.suffix(300))))): mend the patch."
        case .noSuchSource(let file, let kernel):
            "drivers/md of \(kernel) has no \(file): choose another kernel."
        case .unknownModuleParts(let path):
            "\(path) does not say what md-mod is made of: this kernel's md is laid out in a way mdlab does not know."
        case .wouldNotLoad(let module, let problems):
            "the kernel would not load \(module): \(problems.first?.line ?? "")"
                + (problems.count > 1 ? " (and \(problems.count - 1) more)" : "")
                + "; mend the patch, or remove the cache's kernels folder if the headers are of another kernel."
        }
    }

    private static func words(_ fault: KernelTreeFault) -> String {
        switch fault {
        case .notAKernelTree: "this is no kernel tree: give the folder that has Kbuild, drivers and .config."
        case .notConfigured: "the kernel has no configuration: run make defconfig there and build it."
        case .missingOptions(let lines):
            "the kernel's configuration lacks \(lines.joined(separator: " ")): set that and build it again."
        case .notBuilt(let missing): "the kernel is not built, it has no \(missing): run make there first."
        }
    }

    private static func words(_ fault: PatchFault) -> String {
        switch fault {
        case .unreadable(let reason): "\(reason): give the path of a patch."
        case .tooLarge: "this is larger than any patch: give the patch alone."
        case .noDiff: "there is no diff in this file: give the output of git format-patch, git diff or diff -u."
        case .binary: "this is binary, or has a binary diff: only text can be patched."
        case .encodedMail(let encoding):
            "the mail is encoded (\(encoding)): save it as plain text, for example with b4 am or git mailinfo."
        case .renames(let line): "it renames or copies files (\(oneLine(line))): make it with git diff --no-renames."
        case .damagedHunk(let line, let header):
            "line \(line): the lines after \(oneLine(header)) are not as many as it says; get the patch undamaged."
        case .foreign(let files):
            "it changes files outside drivers/md, which mdlab does not build (\(files.prefix(3).joined(separator: ", "))"
                + (files.count > 3 ? " and \(files.count - 3) more" : "")
                + "): build a kernel with the patch and give it with --linux."
        }
    }

    private static func choice(_ near: [String], _ known: [String]) -> String {
        near.isEmpty
            ? "; choose one of: \(known.joined(separator: ", "))."
            : "; did you mean \(near.joined(separator: " or "))?"
    }

    private static func oneLine(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ").trimmingCharacters(in: .whitespaces)
    }
}
