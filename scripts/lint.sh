#!/bin/bash
# lint.sh [FILE.c]... - clang-tidy, as .clang-tidy says, over all that a build without unit
# tests compiles, or the files that are named.
#
# It reads the code as the compiler's analyser does, path by path, which takes a minute or two;
# that is why it is not part of `make test`. What it finds is mended, or excused in its place:
# `/* NOLINT(check): reason */`.
set -u
cd "$(dirname "$0")/.."
tool=$(command -v clang-tidy-14 || command -v clang-tidy) || {
    echo "clang-tidy is not installed" >&2
    exit 1
}
CC=clang TARGETS=build.ninja scripts/build.sh build/lint -Dunit=disabled || exit 1

if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046 # no name of ours has a blank
    set -- $(sed -n 's|^ *"file": "\.\./\.\./\(.*\.c\)".*|\1|p' build/lint/compile_commands.json |
        sort -u | grep -v bench/emit_bench.c) # it includes what the program itself writes
fi
log=build/lint/lint.log
printf '%s\0' "$@" |
    xargs -0 -n 1 -P "$(nproc)" "$tool" -p build/lint --quiet >"$log" 2>build/lint/counts.log
status=$?
cat "$log"
echo "lint: $# files, $(grep -cE '(warning|error): .*\[.*\]$' "$log") findings"
[ $status -eq 0 ]
