#!/usr/bin/env python3
"""storm.py BUILD - the same storm over every arm, and what each of them made of it.

    --quick              quick.storm and three arms, in well under a minute
    --scenario FILE      another storm: examples/storm/held-out.storm
    --arms A,B           of: once pool naive jitter budget breaker limit opossum interlock
    --load N, --queue N  orders a second, and the cap of every service's queue
    --seed N, --seeds N  the first seed, and how many storms: means with 95 % intervals
    --virtual            in virtual time: seconds instead of minutes, and no kill
    --svg FILE           where the plot goes (BUILD/storm/storm.svg)
    --json FILE          all figures of all runs

Each arm gets servers of its own, one process a service, an empty ledger, and the same arrivals
at the same moments. Interlock is killed with -9 in the middle of every fault of the payment,
and started again at once. Exit status 1: Interlock lost, doubled or kept what it must not.
"""

import argparse
import datetime
import json
import math
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time

import storm_figures as figures
import storm_plot

HERE = pathlib.Path(__file__).resolve().parent
ARMS = ("once", "pool", "naive", "jitter", "budget", "breaker", "limit", "opossum", "interlock")
QUICK_ARMS = ("naive", "breaker", "interlock")
TITLES = {
    "once": "no retry", "pool": "200 threads, retry(3)", "naive": "retry(3)",
    "jitter": "+ full jitter", "budget": "+ 20 % retry budget", "breaker": "+ breaker",
    "limit": "+ AIMD limit, deadline", "opossum": "opossum (Node)", "interlock": "Interlock",
}
SETTLE = 9.5  # seconds after the last arrival; an arm is given a minute in all
PROCESSES = {"validate": ["validate"], "inventory": ["inventory"],
             "payment": ["payment", "refund"], "ship": ["ship"]}


def throw_arrivals(scenario, seed, path):
    """A Poisson process, written down before anything runs. Microseconds."""
    dice = random.Random(seed)
    arrivals = []
    at = dice.expovariate(scenario.rate)
    while at < scenario.seconds:
        arrivals.append(int(at * 1e6))
        at += dice.expovariate(scenario.rate)
    path.write_text("".join(f"{at}\n" for at in arrivals), encoding="utf-8")
    return [at / 1e6 for at in arrivals]


class Servers:
    """One process for each service, gone when the storm is over."""

    def __init__(self, build, seed, folder):
        self.start = int((time.time() + 1.0) * 1e6)
        self.ledgers = []
        self.processes = []
        self.ports = {}
        for index, name in enumerate(PROCESSES):
            ledger = folder / f"{name}.ledger"
            self.ledgers.append(ledger)
            self.processes.append(subprocess.Popen([
                build / "examples/storm/storm_server", folder / "scenario", "--start", str(self.start),
                "--seed", str(seed * 10 + index), "--ledger", ledger,
                "--port-file", folder / f"{name}.port"]))
        for name, services in PROCESSES.items():
            port = read_when_there(folder / f"{name}.port")
            self.ports.update((service, port) for service in services)

    def sleep_until(self, second):
        time.sleep(max(0.0, self.start / 1e6 + second - time.time()))

    def stop(self):
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


def read_when_there(path):
    for _ in range(500):
        if path.exists():
            return int(path.read_text(encoding="utf-8"))
        time.sleep(0.01)
    sys.exit(f"storm: {path} never came: is the server there?")


def run_hand(build, arm, scenario, servers, folder):
    """An arm of storm_chain.c; its results, and no more."""
    subprocess.run([
        build / "examples/storm/storm_load", arm, "--arrivals", folder / "arrivals",
        "--start", str(servers.start), "--results", folder / "results",
        "--until", str(scenario.seconds + SETTLE),
        *(str(servers.ports[service]) for service in figures.SERVICES)], check=True)
    return figures.read_results(folder / "results"), None


def run_opossum(_build, _arm, scenario, servers, folder):
    subprocess.run([
        "node", HERE / "opossum/arm.js", folder / "arrivals", str(servers.start),
        folder / "results", str(scenario.seconds + SETTLE),
        *(str(servers.ports[service]) for service in figures.SERVICES)], check=True)
    return figures.read_results(folder / "results"), None


class Engine:
    """`interlock run` reading orders as they come; it can be killed and started again."""

    def __init__(self, build, servers, folder):
        self.load = [build / "examples/storm/storm_load", "--feed", "--arrivals",
                     folder / "arrivals", "--start", str(servers.start)]
        self.command = [build / "interlock", "run", HERE / "order.yaml", "--input", "-",
                        "--format", "ndjson", "--steps", folder / "steps.yaml",
                        "--db", folder / "orders.db"]
        self.log = folder / "interlock.log"
        write_steps(servers, folder / "steps.yaml")
        self.begin()

    def begin(self):
        self.feed = subprocess.Popen(self.load, stdout=subprocess.PIPE)
        with open(self.log, "ab") as log:
            self.run = subprocess.Popen(self.command, stdin=self.feed.stdout, stdout=log,
                                        stderr=log)
        self.feed.stdout.close()  # it is the engine's now

    def kill(self):
        self.run.kill()
        self.run.wait()
        self.feed.kill()
        self.feed.wait()

    def end(self, timeout):
        try:
            self.run.wait(timeout)
        except subprocess.TimeoutExpired:
            self.run.terminate()
            self.run.wait()
        self.feed.kill()
        self.feed.wait()


