#!/usr/bin/env python3
"""`eval`: an expression, or a stream of them with an answer each."""

import json

import harness


class Eval(harness.Case):
    def ask(self, *lines, typed=False, status=0):
        """The answers to lines, which are text, bytes or requests."""
        data = b"".join(line if isinstance(line, bytes) else
                        (line if isinstance(line, str) else json.dumps(line)).encode() + b"\n"
                        for line in lines)
        self.write("in", data)
        words = ["--typed"] if typed else []
        with open(self.path("in"), encoding="utf-8", errors="surrogateescape") as file:
            answer = self.end(self.begin("eval", *words, "--batch", stdin=file))
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.err, "")
        return answer.lines

    def test_an_expression_is_evaluated(self):
        for expression, value in [("1 + 2", 3), ("[1, 2.5, 'a', true, null]",
                                                  [1, 2.5, "a", True, None]),
                                  ("{'a': duration('90s')}", {"a": "90s"})]:
            self.assertEqual(self.must("eval", expression).lines, [value])
        bound = self.must("eval", "o.n > 2 && s == 'é'", "--bindings", '{"o":{"n":3},"s":"é"}')
        self.assertEqual(bound.lines, [True])
        typed = self.must("eval", "--typed", "x + 1u", "--bindings", '{"x":{"uint":"2"}}')
        self.assertEqual(typed.lines, [{"uint": "3"}])

    def test_what_is_wrong_with_it_is_told_on_stderr(self):
        for words, status, text in [
                (["1 +"], 1, "expression:1:4: error IL0105: "),
                (["abcd + 1", "--bindings", '{"abc":1}'], 1, "did you mean 'abc'?"),
                (["1 / 0"], 1, "error IL1008: "),
                (["x", "--bindings", "{"], 2, "--bindings is not valid JSON"),
                (["x", "--bindings", "[]"], 2, "is a JSON object"),
                (["--typed", "x", "--bindings", '{"x":1}'], 2, "the binding `x`"),
                (["x", "--batch"], 2, "come on stdin"),
                ([], 2, "the expression is missing")]:
            answer = self.must("eval", *words, status=status)
            self.assertIn(text, answer.err)
            self.assertEqual(answer.out, "")

    def test_a_batch_answers_every_line_in_order(self):
        answers = self.ask({"expr": "1 + 2"}, {"expr": "x", "bindings": {"x": [1]}},
                           {"expr": "1 / 0", "id": "mine"}, {"expr": "'a'"})
        self.assertEqual([list(a) for a in answers],
                         [["value"], ["value"], ["error"], ["value"]])
        self.assertEqual([a.get("value") for a in answers], [3, [1], None, "a"])

    def test_nothing_stops_at_a_bad_line(self):
        bad = ["{", "[]", "3", "null", "nonsense", '{"expr":1}', "{}", '{"expr":"1","expr":"2"}',
               '{"expr":"1","bindings":[]}', '{"expr":"1","container":3}',
               '{"expr":"1","type_env":{}}', '{"expr":"1","disable_check":1}',
               "[" * 100000, '{"expr":"' + "1" * (2 << 20) + '"}',
               b'{"expr":"\xff\xfe"}\n', b'{"expr":"\\ud800"}\n', b'{"expr":"\0"}\n']
        lines = [line for each in bad for line in (each, {"expr": "1"})]
        answers = self.ask(*lines, status=1)
        self.assertEqual(len(answers), len(lines))
        for at, answer in enumerate(answers):
            self.assertEqual(list(answer), ["value" if at % 2 else "error"], str(lines[at])[:80])

    def test_an_expression_that_goes_too_far_is_an_error(self):
        deep = "(" * 5000 + "1" + ")" * 5000
        wide = "[1,2,3,4,5,6,7,8,9]"
        walk = "".join(f"{wide}.all(a{i}, " for i in range(9)) + "true" + ")" * 9
        double = "".join(f"cel.bind(s{i}, s{i-1} + s{i-1}, " for i in range(1, 60))
        for expression in [deep, "-" * 9000 + "1", walk, "1 +" * 8000 + "1",
                           f"cel.bind(s0, 'aaaa', {double} s59{')' * 60}"]:
            self.assertEqual(list(self.ask({"expr": expression}, {"expr": "1"})[0]), ["error"],
                             expression[:40])

    def test_messages_do_not_end_in_the_middle_of_a_character(self):
        answers = self.ask(*({"expr": f"int('{'x' * i}{'日' * 20}')"} for i in range(3)))
        for answer in answers:  # reading it was UTF-8 already
            self.assertTrue(answer["error"].endswith("日'… is no int"), answer)

    def test_kinds_are_kept_when_they_are_written(self):
        values = [{"null": None}, {"bool": True}, {"int": "-9223372036854775808"},
                  {"uint": "18446744073709551615"}, {"double": "1.5"}, {"string": "é\0"},
                  {"bytes_hex": "00ff"}, {"list": [{"int": "1"}, {"list": []}]},
                  {"map": [[{"bool": True}, {"uint": "1"}], [{"string": "a"}, {"null": None}]]},
                  {"timestamp": "2026-01-31T09:00:00.5Z"}, {"duration": "-1.5s"},
                  {"type": "int"}, {"optional": None}, {"optional": {"int": "1"}}]
        answers = self.ask(*({"expr": "x", "bindings": {"x": v}} for v in values), typed=True)
        self.assertEqual([a.get("value", a) for a in answers], values)
        special = self.ask(*({"expr": e} for e in ["0.0 / 0.0", "-1.0 / 0.0", "-0.0", "1e+300"]),
                           typed=True)
        self.assertEqual([a["value"]["double"] for a in special],
                         ["NaN", "-Infinity", "-0.0", "1e+300"])

    def test_wrong_tags_are_errors(self):
        wrong = [1, {}, {"int": "1", "uint": "1"}, {"int": "x"}, {"int": ""}, {"int": " 1"},
                 {"int": "9223372036854775808"}, {"uint": "-1"}, {"double": "1.5x"},
                 {"string": 1}, {"bytes_hex": "0"}, {"bytes_hex": "0g"}, {"list": [1]},
                 {"map": [[{"int": "1"}]]}, {"map": [[{"double": "1"}, {"int": "1"}]]},
                 {"what": 1}, {"duration": "1"}, {"timestamp": "today"}]
        answers = self.ask(*({"expr": "x", "bindings": {"x": v}} for v in wrong), typed=True)
        self.assertEqual([list(a) for a in answers], [["error"]] * len(wrong))

    def test_names_containers_and_switches_are_as_asked_for(self):
        bindings = {"a.b": 1, "b": 2}
        answers = self.ask(
            {"expr": "b", "container": "a", "bindings": bindings},
            {"expr": ".b", "container": "a", "bindings": bindings},
            {"expr": "nope || true"},
            {"expr": "nope || true", "disable_check": True},
            {"expr": "[1].all(x, true)", "disable_macros": True},
            {"expr": "x || true", "type_env": [{"name": ["x"], "ident": []}]},
            {"expr": "1", "bindings": None, "container": None, "disable_check": None})
        self.assertEqual([a.get("value", "error") for a in answers],
                         [1, 2, "error", True, "error", True, 1])

    def test_expressions_are_checked_before_they_run(self):
        env = [{"name": "n", "type": "int"}, {"name": ["s"], "ident": [
            {"type": [{"list_type": [{"elem_type": [{"primitive": [{"$id": "STRING"}]}]}]}]}]}]
        answers = self.ask(
            {"expr": "[1]", "check_only": True},
            {"expr": "s.map(x, {x: n})", "check_only": True, "type_env": env},
            {"expr": "s + n", "check_only": True, "type_env": env},
            {"expr": "true || 'a' + 1 == 2"},
            {"expr": "true || 'a' + 1 == 2", "disable_check": True},
            {"expr": "n == 'a'", "type_env": env, "bindings": {"n": 1}},
            {"expr": "1", "type_env": [{"name": "n", "type": "what is that"}]},
            {"expr": "1", "type_env": [{"type": "int"}]})
        self.assertEqual([a.get("type", a.get("value", "error")) for a in answers],
                         ["list(int)", "list(map(string, int))", "error", "error", True, False,
                          "error", "error"])


harness.main(Eval)
