# SPDX-License-Identifier: GPL-2.0
# What there is to do with mdlab. MDLAB_WERROR=1 makes warnings errors.

SWIFT ?= swift
MDLAB := .build/release/mdlab
AGENT := .build-agent/release/mdlab-agent

.DELETE_ON_ERROR:
.PHONY: all bootstrap build test vm-test vm-test-steered vm-test-instrumented compare-matrix fault-records soak bench man lint clean

all: build

bootstrap:
	@scripts/bootstrap

# The command, and the program that is PID 1 of a node: static, so that a node needs no Swift libraries.
build:
	$(SWIFT) build -c release --product mdlab
	$(SWIFT) build -c release --product mdlab-agent --static-swift-stdlib -Xswiftc -static-executable -Xlinker -s \
		--scratch-path .build-agent
	@{ git rev-parse HEAD && git diff --quiet HEAD || echo +; } 2>/dev/null | tr -d '\n' > $(MDLAB).commit || true

# A page for man(1) for each command, and completions for bash, zsh and fish, in .build/man and .build/completions.
man: build
	$(SWIFT) package --allow-writing-to-package-directory generate-manual --multi-page
	rm -rf .build/man && mkdir -p .build/man/man1 .build/completions
	cp .build/plugins/GenerateManual/outputs/mdlab/*.1 .build/man/man1
	for shell in bash zsh fish; do $(MDLAB) --generate-completion-script $$shell >.build/completions/mdlab.$$shell || exit 1; done
	@echo 'man -M .build/man mdlab; . .build/completions/mdlab.bash'

# Unit tests and recorded runs; no virtual machine is started.
test: bootstrap
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error
	$(SWIFT) test --skip-build

# Real kernels in a cluster of virtual machines.
vm-test: bootstrap build
	$(MDLAB) run
	$(MDLAB) run --kernel 6.12
	$(MDLAB) run --stock smoke
	scripts/validation-figures --model

# The same scenarios with modules whose threads could be held, and nobody held: the verdicts must be the same.
vm-test-instrumented: bootstrap build
	$(MDLAB) run --instrument

# Kernel variants against model variants: makes the records, then compares each with every variant of the model.
compare-matrix: bootstrap build
	scripts/compare-matrix

# Runs that were broken off at random moments, and whether all commands say the same of their records. Some half an hour.
fault-records: bootstrap build
	scripts/fault-records make runs/faults
	scripts/fault-records judge runs/faults

# Real kernels driven into the deadlocks that the model predicts, and through the same schedules without the fault.
vm-test-steered: bootstrap build
	scripts/steered

# Many runs, two at a time, and killed at random moments. Takes some ten minutes.
soak: bootstrap build
	scripts/soak

# How fast a cluster comes up, and the model checker against SPIN: see Benchmarks/README.md.
bench: bootstrap build
	$(MDLAB) bench
	$(SWIFT) run -c release model-bench
	$(SWIFT) build -c release --product compare-bench
	scripts/compare-bench

lint: bootstrap
	$(SWIFT) format lint --strict --recursive Package.swift Sources Tests Benchmarks
	scripts/lint

clean:
	rm -rf .build .build-agent