def write_steps(servers, path):
    """The `steps` of order.yaml with the ports that the servers really have."""
    text = (HERE / "order.yaml").read_text(encoding="utf-8")
    text = text[text.index("\nsteps:") + 1:]
    lines = []
    for line in text.splitlines():
        for service, port in servers.ports.items():
            if f"/{service}\"" in line:
                host = line[line.index("http://"):line.index(f"/{service}\"")]
                line = line.replace(host, f"http://127.0.0.1:{port}")
        lines.append(line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def run_interlock(build, _arm, scenario, servers, folder):
    """The results by the engine's own durable record: when each order came to its end."""
    engine = Engine(build, servers, folder)
    try:
        for begin, end, service, _ in scenario.faults:
            if service == "payment":
                servers.sleep_until((begin + end) / 2)
                engine.kill()
                engine.begin()
        servers.sleep_until(scenario.seconds)
    except BaseException:
        engine.kill()
        raise
    engine.end(SETTLE)
    listed = subprocess.run([build / "interlock", "list", "--db", folder / "orders.db",
                             "-o", "ndjson"], check=True, capture_output=True, text=True).stdout
    arrivals = [int(line) for line in (folder / "arrivals").read_text().split()]
    results, known = {}, set()
    for line in listed.splitlines():
        order = json.loads(line)
        known.add(int(order["id"]))
        if order["status"] == "done":
            ended = datetime.datetime.fromisoformat(order["updated"].replace("Z", "+00:00"))
            ended = ended.timestamp() - servers.start / 1e6
            intended = arrivals[int(order["id"])] / 1e6
            results[int(order["id"])] = (intended, ended, order["value"] == "COMPLETED")
    return results, known


def run_virtual(build, arm, seed, folder):
    subprocess.run([
        build / "examples/storm/storm_sim", folder / "scenario", arm, "--seed", str(seed),
        "--definition", HERE / "order.yaml", "--arrivals", folder / "arrivals", "--results", folder / "results", "--ledger", folder / "ledger"], check=True)
    return figures.read_results(folder / "results"), [folder / "ledger"]


def run_arm(build, scenario, arm, seed, folder, is_virtual):
    """One storm over one arm, as figures."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    scenario.write(folder / "scenario")
    arrivals = throw_arrivals(scenario, seed, folder / "arrivals")
    if is_virtual:
        results, ledgers = run_virtual(build, arm, seed, folder)
        known = set(range(len(arrivals))) if arm == "interlock" else None
    else:
        run = {"interlock": run_interlock, "opossum": run_opossum}.get(arm, run_hand)
        servers = Servers(build, seed, folder)
        try:
            results, known = run(build, arm, scenario, servers, folder)
        finally:
            servers.stop()
        ledgers = servers.ledgers
    return figures.Figures(scenario, arrivals, results, figures.read_ledger(ledgers), known)


# The table

def spread(values):
    """Mean and half of the 95 % interval, by Student's t; nan is nan, and says so."""
    values = list(values)
    mean = statistics.fmean(values)
    if len(values) < 2 or not all(map(math.isfinite, values)):
        return mean, 0.0
    t = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31, 10: 2.26}
    return mean, t.get(len(values), 2.0) * statistics.stdev(values) / math.sqrt(len(values))


def cell(values, digits=1):
    values = list(values)
    if any(math.isnan(value) for value in values):
        back = [value for value in values if not math.isnan(value)]
        return "never" if not back else f"{len(back)} of {len(values)}"
    mean, half = spread(values)
    text = f"{mean:.{digits}f}"
    return f"{text} ±{half:.{digits}f}" if len(values) > 1 else text


def columns(scenario):
    """(heading, function of one run's figures, digits)"""
    table = [("in time %", lambda f: 100 * f.in_time, 1),
             ("of possible", lambda f: 100 * f.in_time / f.possible, 1)]
    for index in range(len(scenario.faults)):
        table.append((f"fault {index + 1} %", lambda f, i=index: 100 * f.windows[i]["in_time"], 1))
        table.append(("back s", lambda f, i=index: f.windows[i]["recovery"], 1))
    return table + [("p50 s", lambda f: f.p50, 2), ("p99 s", lambda f: f.p99, 2),
                    ("pay/order", lambda f: f.payments_per_order, 2),
                    ("double", lambda f: f.double, 0),
                    ("paid+failed", lambda f: f.charged_failed, 0),
                    ("failed", lambda f: f.failed_count, 0),
                    ("open", lambda f: f.open_count, 0),
                    ("late ms", lambda f: f.late_ms, 1)]


