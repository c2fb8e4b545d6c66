#!/bin/sh
# build.sh FOLDER [meson option]... - configure FOLDER once, then compile what changed.
set -eu
cd "$(dirname "$0")/.."
folder=$1
shift
[ -f "$folder/build.ninja" ] || meson setup "$folder" "$@" >/dev/null
exec ninja -C "$folder"
