#!/usr/bin/env python3
"""storm_sweep.py BUILD - the storm over a plane: loads of 100 to 1,000 a second, and queues
of 100 to 2,000 places, each arm at each of them, in virtual time.

    --arms A,B   of those that run in virtual time
    --loads A,B  and --queues A,B: other points
    --real       real time instead: a minute for each arm at each point
    --svg FILE   where the plot goes (BUILD/storm/sweep.svg)

The arms, the breakers and the engine are those of the real run; what is missing is the
network, the kernel and the disk. Ends in where each arm's knee is: the highest load up to which
it serves 95 % of what is possible in time.
"""

import argparse
import pathlib
import sys

import storm
import storm_figures as figures
import storm_plot

ARMS = ("once", "pool", "naive", "budget", "breaker", "limit", "interlock")
LOADS = (100, 150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1000)
QUEUES = (100, 200, 300, 500, 1000, 2000)


def sweep(options, points, scenario_of):
    """arm → figures at each point."""
    table = {arm: [] for arm in options.arms}
    for point in points:
        scenario = scenario_of(point)
        for arm in options.arms:
            table[arm].append(storm.run_arm(options.build, scenario, arm, options.seed,
                                            options.build / "storm" / "sweep", not options.real))
        print(f"  {point:6g}  {100 * figures.possible(scenario, 0, scenario.seconds):12.1f}" +
              "".join(f"{100 * table[arm][-1].in_time:12.1f}" for arm in options.arms), flush=True)
    return table


def print_heading(options, name):
    print(f"\n  {name:>6}  {'possible %':>12}" + "".join(f"{arm:>12}" for arm in options.arms))


def print_knees(options, table):
    print("\nup to which load an arm serves 95 % of what is possible in time, and what the slowest"
          "\nhundredth of all that arrive takes there and at the next point (s; never done: until"
          " the end)")
    for arm in options.arms:
        good = [run.in_time >= 0.95 * run.possible for run in table[arm]]
        knee = next((i for i, is_good in enumerate(good) if not is_good), len(good))
        before = "none" if knee == 0 else f"{options.loads[knee - 1]:g}/s"
        slow = "" if knee == 0 else f"p99 {table[arm][knee - 1].p99_of_all:5.1f}"
        then = "" if knee == len(good) else (
            f"then {options.loads[knee]:g}/s: {100 * table[arm][knee].in_time:5.1f} % in time, "
            f"p99 {table[arm][knee].p99_of_all:5.1f}, "
            f"{100 * table[arm][knee].never:.1f} % never done")
        print(f"  {storm.TITLES[arm]:22s} {before:>8}  {slow:10s} {then}")


def print_against(options, table):
    """The slowest hundredth beside that of the naive chain, and never without goodput."""
    if not {"naive", "interlock"} <= set(options.arms):
        return
    print("\np99 of all orders that arrive, seconds; never done counts until the end"
          "\n    load       retry(3)  % in time      Interlock  % in time      less by")
    for i, load in enumerate(options.loads):
        naive, ours = table["naive"][i], table["interlock"][i]
        print(f"  {load:6g}  {naive.p99_of_all:13.2f}  {100 * naive.in_time:9.1f}"
              f"  {ours.p99_of_all:13.2f}  {100 * ours.in_time:9.1f}"
              f"  {100 * (1 - ours.p99_of_all / naive.p99_of_all):9.0f} %")


def numbers(text):
    return [float(part) for part in text.split(",")]


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--arms", type=lambda text: text.split(","), default=ARMS)
    parser.add_argument("--loads", type=numbers, default=LOADS)
    parser.add_argument("--queues", type=numbers, default=QUEUES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--svg", type=pathlib.Path)
    options = parser.parse_args()
    options.build = options.build.resolve()
    return options


def main():
    options = read_options()
    path = storm.HERE / "storm.storm"
    print(f"{path.name}: % of the orders that arrive, done within {figures.SLA:.0f} s")
    print_heading(options, "load")
    by_load = sweep(options, options.loads, lambda load: figures.Scenario(path, load=load))
    print_heading(options, "queue")
    by_queue = sweep(options, options.queues,
                     lambda queue: figures.Scenario(path, queue=int(queue)))
    print_knees(options, by_load)
    print_against(options, by_load)
    svg = options.svg or options.build / "storm" / "sweep.svg"
    svg.write_text(storm_plot.draw_sweep(
        {storm.TITLES[arm]: (by_load[arm], by_queue[arm]) for arm in options.arms},
        options.loads, options.queues), encoding="utf-8")
    print(f"plot: {svg}")
    return 0


if __name__ == "__main__":
    storm.stop_servers_when_ended()
    sys.exit(main())
