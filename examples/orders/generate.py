#!/usr/bin/env python3
"""generate.py - any number of orders, one JSON object a line, the same for the same seed.

    ./generate.py --count 1000 > orders.ndjson      # the sample beside this file

About 97 of 100 orders can be completed. The rest fail for business reasons, each decided
by the order's content, so that the shop answers the same at every attempt:

    card "declined"       charge says 402
    sku "out-of-stock"    reserve says 409, after the charge: these are refunded
    total 0               validate says 422
"""

import argparse
import json
import random

CATALOGUE = [("tea-green", 690), ("tea-black", 590), ("coffee", 1290), ("cup", 850),
             ("kettle", 4990), ("teapot", 3450), ("filter", 320), ("honey", 780)]
CUSTOMERS = ["ada", "alan", "barbara", "donald", "edsger", "frances", "grace", "ken",
             "leslie", "margaret", "niklaus", "tony"]

DECLINED = 0.025
FREE = 0.005
OUT_OF_STOCK = 0.004


def pick(dice, things):
    return things[int(dice.random() * len(things))]


def make_items(dice):
    items = []
    for _ in range(1 + int(dice.random() * 3)):
        sku, price = pick(dice, CATALOGUE)
        items.append({"sku": sku, "quantity": 1 + int(dice.random() * 3), "price": price})
    return items


def make_order(dice, order_id):
    """Every order takes what it needs from the same dice: a longer file begins like a shorter."""
    order = {"id": order_id, "customer": pick(dice, CUSTOMERS), "items": make_items(dice)}
    card = f"card-{int(dice.random() * 9000) + 1000}"
    fate = dice.random()
    if fate < DECLINED:
        card = "declined"
    elif fate < DECLINED + OUT_OF_STOCK:
        order["items"][0]["sku"] = "out-of-stock"
    elif fate < DECLINED + OUT_OF_STOCK + FREE:
        for item in order["items"]:
            item["price"] = 0
    order["total"] = sum(item["quantity"] * item["price"] for item in order["items"])
    order["currency"] = "EUR"
    order["card"] = card
    return order


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="how many orders (1000)")
    parser.add_argument("--seed", type=int, default=42, help="another seed, other orders (42)")
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    width = max(4, len(str(arguments.count)))
    for number in range(1, arguments.count + 1):
        order = make_order(dice, str(number).zfill(width))
        print(json.dumps(order, separators=(",", ":")))


if __name__ == "__main__":
    main()
