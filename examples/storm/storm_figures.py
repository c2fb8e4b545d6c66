"""What a storm came to: one arm's results and ledger, as figures.

Everything is counted by when an order was meant to arrive, against the orders that arrived: an
order that was lost, refused or is still waiting counts as one that was not served.
"""

import collections
import math

SLA = 5.0  # seconds from the intended arrival to the end
SERVICES = ("validate", "inventory", "payment", "ship")


class Scenario:
    """The load and the faults of a .storm file; another load or queue may be laid over it."""

    def __init__(self, path, load=None, queue=None):
        self.rate, self.seconds = 450.0, 50.0
        self.faults = []  # (from, to, service, settings)
        self.settings = collections.defaultdict(dict)
        self.lines = []
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "load":
                words[1] = f"{load or float(words[1]):g}"
                self.rate, self.seconds = float(words[1]), float(words[2])
            elif words[0] == "service":
                words[2] += f",queue={queue}" if queue else ""
                self.settings[words[1]].update(pair.split("=") for pair in words[2].split(","))
            elif words[0] == "fault":
                self.faults.append((float(words[1]), float(words[2]), words[3], words[4]))
            self.lines.append(" ".join(words))

    def write(self, path):
        """As the programs read it."""
        path.write_text("\n".join(self.lines) + "\n", encoding="utf-8")

    def mean(self, service, settings):
        """Seconds that one request takes: a lognormal's mean from its median."""
        sigma = float(settings.get("sigma", 0))
        return float(settings["service"]) / 1000 * math.exp(sigma * sigma / 2)

    def capacity(self, service, at):
        """Requests a second that the service can do at this moment."""
        settings = dict(self.settings[service])
        for begin, end, name, text in self.faults:
            if name == service and begin <= at < end and not text.startswith("shard="):
                settings.update(pair.split("=") for pair in text.split(","))
        return float(settings["servers"]) / self.mean(service, settings)

    def share(self, service, at):
        """The share of orders that the service can serve at this moment."""
        lost = sum(float(text[6:].rstrip("%")) / 100 for begin, end, name, text in self.faults
                   if name == service and begin <= at < end and text.startswith("shard="))
        return min(1.0 - lost, self.capacity(service, at) / self.rate)


def possible(scenario, begin, end):
    """The share of the orders of this time that the narrowest service can serve meanwhile."""
    step = 0.05
    moments = [begin + i * step for i in range(max(1, round((end - begin) / step)))]
    shares = (min(scenario.share(service, at) for service in SERVICES) for at in moments)
    return sum(shares) / len(moments)


def read_results(path):
    """order → (intended, ended, done), seconds."""
    results = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            order, intended, ended, done = line.split(",")
            results[int(order)] = (int(intended) / 1e6, int(ended) / 1e6, done.strip() == "1")
    return results


def read_ledger(paths):
    """(service, order, came, through, outcome), seconds."""
    for path in paths:
        with open(path, encoding="utf-8") as lines:
            for line in lines:
                service, order, came, through, outcome = line.rstrip("\n").split(",")
                yield service, int(order), int(came) / 1e6, int(through) / 1e6, outcome


def percentile(values, share):
    if not values:
        return float("nan")
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))]


def share_within(arrivals, served, begin, end):
    window = [served[i] for i, at in enumerate(arrivals) if begin <= at < end]
    return sum(window) / len(window) if window else float("nan")


def recovery(arrivals, served, end, until):
    """Seconds from a fault's end to the first moment from which on, for two seconds, each half
    second has 95 % of its arrivals served within the SLA. NaN when there is none before `until`.
    The literature asks for ten windows of 5 s; faults that follow each other leave no room."""
    moments = (end + i * 0.1 for i in range(max(0, int((until - end - 2) * 10) + 1)))
    for at in moments:
        if all(share_within(arrivals, served, at + i / 2, at + i / 2 + 0.5) >= 0.95
               for i in range(4)):
            return at - end
    return float("nan")


class Figures:
    """Of one run of one arm. `known`: the orders that a durable arm has a record of."""

    def __init__(self, scenario, arrivals, results, ledger, known=None):
        self.arrivals = arrivals
        self.count = len(arrivals)
        self.served = [False] * self.count
        self.latency = [math.inf] * self.count  # to the end of an order that was done
        for order, (intended, ended, done) in results.items():
            if done:
                self.latency[order] = ended - intended
                self.served[order] = ended - intended <= SLA
        self.in_time = sum(self.served) / self.count
        self.possible = possible(scenario, 0, scenario.seconds)
        done = [latency for latency in self.latency if latency < math.inf]
        self.p50, self.p99 = percentile(done, 0.5), percentile(done, 0.99)
        # An order that was never done took at least until nobody looked any more.
        ends = [ended for _, ended, _ in results.values()]
        last = max([*ends, scenario.seconds])
        self.p99_of_all = percentile([latency if latency < math.inf else last - at
                                      for at, latency in zip(arrivals, self.latency)], 0.99)
        self.never = 1 - len(done) / self.count
        self.failed_count = sum(1 for *_, done in results.values() if not done)
        self.open_count = self.count - len(results)
        self.lost = 0 if known is None else self.count - len(known)
        self.read_ledger(scenario, ledger, results)
        self.windows = [self.window(scenario, fault) for fault in scenario.faults]

    def read_ledger(self, scenario, ledger, results):
        """Who was charged how often, by the payment's own book; and how late the first call of
        an order came while all was well, which tells whether the machine kept up."""
        charges, refunds = collections.Counter(), collections.Counter()
        self.payments = collections.Counter()
        first = {}
        for service, order, came, _, outcome in ledger:
            if service == "validate":
                first.setdefault(order, came)
            self.payments[order] += service == "payment"
            if outcome.startswith("acted"):
                charges[order] += service == "payment"
                refunds[order] += service == "refund"
        calm = min((fault[0] for fault in scenario.faults), default=scenario.seconds)
        self.late_ms = 1000 * percentile([came - self.arrivals[order]
                                          for order, came in first.items()
                                          if self.arrivals[order] < calm], 0.99)
        self.payments_per_order = sum(self.payments.values()) / self.count
        self.double = sum(1 for times in charges.values() if times > 1)
        self.uncharged = sum(1 for order, (_, _, done) in results.items()
                             if done and charges[order] == 0)
        self.charged_failed = sum(
            1 for order, (_, _, done) in results.items()
            if not done and charges[order] > 0 and refunds[order] == 0)

    def window(self, scenario, fault):
        begin, end, service, settings = fault
        orders = [i for i, at in enumerate(self.arrivals) if begin <= at < end]
        next_fault = min((other[0] for other in scenario.faults if other[0] >= end),
                         default=scenario.seconds)
        return {
            "fault": f"{service} {settings}",
            "in_time": sum(self.served[i] for i in orders) / max(1, len(orders)),
            "possible": possible(scenario, begin, end),
            "payments_per_order": sum(self.payments[i] for i in orders) / max(1, len(orders)),
            "recovery": recovery(self.arrivals, self.served, end, next_fault),
        }

    def summary(self):
        names = ("count", "in_time", "possible", "p50", "p99", "p99_of_all", "never", "payments_per_order",
                 "double", "charged_failed", "uncharged", "failed_count", "open_count", "lost", "late_ms", "windows")
        return {name: getattr(self, name) for name in names}
