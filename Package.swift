// swift-tools-version: 6.2
// SPDX-License-Identifier: GPL-2.0
import PackageDescription

/// CI sets MDLAB_WERROR=1: there a warning is an error, at a desk it is a warning.
let strict: [SwiftSetting] =
    [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]
    + (Context.environment["MDLAB_WERROR"] == "1" ? [.treatAllWarnings(as: .error)] : [])

/// What searches millions of states or lines: without optimisation its tests take ten times as long. Testable all the
/// same.
let searching: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]

/// A target says all that it imports, and ARCHITECTURE.md's table the same: `make lint` compares.
func room(_ name: String, _ dependencies: [Target.Dependency] = [], searches: Bool = false) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: searches ? searching : strict)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name)] + dependencies, swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

let package = Package(
    name: "mdlab",
    products: [
        .executable(name: "mdlab", targets: ["mdlab"]),
        .executable(name: "mdlab-agent", targets: ["mdlab-agent"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CElf", pkgConfig: "libdw", providers: [.apt(["libelf-dev", "libdw-dev"])]),
        .systemLibrary(name: "CKmod", pkgConfig: "libkmod", providers: [.apt(["libkmod-dev"])]),
        .systemLibrary(
            name: "CTraceCmd", pkgConfig: "libtracecmd", providers: [.apt(["libtracecmd-dev", "libtraceevent-dev"])]),
        .target(name: "CLinux"),

        room("ClusterProtocol"),
        room("NearNames"),
        room("ModelChecker", searches: true),
        room("ProcedureModel", ["ClusterProtocol", "ModelChecker"], searches: true),
        room("MDClusterModel", ["ClusterProtocol", "ModelChecker", "ProcedureModel"], searches: true),
        room("CSource"),
        room("ModelExtraction", ["CSource", "ProcedureModel", yams], searches: true),
        room("KernelModule", ["CElf", "CKmod", "NearNames"]),
        room("KernelBuild", ["ClusterProtocol", "KernelModule", "NearNames", subprocess]),
        room("PatchIntake", [subprocess]),
        room("LineCoverage", ["KernelBuild", "KernelModule", subprocess]),
        room("GuestImage", ["CElf"]),
        room("GuestProtocol"),
        .executableTarget(name: "mdlab-agent", dependencies: ["CLinux", "GuestProtocol"], swiftSettings: strict),
        room("RunRecord", ["ClusterProtocol"]),
        room("VirtualCluster", ["CLinux", "ClusterProtocol", "GuestProtocol", "KernelModule", "RunRecord"]),
        room("KernelTrace", ["CTraceCmd", "ClusterProtocol", "RunRecord"], searches: true),
        room("ProtocolTrace", ["ClusterProtocol", "KernelTrace", "RunRecord"]),
        room("Conformance", ["ClusterProtocol", "KernelTrace", "ProtocolTrace", "RunRecord"], searches: true),
        room(
            "Comparison",
            [
                "ClusterProtocol", "Conformance", "KernelTrace", "MDClusterModel", "ModelChecker", "ProcedureModel",
                "ProtocolTrace", "RunRecord",
            ], searches: true),
        room("Reporting", ["RunRecord"]),
        room("Validation", ["LineCoverage", "RunRecord"]),
        room(
            "Scenarios",
            [
                "ClusterProtocol", "Conformance", "KernelTrace", "NearNames", "ProtocolTrace", "RunRecord",
                "VirtualCluster", yams,
            ]),
        room(
            "Steering",
            [
                "ClusterProtocol", "Comparison", "Conformance", "KernelTrace", "MDClusterModel", "ModelChecker",
                "NearNames", "ProcedureModel", "RunRecord", "Scenarios", "VirtualCluster", yams,
            ]),
        // The page's templates, style and scripts are in the program: a report needs no folder of the project.
        .target(
            name: "HTMLReport",
            dependencies: [
                "ClusterProtocol", "Conformance", "KernelTrace", "ProtocolTrace", "RunRecord", "Validation", mustache,
            ],
            resources: [
                "page.mustache", "patch.mustache", "run.mustache", "hang.mustache", "validation.mustache", "page.css",
                "drawing.js", "page.js",
            ].map { .embedInCode("Page/\($0)") }, swiftSettings: strict),
        .executableTarget(
            name: "mdlab",
            dependencies: [
                "CLinux", "CSource", "ClusterProtocol", "Comparison", "Conformance", "GuestImage", "HTMLReport",
                "KernelBuild", "KernelModule",
                "KernelTrace", "LineCoverage", "MDClusterModel", "ModelChecker", "ModelExtraction",
                "NearNames", "PatchIntake", "ProcedureModel", "ProtocolTrace", "Reporting", "RunRecord", "Scenarios",
                "Steering", "Validation",
                "VirtualCluster", argumentParser,
            ], swiftSettings: strict),

        .executableTarget(
            name: "model-bench", dependencies: ["MDClusterModel", "ModelChecker", "ProcedureModel"],
            path: "Benchmarks/ModelBench", swiftSettings: strict),
        .executableTarget(
            name: "compare-bench", dependencies: ["ClusterProtocol", "Comparison", "KernelTrace", "ProtocolTrace"],
            path: "Benchmarks/CompareBench", swiftSettings: strict),

        // Recorded runs, for the tests of several targets.
        .target(
            name: "TestRecords", dependencies: ["ClusterProtocol", "KernelTrace", "ProtocolTrace", "RunRecord"],
            path: "Tests/TestRecords", swiftSettings: strict),
        tests(of: "ClusterProtocol"),
        tests(of: "NearNames"),
        tests(of: "ModelChecker"),
        tests(of: "ProcedureModel", ["ClusterProtocol", "ModelChecker"]),
        tests(of: "MDClusterModel", ["ModelChecker", "ProcedureModel"]),
        tests(of: "CSource"),
        tests(of: "ModelExtraction", ["CSource"]),
        tests(of: "KernelModule"),
        tests(of: "KernelBuild"),
        tests(of: "PatchIntake"),
        tests(of: "LineCoverage", ["KernelModule"]),
        tests(of: "GuestImage"),
        tests(of: "GuestProtocol"),
        tests(of: "RunRecord", ["ClusterProtocol"]),
        tests(of: "VirtualCluster", ["CLinux", "ClusterProtocol", "GuestProtocol", "KernelModule", "RunRecord"]),
        tests(of: "KernelTrace", ["ClusterProtocol", "RunRecord", "TestRecords"]),
        tests(of: "ProtocolTrace", ["ClusterProtocol", "KernelTrace", "RunRecord", "TestRecords"]),
        tests(of: "Conformance", ["ClusterProtocol", "KernelTrace", "ProtocolTrace", "RunRecord", "TestRecords"]),
        tests(
            of: "Comparison",
            [
                "ClusterProtocol", "KernelTrace", "MDClusterModel", "ModelChecker", "ProcedureModel", "ProtocolTrace",
                "RunRecord", "TestRecords",
            ]),
        tests(of: "Reporting", ["RunRecord"]),
        tests(
            of: "HTMLReport",
            ["ClusterProtocol", "KernelTrace", "ProtocolTrace", "RunRecord", "TestRecords", "Validation"]),
        tests(of: "Validation", ["LineCoverage", "RunRecord"]),
        tests(of: "Scenarios", ["ClusterProtocol", "KernelTrace", "ProtocolTrace", "RunRecord", "VirtualCluster"]),
        tests(
            of: "Steering",
            [
                "ClusterProtocol", "Comparison", "Conformance", "KernelTrace", "MDClusterModel", "ModelChecker",
                "ProcedureModel", "RunRecord", "Scenarios", "TestRecords", "VirtualCluster",
            ]),
        .testTarget(
            name: "CommandLineTests",
            dependencies: [
                "mdlab", "CSource", "ClusterProtocol", "Comparison", "GuestImage", "KernelBuild", "KernelTrace",
                "MDClusterModel", "ModelChecker", "ModelExtraction", "PatchIntake", "ProcedureModel", "ProtocolTrace",
                "Reporting", "RunRecord", "Scenarios", "Steering",
                "TestRecords", "Validation", "VirtualCluster", argumentParser,
            ], swiftSettings: strict),
    ]
)
