#!/usr/bin/env python3
"""SCXML documents wherever a definition may stand: step, check, run."""

import os

import harness

PARENT = """\
<scxml xmlns="http://www.w3.org/2005/07/scxml" initial="asking" name="parent">
  <datamodel><data id="answer"/><data id="seen" expr="[]"/></datamodel>
  <state id="asking">
    <invoke id="kid" src="file:kids/child.scxml" autoforward="true">
      <param name="question" expr="40"/>
      <finalize><assign location="seen" expr="seen.concat([_event.name])"/></finalize>
    </invoke>
    <transition event="half"/>
    <transition event="done.invoke.kid" target="told">
      <assign location="answer" expr="_event.data.answer"/>
    </transition>
  </state>
  <state id="told"><transition event="END" cond="_event.data.sure === true" target="end"/></state>
  <final id="end"/>
</scxml>
"""

CHILD = """\
<scxml xmlns="http://www.w3.org/2005/07/scxml" initial="thinking">
  <datamodel><data id="question"/></datamodel>
  <state id="thinking">
    <onentry><send event="tick" delay="1.5s"/></onentry>
    <transition event="tick"><send target="#_parent" event="half"/></transition>
    <transition event="GO" target="ready"/>
  </state>
  <final id="ready"><donedata><param name="answer" expr="question + 2"/></donedata></final>
</scxml>
"""


