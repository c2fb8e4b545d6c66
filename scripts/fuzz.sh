#!/bin/bash
# fuzz.sh SECONDS - run each fuzzer of tests/fuzz that long; stops at the first finding.
#
# What a fuzzer learns stays in build/fuzz/corpus; what breaks it is left in build/fuzz.
set -eu
cd "$(dirname "$0")/.."

CC=clang scripts/build.sh build/fuzz -Dfuzz=true -Dunit=disabled -Db_lundef=false \
    -Db_sanitize=address,undefined -Dc_args=-fno-sanitize-recover=all

for fuzzer in build/fuzz/tests/fuzz/fuzz_*; do
    [ -f "$fuzzer" ] || continue
    name=$(basename "$fuzzer")
    seeds=tests/fuzz/corpus/${name#fuzz_}
    learned=build/fuzz/corpus/${name#fuzz_}
    mkdir -p "$learned"
    [ -d "$seeds" ] || seeds=
    log=build/fuzz/$name.log
    "$fuzzer" -max_total_time="$1" -timeout=10 -verbosity=0 -print_final_stats=1 \
        -artifact_prefix=build/fuzz/ "$learned" $seeds >"$log" 2>&1 || {
        tail -n 60 "$log"
        echo "FAILED $name: the bytes that did it are named above"
        exit 1
    }
    runs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
    echo "fuzz   $name: $runs runs in $1 s, $(find "$learned" -type f | wc -l) inputs learned"
done
