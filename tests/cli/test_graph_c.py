#!/usr/bin/env python3
"""`graph -o c`: the emitted file beside `step`, over random machines and random events.

More machines than usual with INTERLOCK_MACHINES=250.
"""

import json
import os
import random
import re
import shutil
import subprocess

import harness

COMPILERS = [name for name in ("gcc", "clang") if shutil.which(name)]
FLAGS = ["-std=c17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror",
         "-O1", "-fsanitize=undefined", "-fno-sanitize-recover=all"]

# Reads a line for each event, its number and its payload, and says a line of JSON: what the instance is then and what
# it asked for.
DRIVER = """\
#include "emitted.c"
#include <stdio.h>

static const char *between = "";

void say(const char *what, int number);
void say(const char *what, int number)
{
    printf("%s[\\"%s\\",%d]", between, what, number);
    between = ",";
}
HOST
static void tell(const struct NAME *it, int outcome)
{
    printf("],\\"outcome\\":%d,\\"status\\":%d,\\"leaves\\":[", outcome, (int)it->status);
    between = "";
    for (int i = 0; i < STATES; i++) {
        if (NAME_is_in(it, (enum NAME_state)i) && row[i] != NO_ROW) {
            printf("%s\\"%s\\"", between, NAME_state_name((enum NAME_state)i));
            between = ",";
        }
    }
    printf("],\\"context\\":{");
FIELDS
    printf("}}\\n");
    fflush(stdout);
    between = "";
}

int main(void)
{
    struct NAME it;
    int event;
    printf("{\\"calls\\":[");
    NAME_start(&it, &host);
    tell(&it, 0);
    while (scanf("%d", &event) == 1) {
        printf("{\\"calls\\":[");
        struct NAME_event given = {.type = (enum NAME_event_type)event};
PAYLOADS
        int outcome = (int)NAME_step(&it, &host, &given);
        tell(&it, outcome);
    }
    return 0;
}
"""

HOSTS = {
    "act": "static void act(void *c, const struct NAME *s, enum NAME_action n, "
           "const struct NAME_event *e)\n{ (void)c; (void)s; (void)e; say(\"act\", (int)n); }\n",
    "arm": "static void arm(void *c, const struct NAME *s, enum NAME_event_type n, int64_t ms)\n"
           "{ (void)c; (void)s; (void)ms; say(\"arm\", (int)n); }\n",
    "disarm": "static void disarm(void *c, const struct NAME *s, enum NAME_event_type n)\n"
              "{ (void)c; (void)s; say(\"disarm\", (int)n); }\n",
    "invoke": "static void invoke(void *c, const struct NAME *s, enum NAME_invoke n)\n"
              "{ (void)c; (void)s; say(\"invoke\", (int)n); }\n",
    "stop": "static void stop(void *c, const struct NAME *s, enum NAME_invoke n)\n"
            "{ (void)c; (void)s; say(\"stop\", (int)n); }\n",
}


# What comes with events, and who has not to have it.
PAYLOADS = {"E0": {"k": {"type": "integer"}, "s": {"enum": ["a", "b"]}},
            "E1": {"k": {"type": "integer"}, "w": {"type": "string"}},
            "E2": {"x": {"type": "number"}, "s": {"type": "string"}, "y": {"type": "boolean"}}}
OPTIONAL = {("E1", "k"), ("E1", "w"), ("E2", "s")}


