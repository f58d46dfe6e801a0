// SPDX-License-Identifier: GPL-2.0
import ClusterProtocol
import Foundation
import GuestImage
import KernelBuild
import KernelModule
import RunRecord
import VirtualCluster

/// Puts the rooms together: from a build request to a running cluster.
///
///     let laboratory = try Laboratory(progress: ProgressLine().handler)
///     let bench = try await laboratory.prepare(request, nodes: 2)
///     let recorder = try laboratory.record(bench, scenario: "smoke", cold: false, in: layout) { ... }
///     let cluster = try await laboratory.start(bench, cold: false, recorder: recorder)
struct Laboratory {
    /// Everything that a cluster for one request is made of, built and in place.
    struct Bench {
        var request: BuildRequest
        var modules: BuiltModules
        var configuration: ClusterConfiguration
        /// The kernel's detectors that were off, with the reason.
        var detectorsOff: [String: String]
        /// Why the nodes are emulated, if they are.
        var emulation: String?
        /// The machine and the packages.
        var facts: HostFacts

        /// run.json of a run that is about to start.
        func description(scenario: String, cold: Bool) -> RunDescription {
            var description = RunDescription(
                toolVersion: MDLab.version, scenario: scenario, started: Date(), nodes: configuration.nodes,
                kernelRelease: configuration.kernelRelease, start: cold ? .cold : .warm,
                accelerator: configuration.accelerator.rawValue)
            description.detectorsOff = detectorsOff
            description.toolCommit = BuiltCommit.text
            (description.host, description.packages) = (facts.host, facts.packages)
            description.variant = request.variant
            description.patches = request.patches
            description.modules = configuration.modules.map {
                .init(name: $0.name, buildID: $0.buildID, stock: $0.stock)
            }
            return description
        }
    }

    let builder: KernelBuilder

    init(progress: @escaping BuildProgressHandler) throws {
        builder = try KernelBuilder(cache: .standard(), progress: progress)
    }

    // MARK: - What a cluster is made of

    /// Builds what is missing.
    ///
    /// - Parameter stock: takes the distribution's own modules and builds none; `request` must not change the source
    ///   then.
    func prepare(_ request: BuildRequest, nodes: Int, stock: Bool = false) async throws -> Bench {
        let kernel = try await builder.prepare(request.kernel)
        let built =
            stock
            ? try await builder.stockModules(Self.modulesOfMD, of: kernel) : try await builder.build(request)
        let boot = try await image(for: kernel, nodes: nodes)
        var configuration = ClusterConfiguration(
            kernel: kernel.vmlinuz, kernelRelease: kernel.release,
            kernelSymbols: URL(filePath: "\(builder.cache.path)/kallsyms/\(kernel.identity)"),
            initramfs: boot.initramfs,
            modules: try Self.modulesUnderTest.compactMap { name in
                try built.modules[name].map {
                    .init(name: name, path: $0, stock: stock, buildID: try KernelModuleFile(path: $0).buildID ?? "")
                }
            })
        configuration.nodes = nodes
        configuration.bootModules = boot.modules
        configuration.layout = try built.debug["md-cluster"].map(Self.layout)
        let probe = AcceleratorProbe(cache: URL(filePath: builder.cache.path + "/accelerator"))
        let answer = try await probe.answer(for: configuration)
        configuration.accelerator = answer.accelerator
        var bench = Bench(
            request: request, modules: built, configuration: configuration,
            detectorsOff: Detectors.off(config: (try? String(contentsOfFile: kernel.config, encoding: .utf8)) ?? ""),
            facts: await HostFacts.gather(
                qemu: configuration.qemu,
                guests: PackageCache.names(
                    inList: try String(contentsOfFile: builder.files.guestPackages, encoding: .utf8)),
                packages: builder.packages))
        bench.facts.packages["kernel"] = kernel.identity
        bench.facts.host["compiler"] = built.otherCompiler
        if stock { try bench.detectorsOff.merge(unseenInStock(built)) { first, _ in first } }
        if case .tcg(let reason) = answer { bench.emulation = reason }
        return bench
    }

    /// In load order: each needs only what stands before it, and dlm, which is in the image.
    private static let modulesOfMD = ["md-mod", "raid1", "raid10", "md-cluster"]
    /// The first two are in instrumented builds and in those with coverage only.
    private static let modulesUnderTest = [GateModule.name, "mdlab_coverage"] + modulesOfMD

    private func image(for kernel: KernelArtifacts, nodes: Int) async throws -> (
        initramfs: String, modules: [String: String]
    ) {
        let packages = PackageCache.names(
            inList: try String(contentsOfFile: builder.files.guestPackages, encoding: .utf8))
        let root = try await builder.packages.sysroot(packages: packages)
        let list = try GuestFileList(
            parsing: String(contentsOfFile: builder.files.root + "/vm/guest.files", encoding: .utf8),
            file: "vm/guest.files")
        let paths = try ModuleOrder.order(modules: list.modules, directory: kernel.modulesTree)
        let modules = try paths.map { path in
            let name = URL(filePath: path).lastPathComponent.split(separator: ".")[0].replacingOccurrences(
                of: "_", with: "-")
            return (name: name, path: path, content: try ModuleBytes.read(path))
        }
        let image = try NodeImage(
            agent: builder.files.root + "/.build-agent/release/mdlab-agent", list: list, root: root,
            bootModules: modules.map { ($0.name, $0.content) }, nodes: nodes
        ).build()
        let bytes = Data(image)
        let name = String(try await Checksum.of(bytes: bytes).prefix(20))
        let initramfs = try await builder.cache.entry("images", name) { draft in
            try bytes.write(to: URL(filePath: draft))
        }
        builder.cache.touch(initramfs)
        return (initramfs, Dictionary(modules.map { ($0.name, $0.path) }) { first, _ in first })
    }