def print_table(scenario, runs):
    table = columns(scenario)
    rows = [["arm", *(heading for heading, _, _ in table)]]
    for arm, list_of_figures in runs.items():
        rows.append([TITLES[arm], *(cell((function(f) for f in list_of_figures), digits)
                                    for _, function, digits in table)])
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    print()
    for row in rows:
        print("  ".join(text.ljust(width) if i == 0 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(row, widths))))


def print_notes(scenario, runs):
    possible = figures.possible(scenario, 0, scenario.seconds)
    print(f"\nin time: done within {figures.SLA:.0f} s of the intended arrival, of all orders that"
          f" arrived;\npossible: what the narrowest service could serve at {scenario.rate:.0f}"
          f" orders a second, {100 * possible:.1f} %")
    for index, (begin, end, service, settings) in enumerate(scenario.faults):
        share = figures.possible(scenario, begin, end)
        print(f"  fault {index + 1}: {service} {settings}, second {begin:g} to {end:g}:"
              f" {100 * share:.1f} %")
    print("back: seconds from a fault's end until 95 % are in time again\np50, p99: of the orders that were done, so a collapsed arm flatters itself: read them"
          " beside the first column.\nlate: from an order's intended arrival to its first call,"
          " p99 before the first fault: where it is large,\nthe machine was too busy for this arm"
          " to be judged.")
    if "interlock" not in runs:
        return True
    harm = {"lost": sum(f.lost for f in runs["interlock"]),
            "double-charged": sum(f.double for f in runs["interlock"]),
            "charged but failed": sum(f.charged_failed for f in runs["interlock"]),
            "completed but not charged": sum(f.uncharged for f in runs["interlock"])}
    print("Interlock: " + ", ".join(f"{count} {name}" for name, count in harm.items()) +
          f", of {sum(f.count for f in runs['interlock'])} orders")
    return not any(harm.values())


# The program

def stop_servers_when_ended():
    """SIGTERM becomes an exit, which ends what was begun."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def has_opossum():
    """Installed, or installed now; silently absent where there is no npm or no registry."""
    folder = HERE / "opossum"
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    if not (folder / "node_modules/opossum").exists():
        try:
            subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent"], cwd=folder,
                           check=True, timeout=60, capture_output=True)
        except (subprocess.SubprocessError, OSError):
            return False
    return (folder / "node_modules/opossum").exists()


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--scenario", type=pathlib.Path, dest="scenario_path")
    parser.add_argument("--arms")
    parser.add_argument("--load", type=float)
    parser.add_argument("--queue", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--virtual", action="store_true")
    parser.add_argument("--svg", type=pathlib.Path)
    parser.add_argument("--json", type=pathlib.Path)
    options = parser.parse_args()
    options.build = options.build.resolve()
    if options.scenario_path is None:
        options.scenario_path = HERE / ("quick.storm" if options.quick else "storm.storm")
    options.scenario = figures.Scenario(options.scenario_path, options.load, options.queue)
    wanted = options.arms.split(",") if options.arms else QUICK_ARMS if options.quick else ARMS
    unknown = [arm for arm in wanted if arm not in ARMS]
    if unknown:
        parser.error(f"no arm is called {unknown[0]}: {' '.join(ARMS)}")
    if "opossum" in wanted and (options.virtual or not has_opossum()):
        wanted = [arm for arm in wanted if arm != "opossum"]
        print("opossum is not there (npm, node): that arm is left out")
    options.wanted = wanted
    return options


def main():
    options = read_options()
    scenario = options.scenario
    folder = options.build / "storm" / ("virtual" if options.virtual else "real")
    runs = {arm: [] for arm in options.wanted}
    print(f"{options.scenario_path.name}: {scenario.rate:.0f} orders a second for"
          f" {scenario.seconds:.0f} s{' of virtual time' if options.virtual else ''},"
          f" {len(runs)} arms, {options.seeds} seed{'s' * (options.seeds > 1)}")
    for seed in range(options.seed, options.seed + options.seeds):
        for arm in runs:
            result = run_arm(options.build, scenario, arm, seed, folder / arm, options.virtual)
            runs[arm].append(result)
            print(f"  {TITLES[arm]:24s} seed {seed}: {100 * result.in_time:5.1f} % in time",
                  flush=True)
    print_table(scenario, runs)
    is_clean = print_notes(scenario, runs)
    svg = options.svg or options.build / "storm" / "storm.svg"
    svg.write_text(storm_plot.draw(scenario, {TITLES[arm]: runs[arm][0] for arm in runs},
                                   options.scenario_path.name), encoding="utf-8")
    print(f"plot: {svg}")
    if options.json:
        options.json.write_text(json.dumps(
            {arm: [f.summary() for f in runs[arm]] for arm in runs}, indent=1), encoding="utf-8")
    return 0 if is_clean else 1


if __name__ == "__main__":
    stop_servers_when_ended()
    sys.exit(main())
