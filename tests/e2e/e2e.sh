#!/bin/sh
# e2e.sh INTERLOCK SHOP - the project's own end-to-end tests, as cases of its own test runner.
#
# Each time on a new database: what is done stays done, and here it shall be done again.
here=$(cd "$(dirname "$0")" && pwd)
INTERLOCK=$(realpath "$1")
SHOP=$(realpath "$2")
export INTERLOCK SHOP
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
"$INTERLOCK" run "$here/../../examples/test-runner/test-case.yaml" \
    --input "$here/cases.ndjson" --steps "$here/steps.yaml" --db "$folder/e2e.db" --report tap
