# Thin on purpose: meson.build knows how to build, scripts/ knows the rest.

FUZZ_SECONDS ?= 60

all:
	@scripts/install-deps.sh build
	@scripts/build.sh build -Dunit=disabled

run: all
	@examples/orders/demo.sh build

test:
	@scripts/install-deps.sh test
	@scripts/test.sh

tidy:
	@scripts/install-deps.sh test
	@tools/tidy.py

soak:
	@scripts/install-deps.sh build
	@scripts/test.sh soak

bench: all
	@for program in build/bench/bench_*; do [ ! -f $$program ] || $$program || exit 1; done

fuzz:
	@scripts/install-deps.sh test
	@scripts/fuzz.sh $(FUZZ_SECONDS)

clean:
	@rm -rf build

.PHONY: all run test tidy soak bench fuzz clean
