# The commands people and CI share.

# Random cases are the same in every run, so that a red run says something about the change; without the seed, `cargo test`
# looks for new ones.
export PROPTEST_RNG_SEED ?= 20261121

# The published Python clients that tests talk to the server with: one environment for each version.
SDKS := 1.4.0 1.0.0
SDK_ENVIRONMENTS := $(CURDIR)/target/python-sdk

TESTS_AT_A_TIME = $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))

.DEFAULT_GOAL := help
.PHONY: help run test check fmt lint unit sdks docs reference models soak soak-hour fuzz fuzz-check bench bench-report deny tools packages

help:
	@echo "make run       serve on the default ports, data in ./data"
	@echo "make test      everything that must hold: format, lints, all tests, documentation"
	@echo "make check     the quick part of it: format and lints"
	@echo "make models    the tests against models with up to ten thousand cases each, ten times what make test tries"
	@echo "make reference write docs/configuration.md from the code"
	@echo "make soak      the part of it that takes its time: keys that expire by the thousand for a minute"
	@echo "make fuzz      every fuzz target for MINUTES=10 each, or those in TARGETS"
	@echo "make soak-hour an hour of mixed load over all dialects with three kills"
	@echo "make deny      licences, sources and known advisories of all crates"
	@echo "make packages  install what tests talk to: databases, a browser, Python (Debian, as root)"
	@echo "make bench     measure; each figure is a ratio within one run"
	@echo "make bench-report measure and write docs/benchmarks.md, in about a quarter of an hour"

run:
	cargo run --release --bin manifold -- serve --data-dir ./data

# Packages and clients are fetched while the lints compile.
test: fmt
	@$(call beside,sdks packages,lint)
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory docs

# Runs one make in the background of another, and fails when either does.
beside = nice $(MAKE) --no-print-directory $(1) & other=$$!; \
	$(MAKE) --no-print-directory $(2); status=$$?; wait $$other && exit $$status

check: fmt lint

fmt: tools
	cargo fmt --all --check

lint: tools
	cargo clippy --workspace --all-targets --locked -- -D warnings

# The request/response exchanges run as part of the tests. With these variables set, a missing client, server or browser is
# a failure; without them, its tests are skipped. Most tests that take long wait, so more of them run at a time than there
# are processors.
unit: export MANIFOLD_PYTHON_SDKS := $(SDK_ENVIRONMENTS)
unit: export MANIFOLD_DATABASES := required
unit: export MANIFOLD_BROWSER := required
unit: export MANIFOLD_SOAK_SECONDS ?= 60
unit: export MANIFOLD_MODEL_CASES ?= 1000
unit: export NEXTEST_TEST_THREADS ?= $(TESTS_AT_A_TIME)
unit: export RUST_TEST_THREADS ?= $(TESTS_AT_A_TIME)
unit: sdks packages
	@if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --workspace --locked --no-fail-fast && cargo test --workspace --locked --doc; \
	else \
		cargo test --workspace --locked; \
	fi

sdks: $(SDKS:%=$(SDK_ENVIRONMENTS)/%/complete)

$(SDK_ENVIRONMENTS)/%/complete: crates/server/tests/sdk/requirements-%.txt | packages
	rm -rf $(@D)
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --retries 5 --only-binary :all: -r $<
	touch $@

# Writes docs/configuration.md, which is made from the code; a test says when that is needed.
reference:
	MANIFOLD_WRITE_REFERENCE=1 cargo test --locked -p manifold-server --test it -- reference::the_reference

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Ten thousand cases of the models (less where a case is a whole engine), and longer runs of what checks itself. Not a part
# of `test`: the optimised compile alone takes longer than a thousand cases do without it.
models:
	MANIFOLD_MODEL_CASES=10000 MANIFOLD_CHECKER_MESSAGES=200000 \
		cargo test --profile models --locked -p manifold-engine -- model checker

soak:
	MANIFOLD_SOAK_SECONDS=60 cargo test --locked -p manifold-server --test it -- soak

# fuzz/README.md says what the targets are. What they keep is replayed by the unit tests, so these need not run in CI.
fuzz: fuzz-check
	nice fuzz/run $(or $(MINUTES),10) $(TARGETS)

# A workspace of its own with a build of its own, which takes minutes.
fuzz-check:
	cd fuzz && cargo build --locked

# Load on a release build; how long, how hard: `target/release/manifold-bench soak --help`.
soak-hour:
	cargo build --release --locked -p manifold-server -p manifold-bench
	target/release/manifold-bench soak --minutes 60

# The database of advisories comes from the network.
deny:
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked cargo-deny
	cargo deny check

bench:
	cargo build --release --locked -p manifold-server -p manifold-bench
	target/release/manifold-bench

# Beside Redis and Webdis, if they are there or can be installed; the document says what was not.
bench-report:
	@missing=; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v webdis >/dev/null || missing="$$missing webdis"; \
	[ -z "$$missing" ] || $(MAKE) --no-print-directory debian-packages PACKAGES="$$missing" || \
		echo "measuring without$$missing" >&2
	cargo build --release --locked -p manifold-server -p manifold-bench
	target/release/manifold-bench report --output docs/benchmarks.md

# What a fresh machine with Rust may lack.
tools:
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy

# What tests talk to and talk to the server with: databases, a browser, Python 3.11 with environments of its own. Of
# MariaDB only the programs: its whole package would set up a server of its own.
packages:
	@missing=; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	PATH="$$PATH:/usr/sbin" command -v mariadbd >/dev/null || missing="$$missing mariadb-server-core mariadb-client-core"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	python3 -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3 python3-venv"; \
	[ -z "$$missing" ] || $(MAKE) --no-print-directory debian-packages PACKAGES="$$missing"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "the published clients need Python 3.11 or newer, this is $$(python3 --version)" >&2; exit 1; }

# Services of the packages are not started while they are installed: tests start servers of their own.
.PHONY: debian-packages
debian-packages: policy := /usr/sbin/policy-rc.d
debian-packages:
	@command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { \
		echo "missing for the tests:$(PACKAGES); on Debian: apt-get install --no-install-recommends$(PACKAGES)" >&2; exit 1; }
	@[ -e $(policy) ] || { printf '#!/bin/sh\nexit 101\n' >$(policy); chmod 755 $(policy); trap 'rm -f $(policy)' EXIT; }; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update && apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends $(PACKAGES)
