"""The storm as a picture: for each arm goodput and latency over time, in plain SVG."""

import html
import math

import storm_figures as figures

LEFT, WIDE, GAP, HIGH, TOP = 150, 330, 60, 62, 58
LATENCY_MIN, LATENCY_MAX = 0.05, 60.0


def by_second(run, seconds):
    """For each second of intended arrivals: orders, those in time, p50 and p99 of all."""
    latencies = [[] for _ in range(math.ceil(seconds))]
    for at, latency in zip(run.arrivals, run.latency):
        latencies[min(int(at), len(latencies) - 1)].append(latency)
    for second in latencies:
        in_time = sum(1 for latency in second if latency <= figures.SLA)
        yield (len(second), in_time, figures.percentile(second, 0.5),
               figures.percentile(second, 0.99))


class Panel:
    """A box with seconds along it, at this height of the picture."""

    def __init__(self, left, top, seconds):
        self.left, self.top, self.seconds = left, top, seconds

    def x(self, second):
        return self.left + WIDE * second / self.seconds

    def y(self, share):
        return self.top + HIGH * (1 - min(1.0, max(0.0, share)))

    def frame(self, faults):
        for begin, end, *_ in faults:
            yield (f'<rect class="fault" x="{self.x(begin):.1f}" y="{self.top}"'
                   f' width="{self.x(end) - self.x(begin):.1f}" height="{HIGH}"/>')
        yield f'<rect class="box" x="{self.left}" y="{self.top}" width="{WIDE}" height="{HIGH}"/>'

    def line(self, points, name):
        text = " ".join(f"{self.x(at):.1f},{self.y(share):.1f}" for at, share in points)
        return f'<polyline class="{name}" points="{text}"/>'


def latency_share(latency):
    if not latency > LATENCY_MIN:
        return 0.0
    latency = min(latency, LATENCY_MAX)
    return math.log(latency / LATENCY_MIN) / math.log(LATENCY_MAX / LATENCY_MIN)


def draw_goodput(panel, scenario, seconds, top_rate):
    yield from panel.frame(scenario.faults)
    yield panel.line(((i + 0.5, figures.possible(scenario, i, i + 1) * scenario.rate / top_rate)
                      for i in range(len(seconds))), "possible")
    yield panel.line(((i + 0.5, second[1] / top_rate) for i, second in enumerate(seconds)), "good")
    for rate in (0, round(scenario.rate)):
        yield f'<text class="axis" x="{panel.left - 4}" y="{panel.y(rate / top_rate) + 3:.1f}">{rate}</text>'


def draw_latency(panel, scenario, seconds):
    yield from panel.frame(scenario.faults)
    for mark in (0.1, 1, 10):
        height = panel.y(latency_share(mark))
        yield f'<path class="grid" d="M{panel.left} {height:.1f}h{WIDE}"/>'
        yield f'<text class="axis" x="{panel.left - 4}" y="{height + 3:.1f}">{mark:g} s</text>'
    for column, name in ((3, "p99"), (2, "p50")):
        yield panel.line(((i + 0.5, latency_share(second[column]))
                          for i, second in enumerate(seconds)), name)


STYLE = """
text { font: 11px sans-serif; fill: #222 } .axis { text-anchor: end; font-size: 9px; fill: #666 }
.title { font-weight: bold } .box { fill: none; stroke: #999 } .fault { fill: #f3d9d4 }
.grid { stroke: #ddd } polyline { fill: none; stroke-width: 1.4 }
.good { stroke: #14679e } .possible { stroke: #999; stroke-dasharray: 3 2 }
.p50 { stroke: #14679e } .p99 { stroke: #c0392b }
"""


def draw(scenario, runs, name):
    """The whole picture; `runs` is title → figures of one run."""
    width, height = LEFT + 2 * WIDE + GAP + 20, TOP + len(runs) * (HIGH + 18) + 24
    top_rate = scenario.rate * 1.15
    right = LEFT + WIDE + GAP
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
             f"<style>{STYLE}</style>", f'<rect width="{width}" height="{height}" fill="#fff"/>',
             f'<text class="title" x="10" y="20">{html.escape(name)}: {scenario.rate:.0f} orders a'
             " second; seconds along, by when the order was to arrive; faults are shaded</text>",
             f'<text x="{LEFT}" y="46">orders served within {figures.SLA:.0f} s, a second'
             " (dashed: possible)</text>",
             f'<text x="{right}" y="46">latency, p50 blue, p99 red; at the top: never</text>']
    for index, (title, run) in enumerate(runs.items()):
        top = TOP + index * (HIGH + 18)
        seconds = list(by_second(run, scenario.seconds))
        parts.append(f'<text class="title" x="10" y="{top + 14}">{html.escape(title)}</text>')
        parts.append(f'<text x="10" y="{top + 30}">{100 * run.in_time:.1f} % in time</text>')
        parts.append(f'<text x="10" y="{top + 45}">{run.double} double-charged</text>')
        parts.extend(draw_goodput(Panel(LEFT, top, scenario.seconds), scenario, seconds, top_rate))
        parts.extend(draw_latency(Panel(right, top, scenario.seconds), scenario, seconds))
    for left in (LEFT, right):
        for share in (0, 0.5, 1):
            parts.append(f'<text class="axis" x="{left + share * WIDE + 4:.0f}" y="{height - 12}">'
                         f"{scenario.seconds * share:.0f}</text>")
    return "\n".join(parts) + "\n</svg>\n"
