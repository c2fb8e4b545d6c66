#!/bin/bash
# demo.sh BUILD - orders flow through four unreliable services, and the engine is killed.
#
# What `make run` does after building: start the shop on a free port, run every order of
# the sample through order.yaml, kill the engine with -9 in the middle of an outage, start
# the same command again, and let the shop's ledger say whether anybody paid twice.
# Ends within 15 seconds; everything it started is stopped when it ends, however it ends.

set -eu
cd "$(dirname "$0")/../.."

build=${1:-build}
interlock=$build/interlock
shop=$build/examples/orders/shop
here=examples/orders
demo=$build/demo
db=$demo/orders.db

# Every shop here charges in 20 ms, fails one call in ten, and is down for two seconds.
weather="service=20,jitter=10,servers=8,errors=10%,outage=1000+2000"
run="run $here/order.yaml --input $here/orders.ndjson --event SUBMIT --steps $demo/steps.yaml --db $db"

shop_pid=
run_pid=

stop_everything() {
    [ -z "$run_pid" ] || kill -9 "$run_pid" 2>/dev/null || true
    [ -z "$shop_pid" ] || kill "$shop_pid" 2>/dev/null || true
    wait
}

# wait_for SECONDS COMMAND… - until the command succeeds; says which one never did.
wait_for() {
    local turns=$(($1 * 20))
    shift
    until "$@"; do
        turns=$((turns - 1))
        if [ $turns -le 0 ]; then
            echo "demo: waited too long for: $*" >&2
            exit 3
        fi
        sleep 0.05
    done
}

start_shop() {
    $shop --port 0 --port-file "$demo/port" --ledger "$demo/ledger.ndjson" \
        --charge "$weather" >"$demo/shop.log" &
    shop_pid=$!
    wait_for 5 test -f "$demo/port"
    echo "shop       127.0.0.1:$(cat "$demo/port")  charge 20 ms, 10 % errors, an outage of 2 s after 1 s"
}

# order.yaml calls port 9001; this is its `steps` with the port that the shop really has.
write_steps() {
    sed -n '/^steps:/,$p' $here/order.yaml |
        sed "s/127\.0\.0\.1:9001/127.0.0.1:$(cat "$demo/port")/" >"$demo/steps.yaml"
}

# The first order that stands before the open breaker and has a good card.
find_parked() {
    parked=$($interlock list --db "$db" --state CHARGING -o ndjson 2>/dev/null |
        grep '"for":"breaker"' | grep -v -m 1 '"card":"declined"' | sed 's/^{"id":"\([^"]*\)".*/\1/')
    [ -n "$parked" ]
}

rm -rf "$demo"
mkdir -p "$demo"
trap stop_everything EXIT
trap 'exit 130' INT TERM

start_shop
write_steps

echo "interlock  $run"
$interlock $run &
run_pid=$!

wait_for 8 grep -q "charge is down" "$demo/shop.log"
wait_for 4 find_parked
why=$($interlock why --db "$db" "$parked")

kill -9 $run_pid
wait $run_pid 2>/dev/null || true
[ ! -t 1 ] || echo
echo "why $parked   (asked while it ran)"
echo "$why" | sed 's/^/  /'
echo "kill -9    the engine is gone, in the middle of the outage. The same command again:"
$interlock $run &
run_pid=$!
status=0
wait $run_pid || status=$?
run_pid=

$interlock list --db "$db" -o ndjson >"$demo/results.ndjson"
$shop --audit "$demo/ledger.ndjson" --orders "$demo/results.ndjson" || status=1
echo "history $parked"
$interlock history --db "$db" "$parked"
echo "kept in $db: try  $interlock list --db $db --state FAILED"
exit $status