class Maker:
    """Random machines of what C has words for."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.states = []
        self.root = {"id": "m", "context": {"n": 0, "b": False, "x": 0.5, "s": "c"},
                     "events": {"*": {}, **{
                         event: {"type": "object", "properties": members,
                                 "required": [key for key in members
                                              if (event, key) not in OPTIONAL]}
                         for event, members in PAYLOADS.items()}},
                     "guards": {"big": "context.n > 3 || context.b",
                                "odd": "context.n % 2 == 1 && !big"},
                     "on": {event: {} for event in PAYLOADS},  # so they have numbers
                     "invariants": {"small": "context.n < 1000"}}
        self.plant(self.root, "", 0)
        for path, state in self.states:
            if state.get("type") not in ("final", "history"):
                self.fill(path, state)

    def plant(self, state, path, depth):
        count = self.dice.randint(2, 3)
        parallel = self.dice.random() < 0.35
        state["states"] = {}
        for i in range(count):
            key = f"{'PQRS'[depth]}{i}"
            inner = {}
            where = f"{path}.{key}" if path else key
            self.states.append((where, inner))
            state["states"][key] = inner
            if depth < 3 and self.dice.random() < (0.7 if parallel else 0.35):
                self.plant(inner, where, depth + 1)
            elif self.dice.random() < 0.2 and not (parallel and i == 0):
                inner["type"] = "final"
        if self.dice.random() < 0.35:
            inner = {"type": "history"}
            if self.dice.random() < 0.5:
                inner["history"] = "deep"
            if self.dice.random() < 0.3:
                inner["target"] = self.dice.choice(list(state["states"]))
            state["states"]["H"] = inner
            self.states.append((f"{path}.H" if path else "H", inner))
        if parallel:
            state["type"] = "parallel"
        else:
            state["initial"] = self.dice.choice([key for key in state["states"] if key != "H"])

    def members(self, event):
        """What can be read of the payload: of any event where it may be any."""
        events = PAYLOADS if event == "*" else [event]
        return sorted({key for one in events for key in PAYLOADS.get(one, {})})

    def payload_guard(self, event):
        guards = {"k": ["event.k > 2", "has(event.k) && event.k != 3", "payload.k == event.k",
                        "event.?k.orValue(context.n) < 2", "event.k in [1, 2]"],
                  "s": ["event.s == 'a'", "event.s in ['b', 'zz']", "!(event.s != 'b')"],
                  "w": ["event.w == ''", "event.?w.orValue('no') == 'no'", "!has(event.w)"],
                  "x": ["event.x > 1.0 || context.n == context.n", "event.x * 2.0 < context.x"],
                  "y": ["event.y", "!event.y || event.x >= 1"]}
        return self.dice.choice(guards[self.dice.choice(self.members(event))])

    def guard(self, event=None):
        if self.members(event) and self.dice.random() < 0.4:
            return self.payload_guard(event)
        return self.dice.choice([
            "context.s == 'a'", "context.s in ['b', 'zz'] || context.s != 'c'",
            "context.n > 2", "context.n + 1 == 3 || In('%s')" % self.dice.choice(self.states)[0],
            "big", "!odd", "10 / context.n > 2", "context.b ? context.n < 4 : context.x > 1.0",
            "context.n in [1, 2, 5] || 1 / (context.n - 3) == 1", "context.x * 2.0 < 5.0",
            "event.type == 'error.execution'", "int(context.x) < context.n && double(context.n) >= 1.0",
            {"and": ["big", "context.n * 2 > 4"]}, {"not": "odd"}, "-context.n < -1"])

    def assign(self, event=None):
        if self.members(event) and self.dice.random() < 0.5:
            return self.dice.choice([
                {"k": {"n": "${event.k}"}, "s": {"s": "${event.s}"}, "w": {"s": "${event.w}"},
                 "x": {"x": "${event.x}", "n": 1}, "y": {"b": "${event.y}"}}[key]
                for key in self.members(event)])
        return self.dice.choice([
            {"s": "${context.b ? 'b' : 'zz'}"}, {"s": "a"},
            {"n": "${context.n + 1}"}, {"n": "${(context.n * 7 + 1) % 11}"},
            {"b": "${!context.b}", "n": "${context.b ? 0 : context.n}"}, {"n": 0, "x": 0.5},
            [{"n": "${context.n - 1}"}, {"b": "${context.n > 2}"}],
            {"x": "${context.x + 0.75}"}, {"n": "${100 / context.n}"},
            {"n": "${context.n * 9223372036854775807}"}])

    def actions(self, event="*"):
        return [self.dice.choice([
            "beep", "hoot", {"assign": self.assign(event)}, {"assign": self.assign(event)},
            {"raise": f"E{self.dice.randint(2, 9)}"},
            {"log": "hm"}, {"if": self.guard(event), "then": ["beep"],
                            "else": [{"assign": self.assign(event)}]}])
            for _ in range(self.dice.randint(1, 2))]

    def transition(self, event=None, guarded=False):
        made = {}
        if guarded or self.dice.random() < 0.5:
            made["guard"] = self.guard(event)
        if self.dice.random() < 0.3:
            made["actions"] = self.actions(event)
        if self.dice.random() < 0.25:
            made["reenter"] = True
        if self.dice.random() < 0.9:
            made["target"] = "#m." + self.dice.choice(self.states)[0]
        return made

    def fill(self, path, state):
        names = self.dice.sample(["E0", "E1", "E2", "E3", "*", "E4.*"], 3)
        state["on"] = {name: [self.transition(name) for _ in range(self.dice.randint(1, 2))]
                       for name in names}
        for name in ("entry", "exit"):
            if self.dice.random() < 0.25:
                state[name] = self.actions()
        if self.dice.random() < 0.07:
            state["always"] = self.transition("*", guarded=True)
        if self.dice.random() < 0.2:
            state["after"] = {f"{self.dice.randint(1, 3)}s": self.transition()}
        if self.dice.random() < 0.2:
            state["invoke"] = {"src": "work", "onDone": self.transition()}
            if self.dice.random() < 0.5:
                state["invoke"]["onError"] = self.transition()
        if "states" in state and self.dice.random() < 0.4:
            state["onDone"] = self.transition()


def leaves(value, prefix=""):
    """The paths of the active leaves in a state's value."""
    if isinstance(value, str):
        return [prefix + value]
    found = []
    for key, inner in value.items():
        found += leaves(inner, f"{prefix}{key}.") if inner != {} else [prefix + key]
    return found


