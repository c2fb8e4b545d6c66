#!/bin/bash
# build.sh FOLDER [meson option]... - configure FOLDER once, then compile what has changed.
#
# Options count only at the first call: remove FOLDER to change them. TARGETS names what to
# compile when that is not all. A terminal shows ninja's progress line; anything else hears
# from the compilers only.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift

configure() {
    if [ -f "$folder/build.ninja" ]; then
        ninja -C "$folder" build.ninja # when a meson.build has changed
    else
        meson setup "$folder" "$@"
    fi
}

mkdir -p "$folder"
configure "$@" >"$folder/configure.log" 2>&1 || {
    tail -n 12 "$folder/configure.log" >&2
    exit 1
}
# shellcheck disable=SC2086
if [ -t 1 ]; then
    ninja -C "$folder" ${TARGETS:-all}
else
    ninja --quiet -k 20 -C "$folder" ${TARGETS:-all} | sed '/^ninja: no work to do/d'
fi
