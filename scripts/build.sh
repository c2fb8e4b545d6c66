#!/bin/bash
# build.sh FOLDER [meson option]... - configure FOLDER once, then compile what has changed.
#
# Options count only at the first call: remove FOLDER to change them. A terminal shows
# ninja's progress line; anything else hears from the compilers only.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
shift

if [ ! -f "$folder/build.ninja" ]; then
    mkdir -p "$folder"
    meson setup "$folder" "$@" >"$folder/setup.log" 2>&1 || {
        cat "$folder/setup.log" >&2
        exit 1
    }
fi
if [ -t 1 ]; then
    ninja -C "$folder"
else
    ninja --quiet -C "$folder" | sed '/^ninja: no work to do/d'
fi