def enum(text, kind):
    """The names of an enum in an emitted file, by number."""
    found = re.search(r"enum \w+_%s \{\n(.*?)\};" % kind, text, re.S)
    if not found:
        return {}
    first = 1 if kind == "event_type" else 0
    names = re.findall(r"^ +\w+?_(?:ON|AT|ACTION|INVOKE)_(\w+)", found[1], re.M)
    return {first + i: name for i, name in enumerate(names)}


class GraphC(harness.Case):
    def emit(self, file):
        return self.must("graph", file, "-o", "c").out

    def payload_reader(self, emitted):
        """What reads the members of a payload in the order of their struct."""
        events = {name: number for number, name in enum(emitted, "event_type").items()}
        self.payloads = {}
        lines = ""
        for members, event in re.findall(r"        struct \{\n(.*?)        \} on_(\w+);", emitted, re.S):
            lines += f"        if (event == {events[event]}) {{\n"
            self.payloads[event] = re.findall(r"(\w+) (\w+);", members)
            for kind, member in self.payloads[event]:
                place = f"given.as.on_{event}.{member}"
                lines += {
                    "bool": f'int i; if (scanf("%d", &i) == 1) {place} = i != 0;',
                    "int64_t": f'long long i; if (scanf("%lld", &i) == 1) {place} = i;',
                    "double": f'double x; if (scanf("%lf", &x) == 1) {place} = x;',
                    "m_word": 'char t[32]; if (scanf("%31s", t) == 1) '
                              f'{place} = m_word_of(t[0] == \'-\' ? "" : t);',
                }[kind].join(["        { ", " }\n"])
            lines += "        }\n"
        return lines

    def payload(self, event, dice):
        """A random payload as JSON, and as the driver reads it."""
        values = {key: value for key, value in
                  {"k": dice.randint(0, 4), "s": dice.choice(["a", "b"]), "x": dice.random() * 3,
                   "w": dice.choice(["", "no", "c", "zz", "?"]),
                   "y": dice.random() < 0.5}.items()
                  if key in PAYLOADS.get(event, {})
                  and not ((event, key) in OPTIONAL and dice.random() < 0.4)}
        written = []
        for kind, member in self.payloads.get(event, []):
            value = values.get(member, 0)
            if kind == "bool" and member.startswith("has_"):
                value = member[4:] in values
            written.append(str(int(value)) if kind in ("bool", "int64_t") else
                           repr(value) if kind == "double" else str(value) or "-")
        return values, " ".join(written)

    def compile(self, emitted, compiler, name):
        self.write("emitted.c", emitted)
        driver = DRIVER
        asked = [host for host in HOSTS if re.search(r"\(\*%s\)" % host, emitted)]
        driver = driver.replace("HOST", "".join(HOSTS[host] for host in asked) +
                                "static const struct NAME_host host = {" +
                                ", ".join([".context = NULL"] +
                                          [f".{host} = {host}" for host in asked]) + "};\n")
        fields = re.search(r"struct \w+_context \{\n(.*?)\};", emitted, re.S)
        prints = ""
        for kind, field in re.findall(r"(\w+) (\w+);", fields[1] if fields else ""):
            form, value = {"bool": ("%s", f"it->context.{field} ? \"true\" : \"false\""),
                           "int64_t": ("%lld", f"(long long)it->context.{field}"),
                           "double": ("%.17g", f"it->context.{field}"),
                           f"{name}_word": ('\\"%s\\"', f"{name}_word_text(it->context.{field})"),
                           }[kind]
            between = "," if prints else ""
            prints += f'    printf("{between}\\"{field}\\":{form}", {value});\n'
        driver = driver.replace("FIELDS", prints).replace("NAME", name)
        driver = driver.replace("PAYLOADS", self.payload_reader(emitted))
        self.write("driver.c", driver)
        built = subprocess.run([compiler, *FLAGS, "-o", "driver", "driver.c"], cwd=self.folder,
                               capture_output=True, text=True)
        self.assertEqual((built.returncode, built.stderr), (0, ""), emitted)

    def run_beside(self, file, compiler, dice, name="m", count=40):
        """Random events to the emitted program, and the same ones to `step`."""
        emitted = self.emit(file)
        self.compile(emitted, compiler, name)
        events = enum(emitted, "event_type")
        invokes = enum(emitted, "invoke")
        driver = subprocess.Popen([self.path("driver")], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        told = [[json.loads(driver.stdout.readline())]]
        script = []
        clock, armed, running = 0, {}, set()

        def follow(answer):
            for what, number in answer["calls"]:
                if what == "arm":
                    delay = re.search(r"after_(\d+)s_", events[number])
                    armed[number] = (clock + int(delay[1]) * 1000, len(told), number)
                elif what == "disarm":
                    armed.pop(number, None)
                elif what == "invoke":
                    running.add(number)
                elif what == "stop":
                    running.discard(number)

        def send(number, payload=""):
            driver.stdin.write(f"{number} {payload}\n")
            driver.stdin.flush()
            answer = json.loads(driver.stdout.readline())
            told[-1].append(answer)
            follow(answer)

        follow(told[0][0])
        outside = [(number, event) for number, event in events.items()
                   if re.fullmatch(r"E\d|OTHER|E4__", event)]
        for _ in range(count):
            if (told[-1] or told[0])[-1]["status"] != 0:
                break  # it is done, or stands still
            told.append([])
            chance = dice.random()
            if armed and chance < 0.2 and min(armed.values())[0] > clock:
                due = min(armed.values())[0]
                script.append({"advance": f"{due - clock}ms"})
                clock = due
                while armed and min(armed.values())[0] <= clock:
                    number = min(armed.values())[2]
                    del armed[number]
                    send(number)
            elif running and chance < 0.4:
                index = dice.choice(sorted(running))
                running.discard(index)
                is_done = dice.random() < 0.6
                path = self.invokes[invokes[index]]
                word = "done" if is_done else "error"
                script.append({"done": path} if is_done else {"error": path})
                send({event: number for number, event in events.items()}
                     [f"{word}_invoke_{invokes[index]}"])
            else:
                number, event = dice.choice(outside)
                values, written = self.payload(event, dice)
                script.append({"type": {"OTHER": "ELSE", "E4__": "E4.x"}.get(event, event),
                               **values})
                send(number, written)
        driver.stdin.close()
        driver.wait()
        driver.stdout.close()
        lines = self.call("step", file, stdin="".join(json.dumps(line) + "\n"
                                                      for line in script)).lines
        self.assertEqual(len(lines), len(script) + 1)
        words = re.search(r"words\[\] = \{(.*?)\};", emitted, re.S)
        words = re.findall('"(.*)"', words[1]) if words else []
        self.compare(lines, told, script, enum(emitted, "action"), words)
        return len(lines)

    def compare(self, lines, told, script, actions, words):
        last = told[0][0]
        for i, line in enumerate(lines):
            last = told[i][-1] if told[i] else last
            where = f"{self.seed} after {script[:i]}\n{line}\n{told[i]}"
            self.assertEqual(line["status"], ["active", "done", "error"][last["status"]], where)
            if line["context"] == {}:
                return  # not even the beginning went well
            self.assertEqual(sorted(leaves(line["value"])), sorted(last["leaves"]), where)
            if "s" in line["context"] and line["context"]["s"] not in words:
                line["context"]["s"] = ""  # one that the machine does not name
            self.assertEqual(line["context"], last["context"], where)
            if line["outcome"] in ("applied", "failed", "ignored") and len(told[i]) == 1:
                self.assertEqual(line["outcome"],
                                 ["applied", "ignored", "failed"][last["outcome"]], where)
            if line["outcome"] != "failed":
                acted = [effect.get("name") or "log_" for effect in line["effects"]
                         if effect["type"] in ("action", "log")]
                self.assertEqual(acted, [actions[number] for answer in told[i]
                                         for what, number in answer["calls"]
                                         if what == "act"], where)
            if line["status"] != "active":
                break

    def make(self, seed):
        maker = Maker(seed)
        self.invokes = {path.replace(".", "_"): path for path, state in maker.states
                        if "invoke" in state}
        return self.write("m.json", json.dumps(maker.root))

    def test_random_machines_give_the_same_answers(self):
        if not COMPILERS:
            self.skipTest("there is no compiler")
        compared = 0
        for seed in range(1, int(os.environ.get("INTERLOCK_MACHINES", "16")) + 1):
            self.seed = seed
            file = self.make(seed)
            if self.call("graph", file).status != 0:
                continue  # the dice made a history state that leads to itself
            answer = self.call("graph", file, "-o", "c")
            if answer.status != 0:
                self.assertRegex(answer.err, "entered together|history state|64 states")
                continue
            compared += self.run_beside(file, COMPILERS[seed % len(COMPILERS)],
                                        random.Random(seed))
        self.assertGreater(compared, 100)
        print(f"# {compared} macrosteps compared", flush=True)

    def test_what_c_has_no_words_for_is_refused_at_its_place(self):
        rows = [("context: {list: []}", "3:11", "`list` must begin as a number, a text"),
                ("entry: {send: X, to: them}", "3:8", "`send` is not written in C"),
                ("always: {guard: \"'a' + 'b' == 'ab'\"}", "3:17", "do not mix"),
                ("always: {guard: \"event.n > 1\"}", "3:17", "`event.n` has no type"),
                ("context: {s: a, t: b}\nalways: {guard: \"context.s == context.t\"}", "4:17",
                 "texts are only compared with constants"),
                ("context: {s: a}\nalways: {guard: \"context.s > 'b'\"}", "4:17",
                 "texts are only compared with constants"),
                ("context: {s: a}\nalways: {guard: \"context.s == 1\"}", "4:17", "different types"),
                ("context: {s: a}\nentry: {assign: {s: \"x${context.s}\"}}", "4:18",
                 "texts made of parts"),
                ("always: {guard: \"context.n > 1\"}", "3:17", "`context.n` has no type"),
                ("entry: {assign: {n: 1}}", "3:18", "its type is not known"),
                ("entry: {raise: {type: e, x: 1}}", "3:8", "without delay and payload"),
                ("after: {\"${1 + 1}\": .A}", "3:9", "a delay must be a constant")]
        for line, place, words in rows:
            self.write("m.yaml", f"id: m\ninitial: A\n{line}\nstates: {{A: {{}}}}\n")
            answer = self.must("graph", "m.yaml", "-o", "c", status=1)
            self.assertEqual(answer.out, "")
            self.assertIn(f"m.yaml:{place}: error IL0106: in C: ", answer.err)
            self.assertIn(words, answer.err)
            self.assertEqual(answer.err.count("error"), 1)

    def test_scxml_documents_have_the_w3cs_rules(self):
        self.write("m.scxml", """\
<scxml name="m" datamodel="cel" initial="a">
  <datamodel><data id="n" expr="2"/></datamodel>
  <state id="a">
    <onentry>
      <assign location="n" expr="context.n * 9223372036854775807"/>
      <assign location="n" expr="3"/>
    </onentry>
    <onentry><if cond="context.n > 1"><assign location="n" expr="context.n + 5"/></if></onentry>
    <transition event="error.execution" target="b"/>
  </state>
  <parallel id="b">
    <onexit><assign location="n" expr="1"/></onexit>
    <transition event="E1"><assign location="n" expr="context.n * 2"/></transition>
    <transition event="E2" target="h"/>
    <state id="p"><transition event="E1" target="p"/>
      <transition event="E3" target="q" type="internal"/><state id="o"/><state id="q"/>
      <history id="h"><transition target="q"/></history>
    </state>
    <state id="r"><transition event="E1" cond="context.n &lt; 60"/><state id="s"/></state>
  </parallel>
</scxml>
""")
        self.seed, self.invokes = "scxml", {}
        for compiler in COMPILERS:
            self.assertEqual(41, self.run_beside("m.scxml", compiler, random.Random(1)))

    def test_any_name_becomes_a_name_in_c(self):
        self.write("m.yaml", "id: switch\ninitial: a b\ncontext: {double: 1, ü: 2, é: 3}\n"
                             "states: {a b: {on: {x y: a-b}}, a-b: {entry: ['a b', a-b]}}\n")
        emitted = self.emit("m.yaml")
        for compiler in COMPILERS:
            self.write("emitted.c", emitted)
            subprocess.run([compiler, *FLAGS, "-c", "emitted.c"], cwd=self.folder, check=True)
        self.assertIn("struct switch_ {", emitted)
        self.assertIn("SWITCH_AT_a_b_2", emitted)

    def test_names_that_are_the_files_own_are_told_apart(self):
        for machine in ("turn", "transition", "entry", "_Bool", "__func__"):
            self.write("m.json", json.dumps({
                "id": machine, "initial": "ROOT_x",
                "context": {name: 1 for name in ("_Bool", "NULL", "INITIAL", "INT64_MAX",
                                                 "a_b_2", "a-b", "a_b", "c")},
                "states": {"ROOT_x": {
                    "on": {"GO": {"target": "B", "guard": "context.NULL + context.a_b < 3"}},
                    "after": {"1s": "B", "2s": "B"},
                    "entry": {"assign": {"_Bool": "${context.INITIAL}"}}}, "B": {}}}))
            emitted = self.emit("m.json")
            for compiler in COMPILERS:
                self.write("emitted.c", emitted)
                subprocess.run([compiler, *FLAGS, "-c", "emitted.c"], cwd=self.folder,
                               check=True)

    def test_members_are_no_macros_of_compilers_and_headers(self):
        names = ("unix", "linux", "errno", "complex", "imaginary", "noreturn", "stdin", "or")
        events = ("GO", "ALL", "EOF", "NULL", "SIGINT", "unix", "I")
        self.write("m.json", json.dumps({
            "id": "linux", "initial": "A", "context": {name: 1 for name in names},
            "events": {event: {"type": "object", "required": names, "properties": {
                name: {"type": "integer"} for name in names}} for event in events},
            "states": {"A": {"on": {event: {"guard": " + ".join(
                f"context.{name} + event.{name}" for name in names) + " > 0"}
                for event in events}}}}))
        headers = ("complex", "errno", "iso646", "signal", "stdio", "stdnoreturn", "string")
        self.write("emitted.c", "".join(f"#include <{name}.h>\n" for name in headers) +
                   self.emit("m.json"))
        for compiler in COMPILERS:
            for standard in ("c17", "gnu17"):
                subprocess.run([compiler, *FLAGS, f"-std={standard}", "-c", "emitted.c"],
                               cwd=self.folder, check=True)

    def test_members_of_a_payload_are_told_apart(self):
        def emit(guard):
            self.write("m.json", json.dumps({
                "id": "m", "initial": "A",
                "events": {"GO": {"type": "object", "properties": {
                    name: {"type": "integer"}
                    for name in ("has_int", "int", "INT", "a-b", "a_b", "has_a_b")}}},
                "states": {"A": {"on": {"GO": {"guard": guard}}}}}))
            return self.call("graph", "m.json", "-o", "c")

        for guard in ("event.?int == optional.none()", "event['a-b'] == 1"):
            self.assertIn("error IL0106: in C: ", emit(guard).err)
        answer = emit("event.int == event.a_b || has(event.has_int)")
        self.assertEqual((answer.status, answer.err), (0, ""))
        for compiler in COMPILERS:
            self.write("emitted.c", answer.out)
            subprocess.run([compiler, *FLAGS, "-c", "emitted.c"], cwd=self.folder, check=True)

    def test_a_number_means_the_same_whatever_has_its_name(self):
        self.write("m.json", json.dumps({
            "id": "m", "initial": "A",
            "states": {"A": {"on": {"E1": "ROOT_m", "OTHER": "B", "E2": "C"}},
                       "ROOT_m": {"on": {"E1": "B"}},
                       "B": {"on": {"E2": "A"}}, "C": {"on": {"OTHER": "A"}}}}))
        emitted = self.emit("m.json")
        self.assertEqual([enum(emitted, "event_type")[number] for number in (1, 4, 5, 6)],
                         ["OTHER", "E1", "OTHER_4", "E2"])
        self.assertEqual(enum(emitted, "state"),
                         {0: "ROOT_m", 1: "A", 2: "ROOT_m_2", 3: "B", 4: "C"})


harness.main(GraphC)
