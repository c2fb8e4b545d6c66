#!/bin/sh
# demo.sh [BUILD FOLDER] [CSV] - what the marketplace's orders say, beside what was recorded.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build}
orders=${2:-$here/../../../shared/data/olist-orders.csv}

if [ ! -f "$orders" ]; then
    echo "skipped: there is no $orders (README.md says where it is from)"
    exit 0
fi

"$build/interlock" derive "$here/orders.yaml" "$orders" --key order_id \
    --compare order_status || [ $? = 1 ] # 1: conflicts were found, which is the point
