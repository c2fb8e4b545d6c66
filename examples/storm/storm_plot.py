"""The storm as a picture: for each arm goodput and latency over time, in plain SVG."""

import html
import math

import storm_figures as figures

LEFT, WIDE, GAP, HIGH, TOP = 185, 330, 60, 62, 58
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


COLOURS = ("#7f8c8d", "#b9770e", "#c0392b", "#8e44ad", "#2e86c1", "#17a589", "#14679e")


def draw_sweep(arms, loads, queues):
    """In time, of all that arrive, over the load and over the queues' cap; `arms` is title →
    (figures by load, figures by cap)."""
    wide, high, top = 380, 260, 40
    panels = ((50, loads, 0, "orders a second"), (50 + wide + 60, queues, 1, "places in a queue"))
    width, height = 50 + 2 * wide + 90, top + high + 60 + 18 * len(arms)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
             f"<style>{STYLE}</style>", f'<rect width="{width}" height="{height}" fill="#fff"/>',
             '<text class="title" x="10" y="20">served in time, % of all orders that arrive'
             " (dashed: possible)</text>"]
    for left, points, which, name in panels:
        x = [left + wide * point / max(points) for point in points]
        parts.append(f'<rect class="box" x="{left}" y="{top}" width="{wide}" height="{high}"/>')
        for percent in (0, 25, 50, 75, 100):
            y = top + high * (1 - percent / 100)
            parts.append(f'<path class="grid" d="M{left} {y:.0f}h{wide}"/>'
                         f'<text class="axis" x="{left - 4}" y="{y + 3:.0f}">{percent}</text>')
        for at, point in zip(x, points):
            parts.append(f'<text class="axis" x="{at + 8:.0f}" y="{top + high + 14}">{point:g}</text>')
        parts.append(f'<text x="{left + wide / 2 - 40:.0f}" y="{top + high + 32}">{name}</text>')
        first = next(iter(arms.values()))[which]
        parts.append(sweep_line(x, [run.possible for run in first], top, high, "#999", "3 2"))
        for colour, runs in zip(COLOURS, arms.values()):
            parts.append(sweep_line(x, [run.in_time for run in runs[which]], top, high, colour))
    for index, (colour, title) in enumerate(zip(COLOURS, arms)):
        y = top + high + 56 + 18 * index
        parts.append(f'<path d="M60 {y - 4}h24" stroke="{colour}" stroke-width="2"/>'
                     f'<text x="92" y="{y}">{html.escape(title)}</text>')
    return "\n".join(parts) + "\n</svg>\n"


def sweep_line(x, shares, top, high, colour, dash="none"):
    text = " ".join(f"{at:.1f},{top + high * (1 - share):.1f}" for at, share in zip(x, shares))
    return (f'<polyline points="{text}" style="stroke:{colour};stroke-width:2;'
            f'stroke-dasharray:{dash}"/>')
