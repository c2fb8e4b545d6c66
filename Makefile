# Thin on purpose: meson.build knows how to build, scripts/ knows the rest.

FUZZ_SECONDS ?= 60
PREFIX ?= /usr/local

all:
	@scripts/install-deps.sh build
	@scripts/build.sh build -Dunit=disabled

run: all
	@examples/orders/demo.sh build

# ARGS=--quick, or any other of examples/storm/storm.py.
storm: all
	@examples/storm/storm.py build $(ARGS)

test:
	@scripts/install-deps.sh test
	@scripts/test.sh

tidy:
	@scripts/install-deps.sh test
	@tools/tidy.py

lint:
	@scripts/install-deps.sh lint
	@scripts/lint.sh

soak:
	@scripts/install-deps.sh build
	@scripts/test.sh soak

bench: all
	@for program in build/bench/bench_*; do [ ! -f $$program ] || $$program || exit 1; done
	@scripts/bench_peers.sh

fuzz:
	@scripts/install-deps.sh test
	@scripts/fuzz.sh $(FUZZ_SECONDS)

# The binary, the libraries, interlock.h, pkg-config files, man pages and completions of shells;
# DESTDIR goes before all of it. `uninstall` takes away what was installed last from this folder.
install: all
	@meson configure build -Dprefix="$(abspath $(PREFIX))"
	@scripts/build.sh build
	@meson install -C build --no-rebuild --quiet $(if $(DESTDIR),--destdir "$(abspath $(DESTDIR))")
	@echo "installed in $(if $(DESTDIR),$(abspath $(DESTDIR)))$(abspath $(PREFIX))"

uninstall:
	@ninja --quiet -C build uninstall >build/uninstall.log || (cat build/uninstall.log >&2; exit 1)

clean:
	@rm -rf build

.PHONY: all run storm test tidy lint soak bench fuzz install uninstall clean