    private static func layout(debugInfo: String) throws -> KernelLayout {
        let layouts = try StructLayouts(path: debugInfo)
        var offsets: [String: UInt64] = [:]
        for name in KernelLayout.needed {
            let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
            offsets[name] = UInt64(try layouts.offset(of: parts[1], in: parts[0]))
        }
        return KernelLayout(offsets: offsets)
    }

    // MARK: - Starting it

    /// Begins a record: run.json with all that is known beforehand, the log rules that are in force, and what was
    /// built.
    func record(
        _ bench: Bench, scenario: String, cold: Bool, in layout: RunLayout,
        progress: @escaping @Sendable (RunEvent) -> Void
    ) throws -> RunRecorder {
        let recorder = try RunRecorder(
            layout: layout, description: bench.description(scenario: scenario, cold: cold), progress: progress)
        let files = FileManager.default
        try? files.copyItem(at: URL(filePath: builder.files.root + "/kernel-tests/rules"), to: layout.rules)
        try? files.copyItem(at: URL(filePath: bench.modules.directory + "/changes.diff"), to: layout.changes)
        return recorder
    }

    /// Ends a run: completes the record, ends the nodes, and says what lines ran if the modules counted them.
    func finish(_ cluster: QEMUCluster, of bench: Bench, _ ending: RunDescription.Ending) async {
        await cluster.finish(ending)
        await CoverageFile.write(bench.modules, nodes: cluster.guests.map(\.id), to: cluster.recorder.layout)
    }

    /// How many saved clusters the cache keeps: a quarter of a GB each. Two kernels with 2, 3 and 4 nodes fit.
    private static let savedClusters = 8

    /// A running cluster: from a saved one, which is made when there is none yet, or booted if `cold`. A booted one may
    /// have its md modules loaded already; a restored one never has.
    func start(_ bench: Bench, cold: Bool, loadingModules: Bool = true, recorder: RunRecorder) async throws
        -> QEMUCluster
    {
        if let reason = bench.emulation { recorder.note(.note, "the nodes are emulated: \(reason)") }
        if cold {
            return try await QEMUCluster.boot(
                bench.configuration, recorder: recorder, loadingModules: loadingModules)
        }
        let saved = URL(filePath: try await savedCluster(for: bench, recorder: recorder))
        do {
            return try await QEMUCluster.restore(bench.configuration, from: saved, recorder: recorder)
        } catch let failure where !(failure is CancellationError) && failure as? ClusterFailure != .interrupted {
            // Whatever is wrong with it (a QEMU that was upgraded in place, a damaged file): a boot always works.
            recorder.note(.note, "the saved cluster could not be restored (\(failure)); booting instead")
            try? FileManager.default.removeItem(at: saved)
            return try await QEMUCluster.boot(
                bench.configuration, recorder: recorder, loadingModules: loadingModules)
        }
    }

    private func savedCluster(for bench: Bench, recorder: RunRecorder) async throws -> String {
        let configuration = bench.configuration
        let key = try await Checksum.of(
            text: [
                // No path of this machine: a cache may be moved. The image's name is that of its content.
                bench.facts.packages["kernel"] ?? configuration.kernel, configuration.kernelRelease,
                URL(filePath: configuration.initramfs).lastPathComponent,
                configuration.accelerator.rawValue,
                AcceleratorProbe.key(qemu: configuration.qemu).split(separator: "-").suffix(2).joined(separator: "-"),
                "form 3: \(configuration.nodes) \(configuration.memory) \(configuration.disks) \(configuration.diskSize)",
            ].joined(separator: "\n"))
        let place = try await builder.cache.entry("clusters", String(key.prefix(20))) { draft in
            recorder.note(.note, "booting a cluster to save: the next run starts from it")
            let layout = RunLayout(root: URL(filePath: draft + "/record"))
            var description = bench.description(scenario: "boot", cold: true)
            description.variant = nil
            let boot = try RunRecorder(layout: layout, description: description) { event in
                recorder.note(event.kind, node: event.node.flatMap { .init(name: $0) }, event.text, event.facts)
            }
            let cluster = try await QEMUCluster.boot(configuration, recorder: boot, loadingModules: false)
            do {
                try await cluster.save(to: URL(filePath: draft))
            } catch {
                await cluster.stop()
                throw error
            }
            await cluster.stop()
        }
        builder.cache.touch(place)
        builder.cache.prune("clusters", keeping: Self.savedClusters)
        builder.cache.prune("images", keeping: Self.savedClusters)
        return place
    }
}

/// The commit that this program was built from: `make build` writes it beside the program.
enum BuiltCommit {
    /// nil when nobody wrote it, or the program is newer than what was written.
    static var text: String? {
        guard let program = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") else {
            return nil
        }
        let file = program + ".commit"
        func time(_ path: String) -> Date? {
            (try? FileManager.default.attributesOfItem(atPath: path))?[.modificationDate] as? Date
        }
        guard let written = time(file), let built = time(program), written >= built,
            let text = try? String(contentsOfFile: file, encoding: .utf8)
        else { return nil }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
