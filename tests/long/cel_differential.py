#!/usr/bin/env python3
"""cel_differential.py PROGRAM [--count N] [--seed N] [--npm FOLDER] [--install]

Generated expressions over generated values, evaluated by PROGRAM and by the npm package
@bufbuild/cel; the answers must be the same. Errors count as the same answer whatever their
words. A difference is made as small as it gets, told with its seed, and fails the test, unless
it is one of those that EXPLAINED names.

The package is looked for in FOLDER, is never part of this repository, and is installed there
with --install. Without it the test is skipped.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/tools"))

import tap  # noqa: E402

PACKAGES = ["@bufbuild/cel@0.6.1", "@bufbuild/protobuf"]
BATCH = 20000
TOLD_MAX = 20
SHRUNK_MAX = 2000

WORDS = ["", "a", "b", "ab", "abc", "Zoë", "é", "日本", "a b", "1", "-2", "true", "1.5", "x" * 20]
INTS = [0, 1, -1, 2, 3, 7, 10, 100, -5, 2**31, 2**53, 2**53 + 1, 2**62, 2**63 - 1, -2**63]
UINTS = [0, 1, 2, 3, 10, 2**32, 2**53 + 1, 2**63, 2**64 - 1]
DOUBLES = ["0.0", "-0.0", "1.0", "1.5", "-2.5", "3.0", "0.1", "1e300", "1e-7", "123456.75"]
BYTES = ["", "00", "61", "6162", "ff", "c3a9"]
TIMES = ["1970-01-01T00:00:00Z", "2009-02-13T23:31:30Z", "2024-02-29T12:00:00.5Z",
         "2099-12-31T23:59:59Z", "1900-03-01T00:00:00Z"]
SPANS = ["0s", "1s", "-1s", "90m", "1.5s", "36h", "1ms"]
PATTERNS = ["a", "^a", "b$", "[a-c]+", "(a|b)*", "^.$", "\\\\d+", "x{3,}"]

# The names that expressions may use, and what they are.
NAMES = {"i": "int", "j": "int", "u": "uint", "d": "double", "s": "string", "t": "string",
         "b": "bool", "y": "bytes", "l": "list_int", "k": "list_string", "m": "map",
         "n": "null", "r": "record"}


def quote(word):
    return "'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'"


class Generator:
    """One expression at a time, from one source of chance."""

    def __init__(self, chance):
        self.chance = chance
        self.locals = []

    def pick(self, choices):
        return self.chance.choice(choices)

    def literal(self, kind):
        if kind == "int":
            number = self.pick(INTS)
            return f"({number})" if number < 0 else str(number)
        if kind == "uint":
            return f"{self.pick(UINTS)}u"
        if kind == "double":
            return self.pick(DOUBLES)
        if kind == "string":
            return quote(self.pick(WORDS))
        if kind == "bool":
            return self.pick(["true", "false"])
        if kind == "bytes":
            return "b'" + "".join(f"\\x{byte:02x}" for byte in bytes.fromhex(self.pick(BYTES))) + "'"
        if kind == "timestamp":
            return f"timestamp('{self.pick(TIMES)}')"
        if kind == "duration":
            return f"duration('{self.pick(SPANS)}')"
        if kind == "null":
            return "null"
        if kind == "list_int":
            return "[" + ", ".join(self.literal("int") for _ in range(self.chance.randrange(4))) + "]"
        if kind == "list_string":
            return "[" + ", ".join(self.literal("string")
                                   for _ in range(self.chance.randrange(4))) + "]"
        keys = self.chance.sample(["a", "b", "ab"], self.chance.randrange(4))
        value = "int" if kind == "map" else self.pick(["int", "string", "list_int"])
        return "{" + ", ".join(f"'{key}': {self.literal(value)}" for key in keys) + "}"

    def leaf(self, kind):
        names = [name for name, of in NAMES.items() if of == kind]
        names += [name for name, of in self.locals if of == kind]
        if names and self.chance.random() < 0.6:
            return self.pick(names)
        return self.literal(kind)

    def make(self, kind, depth):
        """An expression that gives this kind, most of the time."""
        if self.chance.random() < 0.04:
            kind = self.pick(list(NAMES.values()) + ["timestamp", "duration"])
        if depth <= 0 or self.chance.random() < 0.1:
            return self.leaf(kind)
        rules = getattr(self, "make_" + kind, None)
        return rules(depth - 1) if rules else self.leaf(kind)

    def with_local(self, name, kind, make):
        self.locals.append((name, kind))
        made = make()
        self.locals.pop()
        return made

    def binary(self, kind, operators, depth):
        return f"({self.make(kind, depth)} {self.pick(operators)} {self.make(kind, depth)})"

    def condition(self, kind, depth):
        return (f"({self.make('bool', depth)} ? {self.make(kind, depth)} : "
                f"{self.make(kind, depth)})")

    def make_int(self, depth):
        return self.pick([
            lambda: self.binary("int", ["+", "-", "*", "/", "%"], depth),
            lambda: f"size({self.make(self.pick(['string', 'bytes', 'list_int', 'map']), depth)})",
            lambda: f"int({self.make(self.pick(['uint', 'double', 'string', 'int']), depth)})",
            lambda: f"(-{self.make('int', depth)})",
            lambda: f"{self.make('list_int', depth)}[{self.make('int', depth)}]",
            lambda: f"{self.make('map', depth)}.{self.pick(['a', 'b', 'ab'])}",
            lambda: f"{self.make('map', depth)}[{self.make('string', depth)}]",
            lambda: self.condition("int", depth),
            lambda: f"{self.make('timestamp', depth)}.{self.part()}()",
            lambda: f"{self.make('string', depth)}.indexOf({self.make('string', depth)})",
        ])()

    def part(self):
        return self.pick(["getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek",
                          "getDayOfYear", "getHours", "getMinutes", "getSeconds",
                          "getMilliseconds"])

    def make_uint(self, depth):
        return self.pick([
            lambda: self.binary("uint", ["+", "-", "*", "/", "%"], depth),
            lambda: f"uint({self.make(self.pick(['int', 'double', 'string', 'uint']), depth)})",
            lambda: self.condition("uint", depth),
        ])()

    def make_double(self, depth):
        return self.pick([
            lambda: self.binary("double", ["+", "-", "*", "/"], depth),
            lambda: f"double({self.make(self.pick(['int', 'uint', 'double']), depth)})",
            lambda: f"double({quote(self.pick(['1', '-2.5', '1e3', '0.1']))})",
            lambda: f"(-{self.make('double', depth)})",
            lambda: self.condition("double", depth),
        ])()

    def make_string(self, depth):
        return self.pick([
            lambda: self.binary("string", ["+"], depth),
            lambda: f"string({self.make(self.pick(['int', 'uint', 'bool', 'string']), depth)})",
            lambda: f"{self.make('list_string', depth)}[{self.make('int', depth)}]",
            lambda: self.condition("string", depth),
            lambda: f"{self.make('string', depth)}.{self.pick(['lowerAscii', 'upperAscii', 'trim'])}()",
            lambda: f"{self.make('string', depth)}.substring({self.pick([0, 1, 2])})",
            lambda: f"{self.make('list_string', depth)}.join({quote(self.pick(WORDS))})",
            lambda: f"{self.make('string', depth)}.replace({quote(self.pick(WORDS[1:]))}, "
                    f"{self.make('string', depth)})",
        ])()

    def make_bytes(self, depth):
        return self.pick([
            lambda: self.binary("bytes", ["+"], depth),
            lambda: f"bytes({self.make('string', depth)})",
        ])()

    def make_timestamp(self, depth):
        return f"({self.make('timestamp', depth)} {self.pick('+-')} {self.make('duration', depth)})"

    def make_duration(self, depth):
        return self.pick([
            lambda: self.binary("duration", ["+", "-"], depth),
            lambda: f"({self.make('timestamp', depth)} - {self.make('timestamp', depth)})",
        ])()

    def make_bool(self, depth):
        compared = self.pick(["int", "uint", "double", "string", "bool", "bytes", "timestamp",
                              "duration"])
        other = self.pick(["int", "uint", "double"]) if compared in ("int", "uint", "double") \
            else compared
        anything = self.pick(["int", "uint", "double", "string", "bool", "null", "list_int", "map",
                              "record", "bytes"])
        return self.pick([
            lambda: f"({self.make(compared, depth)} {self.pick(['<', '<=', '>', '>='])} "
                    f"{self.make(other, depth)})",
            lambda: self.binary(anything, ["==", "!="], depth),
            lambda: f"({self.make(compared, depth)} == {self.make(other, depth)})",
            lambda: self.binary("bool", ["&&", "||"], depth),
            lambda: f"!{self.make('bool', depth)}",
            lambda: self.condition("bool", depth),
            lambda: f"({self.make('int', depth)} in {self.make('list_int', depth)})",
            lambda: f"({self.make('string', depth)} in {self.make('map', depth)})",
            lambda: f"has({self.pick(['m', 'r'])}.{self.pick(['a', 'b', 'c'])})",
            lambda: f"{self.make('string', depth)}.{self.pick(['contains', 'startsWith', 'endsWith'])}"
                    f"({self.make('string', depth)})",
            lambda: f"{self.make('string', depth)}.matches('{self.pick(PATTERNS)}')",
            lambda: self.fold(self.pick(["all", "exists", "exists_one"]), "bool", depth),
            lambda: f"bool({self.make(self.pick(['bool', 'string']), depth)})",
            lambda: f"(type({self.make(anything, depth)}) == type({self.make(anything, depth)}))",
        ])()

    def fold(self, macro, kind, depth):
        name = f"x{len(self.locals)}"
        element = self.pick(["int", "string"])
        body = self.with_local(name, element, lambda: self.make(kind, depth))
        return f"{self.make('list_' + element, depth)}.{macro}({name}, {body})"

    def make_list(self, element, depth):
        return self.pick([
            lambda: self.binary("list_" + element, ["+"], depth),
            lambda: "[" + ", ".join(self.make(element, depth)
                                    for _ in range(self.chance.randrange(4))) + "]",
            lambda: self.fold("map", element, depth),
            lambda: self.condition("list_" + element, depth),
        ])()

    def make_list_int(self, depth):
        if self.chance.random() < 0.2:
            body = self.with_local("f", "int", lambda: self.make("bool", depth))
            return f"{self.make('list_int', depth)}.filter(f, {body})"
        return self.make_list("int", depth)

    def make_list_string(self, depth):
        if self.chance.random() < 0.2:
            return f"{self.make('string', depth)}.split({quote(self.pick(WORDS))})"
        return self.make_list("string", depth)

    def make_map(self, depth):
        if self.chance.random() < 0.3:
            return self.condition("map", depth)
        return "{" + ", ".join(f"'{key}': {self.make('int', depth)}"
                               for key in self.chance.sample(["a", "b", "ab"], 2)) + "}"

    def value(self, kind):
        """A value for a name, tagged."""
        if kind == "int":
            return {"int": str(self.pick(INTS))}
        if kind == "uint":
            return {"uint": str(self.pick(UINTS))}
        if kind == "double":
            return {"double": self.pick(DOUBLES)}
        if kind == "string":
            return {"string": self.pick(WORDS)}
        if kind == "bool":
            return {"bool": self.chance.random() < 0.5}
        if kind == "bytes":
            return {"bytes_hex": self.pick(BYTES)}
        if kind == "null":
            return {"null": None}
        if kind in ("list_int", "list_string"):
            return {"list": [self.value(kind[5:]) for _ in range(self.chance.randrange(4))]}
        keys = self.chance.sample(["a", "b", "c"], self.chance.randrange(4))
        kinds = ["int"] if kind == "map" else ["int", "string", "list_int", "map"]
        return {"map": [[{"string": key}, self.value(self.pick(kinds))] for key in keys]}

    def line(self):
        kind = self.pick(["int", "uint", "double", "string", "bool", "bool", "bool", "bytes",
                          "list_int", "list_string", "map", "timestamp", "duration"])
        expression = self.make(kind, self.chance.randrange(1, 5))
        return {"expr": expression, "disable_check": True,
                "bindings": {name: self.value(of) for name, of in NAMES.items()}}


def normal(value):
    """A form in which equal values are equal."""
    (tag, content), = value.items()
    if tag == "double":
        number = float(content)
        return tag, "NaN" if math.isnan(number) else (number, math.copysign(1, number))
    if tag == "list":
        return tag, tuple(map(normal, content))
    if tag == "map":
        return tag, frozenset((normal(key), normal(item)) for key, item in content)
    if tag in ("timestamp", "duration"):
        return tag, moment(content)
    return tag, content


def moment(content):
    """Seconds and nanoseconds, whichever way they are written."""
    if isinstance(content, list):
        return int(content[0]) * 10**9 + content[1]
    if content.endswith("s"):
        whole, _, fraction = content[:-1].partition(".")
        nanoseconds = int((fraction + "0" * 9)[:9])
        return int(whole) * 10**9 + (-nanoseconds if whole.startswith("-") else nanoseconds)
    import datetime
    date, _, fraction = content[:-1].partition(".")
    seconds = datetime.datetime.fromisoformat(date) - datetime.datetime(1970, 1, 1)
    return (seconds.days * 86400 + seconds.seconds) * 10**9 + int((fraction + "0" * 9)[:9])


def is_same(ours, theirs):
    if "error" in ours or "error" in theirs:
        return "error" in ours and "error" in theirs
    return normal(ours["value"]) == normal(theirs["value"])


def says(whose, pattern, within=""):
    """True for answers of which one is an error in these words, of an expression like that."""
    def holds(expression, ours, theirs):
        answer = ours if whose == "ours" else theirs
        return re.search(pattern, answer.get("error", "")) and re.search(within, expression)
    return holds


def same_time(expression, ours, theirs):
    """'-0.5s' and '-0.500s', '2024-02-29T12:00:00.5Z' and '2024-02-29T12:00:00.500Z'"""
    texts = [answer.get("value", {}).get("string", "") for answer in (ours, theirs)]
    return all(re.fullmatch(r"(-?\d+|[\dT:-]+)(\.\d+)?[sZ]", text) for text in texts) and \
        re.sub(r"0+([sZ])$", r"\1", texts[0]) == re.sub(r"0+([sZ])$", r"\1", texts[1])


def minus_zero(expression, ours, theirs):
    """JavaScript writes -0.0 without its sign."""
    return ours.get("value") == {"string": "-0"} and theirs.get("value") == {"string": "0"}


def rounded(expression, ours, theirs):
    """A whole number that no double is, compared with a double: here exactly, there rounded."""
    return "bool" in ours.get("value", {}) and "bool" in theirs.get("value", {}) and \
        re.search(r"\d{16}.*(double\(|\d\.\d)|(double\(|\d\.\d).*\d{16}", expression)


# Differences whose reason is known. Beside them, never generated: has() of a member that is
# null, which is there (they say it is not), and replace('', …), which goes between all letters.
EXPLAINED = {
    # JavaScript reads '' as 0 and any other text as NaN: no number is an error in CEL.
    "text that is no number": says("ours", r" is no (int|uint|double)$"),
    # [7, 8][true] is no element of a list.
    "a bool as index": says("ours", r"^no such overload: list\[bool\]"),
    # What is no key is not in a map: nothing equals it there.
    "odd keys": says("theirs", r"no matching overload for '@in' applied to '\([\w.]+, map\)'"),
    # Theirs divides unsigned numbers above 2**63 as if they were signed.
    "large uint": says("theirs", r"^int overflow during (divide|modulus) by"),
    # Not a conversion of the specification.
    "int(duration)": says("ours", r"^no such overload: int\(duration\)"),
    # Theirs takes !!x and --x for x, whatever x is.
    "!!x": says("ours", r"^no such overload: !\w+$", "!!"),
    "--x": says("ours", r"^(no such overload: -\w+|int overflow)$", "--|-\\(-"),
    # Theirs has no minus before an unsigned number, here it is an error when it runs.
    "-1u": says("theirs", r"^(SyntaxError: )?syntax error", r"-\d+u"),
    # Theirs are 64 bits of nanoseconds, 292 years; the specification has 10,000 years.
    "long durations": says("theirs", r"duration out of range"),
    "the digits of a time": same_time,
    "-0.0": minus_zero,
    "exact comparison": rounded,
}


def explain(line, ours, theirs):
    """The name of the reason, or None."""
    for name, holds in EXPLAINED.items():
        if holds(line["expr"], ours, theirs):
            return name
    return None


class Program:
    """One of the two: lines in, answers out."""

    def __init__(self, words):
        self.words = words

    def answers(self, lines):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        done = subprocess.run(self.words, input=text, stdout=subprocess.PIPE, text=True,
                              check=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        if len(answers) != len(lines):
            raise RuntimeError(f"{self.words[0]}: {len(answers)} answers to {len(lines)} lines")
        return answers


def parts(expression):
    """Smaller expressions in it: what stands in brackets, and operands of the outermost one."""
    found = []
    open_at = []
    for at, letter in enumerate(expression):
        if letter in "([{":
            open_at.append(at)
        elif letter in ")]}" and open_at:
            start = open_at.pop()
            inner = expression[start + 1:at]
            found += [inner, expression[:start] + inner + expression[at + 1:]]
            found += [piece for piece in inner.split(", ")]
            for literal in ("1", "true", "'a'", "[]", "b'a'", "1u", "1.0"):
                found.append(expression[:start] + literal + expression[at + 1:])
    for word in expression.split(" "):
        found.append(word)
    return sorted({each for each in found if 0 < len(each) < len(expression)}, key=len)


def shrink(lines, differs):
    """The smallest expressions found that still differ, all lines at once."""
    at_work = list(range(len(lines)))
    for _ in range(30):
        tried = [(at, {**lines[at], "expr": part})
                 for at in at_work for part in parts(lines[at]["expr"])]
        moved = {}
        for (at, candidate), is_different in zip(tried, differs([each for _, each in tried])):
            if is_different:
                moved.setdefault(at, candidate) # parts come by length: the first is the least
        for at, candidate in moved.items():
            lines[at] = candidate
        at_work = list(moved)
        if not at_work:
            break
    return lines


def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--npm", default=os.environ.get("INTERLOCK_CEL_NPM", ""))
    parser.add_argument("--install", action="store_true")
    return parser.parse_args()


OPTIONS = options()


def find_package():
    """The folder that has the package, or None."""
    if not shutil.which("node") or not OPTIONS.npm:
        return None
    folder = pathlib.Path(OPTIONS.npm)
    if not (folder / "node_modules/@bufbuild/cel").exists() and OPTIONS.install \
            and shutil.which("npm"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text("{}\n", encoding="utf-8")
        subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--silent", *PACKAGES],
                       cwd=folder, check=False, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
    return folder if (folder / "node_modules/@bufbuild/cel").exists() else None


def tell(line, ours, theirs):
    used = {name: value for name, value in line["bindings"].items()
            if re.search(rf"\b{name}\b", line["expr"])}
    print(f"# {line['expr']}  with {json.dumps(used)}\n"
          f"#   ours:   {json.dumps(ours)}\n#   theirs: {json.dumps(theirs)}")


class Differential(unittest.TestCase):
    def test_both_give_the_same_answers(self):
        folder = find_package()
        if folder is None:
            self.skipTest("@bufbuild/cel is not installed")
        ours = Program([os.path.abspath(OPTIONS.program), "eval", "--typed", "--batch"])
        theirs = Program(["node", str(ROOT / "tests/long/cel_differential.mjs"),
                          str(folder.resolve())])

        def ask(lines):
            return list(zip(ours.answers(lines), theirs.answers(lines))) if lines else []

        generator = Generator(random.Random(OPTIONS.seed))
        explained, values = collections.Counter(), 0
        different = []
        for start in range(0, OPTIONS.count, BATCH):
            lines = [generator.line() for _ in range(min(BATCH, OPTIONS.count - start))]
            for line, answers in zip(lines, ask(lines)):
                values += "value" in answers[0]
                reason = None if is_same(*answers) else explain(line, *answers)
                explained[reason] += reason is not None
                if reason is None and not is_same(*answers):
                    different.append(line)
        # What an error was swallowed in shows its reason when it is small.
        small = shrink(different[:SHRUNK_MAX], lambda lines: [
            not is_same(*answers) and "syntax error" not in answers[1].get("error", "")
            for answers in ask(lines)])
        unexplained = len(different) - len(small)
        for line, answers in zip(small, ask(small)):
            reason = explain(line, *answers)
            explained[reason] += reason is not None
            unexplained += reason is None
            if reason is None and unexplained <= TOLD_MAX:
                tell(line, *answers)
        print(f"# {OPTIONS.count} expressions, {values} of them with a value; explained: "
              f"{dict(+explained)}; unexplained: {unexplained}")
        self.assertEqual(unexplained, 0, f"seed {OPTIONS.seed}")


sys.argv = sys.argv[:1]
tap.main(Differential)
