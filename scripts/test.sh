#!/bin/bash
# test.sh [soak] - everything `make test` promises, ending in one line: N passed, N failed.
#
# Unit tests run under AddressSanitizer and UBSan, once built by gcc and once by clang, with
# warnings as errors. Tests of the suite "threads" run once more under ThreadSanitizer.
# The long ones, and the checks of the source itself, run once, on the build that users get.
# With `soak` just the tests that take many minutes.
set -u
cd "$(dirname "$0")/.."

# shellcheck disable=SC2086 # $strict is several words
strict="-Dwerror=true -Dunit=enabled -Doptimization=1 -Db_lundef=false"
broken=0
tested=()

# build FOLDER [meson option]...
build() {
    echo "build  $1"
    scripts/build.sh "$@" && return
    echo "FAILED to build $1"
    broken=$((broken + 1))
    return 1
}

# run FOLDER SUITE... - a line per program; count_tests.py shows the log of what failed.
run() {
    local folder=$1 suites
    shift
    suites=("${@/#/--suite=}")
    echo "test   $folder: $*"
    rm -f "$folder/meson-logs/testlog.json"
    meson test -C "$folder" --timeout-multiplier 3 "${suites[@]}" >"$folder/test.log" 2>&1
    if [ -f "$folder/meson-logs/testlog.json" ]; then
        grep -E '^ *[0-9]+/[0-9]+ ' "$folder/test.log"
    else
        cat "$folder/test.log"
    fi
    tested+=("$folder")
}

test_all() {
    local compiler
    for compiler in gcc clang; do
        CC=$compiler build build/test-$compiler $strict -Db_sanitize=address,undefined \
            -Dc_args=-fno-sanitize-recover=all && run build/test-$compiler unit
    done
    CC=clang TARGETS=build.ninja build build/test-tsan $strict -Db_sanitize=thread &&
        run build/test-tsan threads # compiles just what these tests need
    build build -Dunit=disabled && run build tools long
}

case ${1:-all} in
all) test_all ;;
soak) build build -Dunit=disabled && run build soak ;;
esac
tools/count_tests.py --failed $broken "${tested[@]}"