class Scxml(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("m.scxml", PARENT)
        os.mkdir(self.path("kids"))
        self.write("kids/child.scxml", CHILD)

    def test_children_run_on_the_same_clock(self):
        lines = [f'{{"advance":{ms}}}' for ms in (1499, 1)]
        lines += ['{"type":"GO"}', '{"type":"END","data":{"sure":true}}']
        answer = self.must("step", "m.scxml", stdin="\n".join(lines) + "\n").lines
        self.assertEqual([line["value"] for line in answer],
                         ["asking", "asking", "asking", "told", "end"])
        self.assertEqual(answer[1]["context"]["seen"], [])
        self.assertEqual(answer[2]["context"]["seen"], ["half"])
        self.assertEqual(answer[3]["context"]["answer"], 42)
        self.assertEqual(answer[4]["status"], "done")

    def test_somebody_else_may_answer_for_a_child(self):
        answer = self.must("step", "m.scxml", '{"done":"kid","output":{"answer":1}}').lines
        self.assertEqual(answer[-1]["value"], "told")
        self.assertEqual(answer[-1]["context"]["answer"], 1)

    def test_a_child_that_is_not_there_is_an_error_of_communication(self):
        self.write("m.scxml", PARENT.replace("kids/child", "nowhere").replace(
            'event="half"', 'event="error.communication" target="end"'))
        self.assertEqual(self.must("step", "m.scxml").lines[0]["value"], "end")

    def test_what_is_not_translated_runs_or_is_told_where_it_stands(self):
        self.write("m.scxml", PARENT.replace("_event.data.sure === true", "seen.length++ == 0"))
        answer = self.call("step", "m.scxml", '{"done":"kid","output":{}}', "END")
        if answer.status == 1:  # built without Duktape
            self.assertIn("m.scxml:13:61: error IL0106: `++` is not translated", answer.err)
        else:
            self.assertEqual(answer.lines[-1]["value"], "end")

    def test_a_child_that_is_not_wanted_any_more_leaves_its_states(self):
        self.write("m.scxml", """\
<scxml xmlns="http://www.w3.org/2005/07/scxml" name="parent" initial="asking">
  <state id="asking">
    <invoke id="kid"><param name="boss" expr="_sessionid"/>
      <content><scxml name="kid" initial="in">
        <datamodel><data id="boss"/></datamodel>
        <state id="in">
          <onexit>
            <send target="#_parent" event="unheard"/>
            <send targetexpr="'#_scxml_' + boss" event="bye"/>
          </onexit>
        </state>
      </scxml></content>
    </invoke>
    <transition event="GO" target="left"/>
  </state>
  <state id="left">
    <transition event="unheard" target="wrong"/>
    <transition event="bye" cond="_event.origin.indexOf('#_scxml_kid') == 0" target="end"/>
  </state>
  <final id="wrong"/><final id="end"/>
</scxml>
""")
        self.assertEqual(self.must("step", "m.scxml", "GO").lines[-1]["value"], "end")

    def test_sessions_and_services_that_are_not_there_are_errors(self):
        document = """\
<scxml xmlns="http://www.w3.org/2005/07/scxml" initial="a">
  <state id="a">%s
    <transition event="error.execution" target="no-service"/>
    <transition event="error.communication" cond="_event.sendid == 's'" target="no-session"/>
  </state>
  <final id="no-service"/><final id="no-session"/>
</scxml>
"""
        for part, state in [('<invoke type="x" src="file:kids/child.scxml"/>', "no-service"),
                            ('<onentry><send id="s" target="#_scxml_x" event="e"/></onentry>',
                             "no-session"),
                            ('<onentry><send id="s" target="#_scxml_x" event="e" delay="1s"/>'
                             '</onentry>', "no-session")]:
            self.write("m.scxml", document % part)
            answer = self.must("step", "m.scxml", '{"advance":1000}').lines
            self.assertEqual(answer[-1]["value"], state)

    def test_what_is_no_expression_fails_when_it_is_evaluated(self):
        self.write("m.scxml", PARENT.replace("_event.data.sure === true", "return"))
        answer = self.must("step", "m.scxml", '{"done":"kid","output":{}}', "END").lines
        self.assertEqual(answer[-1]["value"], "told")
        self.assertIn("no expression begins with this word", answer[-1]["errors"][0]["message"])

    def test_what_is_no_xml_is_told(self):
        self.write("m.scxml", PARENT.replace("</scxml>", ""))
        self.assertIn("error IL0101: no element found", self.must("step", "m.scxml", status=1).err)
        self.write("m.scxml", '<!DOCTYPE a [<!ENTITY b "c">]>' + PARENT)
        self.assertIn("DOCTYPE", self.must("step", "m.scxml", status=1).err)

    def test_a_document_without_children_is_durable(self):
        self.write("m.scxml", """\
<scxml xmlns="http://www.w3.org/2005/07/scxml" name="n">
  <datamodel><data id="x" expr="1"/></datamodel>
  <state id="a">
    <onentry><send event="tick" delay="10ms"/></onentry>
    <transition event="tick" target="b"><assign location="x" expr="x + 'y'"/></transition>
  </state>
  <final id="b"/>
</scxml>
""")
        self.write("in.ndjson", '{"id":"one"}\n')
        self.must("run", "m.scxml", "--input", "in.ndjson", "--db", "n.db")
        shown = self.must("show", "one", "--db", "n.db", "-o", "json").lines[0]
        self.assertEqual((shown["value"], shown["context"]), ("b", {"x": "1y"}))

    def test_scripts_are_durable_and_repeated(self):
        self.write("m.scxml", """\
<scxml xmlns="http://www.w3.org/2005/07/scxml" name="n">
  <datamodel><data id="sum" expr="0"/></datamodel>
  <script>function add(n) { sum += n; return sum; }</script>
  <state id="a">
    <onentry><send event="tick" delay="10ms"/></onentry>
    <transition event="tick" target="b"><script>
      for (var i = 0; i != 4; i++) add(i);
    </script></transition>
  </state>
  <final id="b"/>
</scxml>
""")
        if "IL0106" in self.call("check", "m.scxml").err:
            return  # built without Duktape
        self.write("in.ndjson", '{"id":"one"}\n')
        self.must("run", "m.scxml", "--input", "in.ndjson", "--db", "n.db")
        shown = self.must("show", "one", "--db", "n.db", "-o", "json").lines[0]
        self.assertEqual(shown["context"]["sum"], 6)
        self.must("history", "one", "--db", "n.db", "--verify")


harness.main(Scxml)
