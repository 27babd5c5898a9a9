# The commands people and CI share.

# Random cases are the same in every run, so that a red run says something about the change; without the seed, `cargo test`
# looks for new ones.
export PROPTEST_RNG_SEED ?= 20261121

# The published Python clients that tests talk to the server with: one environment for each version.
SDKS := 1.4.0 1.0.0
SDK_ENVIRONMENTS := $(CURDIR)/target/python-sdk

.DEFAULT_GOAL := help
.PHONY: help run test check fmt lint unit sdks docs models soak bench tools python

help:
	@echo "make run     serve on the default ports, data in ./data"
	@echo "make test    everything that must hold: format, lints, all tests, documentation"
	@echo "make check   the quick part of it: format and lints"
	@echo "make models  the part of it that tests against models, up to ten thousand cases each"
	@echo "make soak    the part of it that takes its time: keys that expire by the thousand for a minute"
	@echo "make bench   measure; each figure is a ratio within one run"

run:
	cargo run --release --bin manifold -- serve --data-dir ./data

test: fmt lint unit models soak docs

check: fmt lint

fmt: tools
	cargo fmt --all --check

lint: tools
	cargo clippy --workspace --all-targets --locked -- -D warnings

# The request/response exchanges run as part of the tests. With the variable set, a missing client is a failure; without
# it, its tests are skipped.
unit: export MANIFOLD_PYTHON_SDKS := $(SDK_ENVIRONMENTS)
unit: sdks
	@if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --workspace --locked && cargo test --workspace --locked --doc; \
	else \
		cargo test --workspace --locked; \
	fi

sdks: $(SDKS:%=$(SDK_ENVIRONMENTS)/%/complete)

$(SDK_ENVIRONMENTS)/%/complete: crates/server/tests/sdk/requirements-%.txt | python
	rm -rf $(@D)
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --no-input --retries 5 -r $<
	touch $@

docs:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Ten thousand cases of the models instead of a few hundred (less where a case is a whole engine), and longer runs of what
# checks itself.
models:
	MANIFOLD_MODEL_CASES=10000 MANIFOLD_CHECKER_MESSAGES=200000 \
		cargo test --profile models --locked -p manifold-engine -- model checker

soak:
	MANIFOLD_SOAK_SECONDS=60 cargo test --locked -p manifold-server --test it -- soak

bench:
	cargo build --release --locked -p manifold-server -p manifold-bench
	target/release/manifold-bench

# What a fresh machine with Rust may lack.
tools:
	@cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
	@cargo clippy --version >/dev/null 2>&1 || rustup component add clippy

# Python 3.11 with environments of its own, which Debian packs apart.
python:
	@python3 -c 'import ensurepip, venv' 2>/dev/null || $(MAKE) --no-print-directory python-packages
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "the published clients need Python 3.11 or newer, this is $$(python3 --version)" >&2; exit 1; }

.PHONY: python-packages
python-packages:
	@command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] || { \
		echo "python3 with venv and pip is missing; on Debian: apt-get install python3-venv" >&2; exit 1; }
	apt-get update
	DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 python3-venv
