# Thin on purpose: meson knows how to build, scripts/ knows how to run.

build/interlock: FORCE
	@scripts/install-deps.sh build
	@scripts/build.sh build

FORCE:
.PHONY: FORCE
