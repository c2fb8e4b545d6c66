#!/usr/bin/env python3
"""`policies -o prometheus`: what a textfile collector reads, looked at as strictly as it may."""

import json
import re

import harness

PAY = """\
id: pay
version: "1"
context: { who: "${input.who}", code: "${input.code}" }
initial: CHARGING
states:
  CHARGING: { invoke: { src: charge, input: "${context}", onDone: DONE, onError: FAILED } }
  DONE: { type: final }
  FAILED: { type: final }
steps:
  charge:
    exec: ["/bin/sh", "-c", "exit ${input.code}"]
    breaker: { key: "${input.who}", minimum: 2, failures: 50%, open: 1h, open_max: 1h }
    retry: { attempts: 2, base: 1ms, budget: 20% }
    rate: { rate: 100/h, burst: 100 }
    when_open: fail
admission: { working: 7 }
"""

WILD = 'b"\\\n'  # as a key

SHOWN = r"""
# HELP interlock_breaker_state 1 for the state that the breaker is in.
# TYPE interlock_breaker_state gauge
interlock_breaker_state{machine="pay",step="charge",state="closed"} 1
interlock_breaker_state{machine="pay",step="charge",state="open"} 0
interlock_breaker_state{machine="pay",step="charge",state="half-open"} 0
interlock_breaker_state{machine="pay",step="charge",key="ada",state="closed"} 1
interlock_breaker_state{machine="pay",step="charge",key="ada",state="open"} 0
interlock_breaker_state{machine="pay",step="charge",key="ada",state="half-open"} 0
interlock_breaker_state{machine="pay",step="charge",key="b\"\\\n",state="closed"} 0
interlock_breaker_state{machine="pay",step="charge",key="b\"\\\n",state="open"} 1
interlock_breaker_state{machine="pay",step="charge",key="b\"\\\n",state="half-open"} 0
"""

SAMPLE = re.compile(r'(?P<name>[a-z_]+)\{(?P<labels>(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} '
                    r'(?P<value>-?\d+(?:\.\d+)?)')
LABEL = re.compile(r'([a-z]+)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
ESCAPES = {r"\n": "\n", r"\"": '"', "\\\\": "\\"}


def unescape(text):
    return re.sub(r'\\[\\"n]', lambda match: ESCAPES[match[0]], text)


def read(text):
    """{(name, ((label, value), …)): value}; asserts all that the format asks for."""
    samples, types, helped, order = {}, {}, set(), []
    assert text == "" or text.endswith("\n"), "the last line has no end"
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in helped and len(line.split(" ", 3)[3]) > 0, line
            helped.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name in helped and name not in types and kind in ("counter", "gauge"), line
            assert (kind == "counter") == name.endswith("_total"), line
            types[name] = kind
            order.append(name)
        else:
            sample = SAMPLE.fullmatch(line)
            assert sample is not None, line
            assert order[-1] == sample["name"], f"not with its family: {line}"
            labels = LABEL.findall(sample["labels"])
            assert len({name for name, _ in labels}) == len(labels), line
            key = (sample["name"], tuple((name, unescape(value)) for name, value in labels))
            assert key not in samples, f"twice: {line}"
            samples[key] = float(sample["value"])
    assert set(types) == {name for name, _ in samples}, "a family without figures"
    return samples


class Metrics(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("pay.yaml", PAY)

    def pay(self, instance, who, code):
        self.must("start", "pay.yaml", "--id", instance, "--wait", "--input",
                  json.dumps({"who": who, "code": code}))

    def metrics(self):
        return self.must("policies", "-o", "prometheus").out

    def figure(self, name, **labels):
        wanted = {"machine": "pay", "step": "charge", **labels}
        found = [value for (key, have), value in read(self.metrics()).items()
                 if key == "interlock_" + name and
                 dict(have) == {k: v for k, v in wanted.items() if v is not None}]
        self.assertEqual(len(found), 1, f"{name} {labels}\n{self.metrics()}")
        return found[0]

    def test_figures_are_those_of_what_happened_over_restarts(self):
        self.pay("1", "ada", 0)
        self.pay("2", "ada", 0)
        for instance in ("3", "4"):
            self.pay(instance, WILD, 75)
        self.assertEqual(self.figure("calls_total", key="ada", outcome="done"), 2)
        self.assertEqual(self.figure("calls_total", key=WILD, outcome="done"), 0)
        self.assertEqual(self.figure("calls_total", key=WILD, outcome="unavailable"), 2)
        self.assertEqual(self.figure("retries_total", key=WILD), 1)
        self.assertEqual(self.figure("retries_total", key="ada"), 0)
        self.assertEqual(self.figure("breaker_transitions_total", key=WILD, to="open"), 1)
        self.assertEqual(self.figure("breaker_transitions_total", key=WILD, to="closed"), 0)
        self.assertEqual(self.figure("breaker_window_calls", key="ada"), 2)
        self.assertEqual(self.figure("calls_in_flight", key=WILD), 0)
        self.assertEqual(self.figure("limit"), 64)
        self.assertEqual((self.figure("queued"), self.figure("parked"), self.figure("starved")),
                         (0, 0, 0))
        self.assertEqual(self.figure("rate_tokens"), 96)
        self.assertEqual(self.figure("retry_budget_tokens"), 99)
        self.assertEqual(self.figure("admission_accepted_total", step=None), 4)
        self.assertEqual(self.figure("admission_refused_total", step=None, reason="full"), 0)
        self.assertEqual(self.figure("admission_working_limit", step=None), 7)
        self.assertGreater(self.figure("policy_timestamp_seconds"), 1.6e9)
        self.assertTrue(self.metrics().startswith(SHOWN.lstrip("\n")), self.metrics())

    def test_a_key_drives_no_terminal(self):
        self.pay("1", "a\x1b[2J\nb", 0)
        out = self.must("policies").out
        self.assertIn("\npay/charge#a\\x1b[2J\\x0ab ", out)
        self.assertEqual(out.count("\n"), 3)

    def test_a_step_without_a_breaker_tells_of_none(self):
        self.write("pay.yaml", "".join(line for line in PAY.splitlines(True)
                                       if "breaker" not in line and "admission" not in line))
        self.pay("1", "ada", 0)
        self.assertEqual(self.figure("calls_total", outcome="done"), 1)
        self.assertNotIn("breaker", self.metrics())
        self.assertNotIn("admission", self.metrics())

    def test_nothing_to_tell_is_nothing(self):
        self.write("still.yaml", "id: s\nversion: '1'\ninitial: A\nstates: { A: { on: { X: A } } }\n")
        self.must("start", "still.yaml", "--id", "1")
        self.assertEqual(self.metrics(), "")


harness.main(Metrics)
