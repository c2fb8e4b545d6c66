#!/bin/sh
# bench_peers.sh - what `make bench` measures beside us, in other people's programs.
#
# Peers are in bench/peers: Node scripts, which get the folder that npm installed their packages
# into as their argument. Without node or npm, or without a network, they are left out with a
# line that says so: they belong to no promise.
set -eu
cd "$(dirname "$0")/.."

folder=build/peers
packages="@marcbachmann/cel-js@8.0.0"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "peers in Node: left out, node or npm is not there"
    exit 0
fi
mkdir -p "$folder"
[ -f "$folder/package.json" ] || echo '{"private":true}' >"$folder/package.json"
# shellcheck disable=SC2086 # $packages is several words
if ! npm install --prefix "$folder" --silent --no-fund --no-audit $packages >"$folder/npm.log" 2>&1; then
    echo "peers in Node: left out, npm could not install $packages"
    exit 0
fi
for peer in bench/peers/*_peer.mjs; do
    node "$peer" "$(pwd)/$folder"
done
