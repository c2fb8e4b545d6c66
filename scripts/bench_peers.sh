#!/bin/sh
# bench_peers.sh - what `make bench` measures beside us, in other people's programs.
#
# Peers are in bench/peers: Node scripts, which get the folder that npm installed their packages
# into, and our program. Without node or npm, or without a network, they are left out with a
# line that says so: they belong to no promise.
set -eu
cd "$(dirname "$0")/.."

folder=build/peers

if ! command -v node >/dev/null; then
    echo "peers in Node: left out, node is not there"
    exit 0
fi
mkdir -p "$folder"
[ -f "$folder/package.json" ] || echo '{"private":true}' >"$folder/package.json"

# install PACKAGE - false after a line that says that it is not there.
install() {
    command -v npm >/dev/null &&
        npm install --prefix "$folder" --silent --no-fund --no-audit "$1" >"$folder/npm.log" 2>&1 &&
        return
    echo "$1: left out, npm could not install it"
    return 1
}

if install "@marcbachmann/cel-js@8.0.0"; then
    node bench/peers/expr_peer.mjs "$(pwd)/$folder"
fi
if install "xstate@5"; then
    node bench/peers/step_peer.mjs "$(pwd)/$folder"
fi
if install opossum && install cockatiel; then
    node bench/peers/breaker_peer.mjs "$(pwd)/$folder"
fi
install "@duckdb/node-api@1.5.6-r.1" || true # the others are measured all the same
node bench/peers/derive_peer.mjs "$(pwd)/$folder" build/interlock
