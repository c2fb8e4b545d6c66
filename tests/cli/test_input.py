#!/usr/bin/env python3
"""What `run` reads: CSV, NDJSON and JSON lists, in gzip or not, from files and standard input.

Ten kinds of bad records in each format: each is told with its place, and no good one is lost.
"""

import gzip
import json
import subprocess

import harness

KEEP = """\
id: keep
version: "1"
context: { n: 0, share: 0.5, paid: false, note: "", when: null, from_input: "${input.?id.orValue(null)}" }
initial: NEW
states:
  NEW:
    on:
      GO:
        target: DONE
        assign:
          n: "${has(event.n) ? event.n : context.n}"
          share: "${has(event.share) ? event.share : context.share}"
          paid: "${has(event.paid) ? event.paid : context.paid}"
          note: "${has(event.note) ? event.note : context.note}"
          when: "${has(event.when) ? event.when : context.when}"
  DONE: { type: final }
"""

CSV = "id,n,note\r\n1,10,plain\r\n2,20,\"with, comma\"\r\n3,30,\"two\r\nlines \"\"quoted\"\"\"\r\n"
RECORDS = [{"id": "1", "n": 10, "note": "plain"}, {"id": "2", "n": 20, "note": "with, comma"},
           {"id": "3", "n": 30, "note": "two\r\nlines \"quoted\""}]
NDJSON = "".join(json.dumps(record) + "\n" for record in RECORDS)
LIST = json.dumps(RECORDS, indent=2)
FORMATS = {"csv": CSV, "ndjson": NDJSON, "json": LIST}

# Bad rows between good ones; the header is line 1, the first bad one line 3.
BAD_ROWS = [
    ("x,1", "3:", "2 cells, but the header has 3"),
    ("x,1,a,b", "3:", "4 cells, but the header has 3"),
    ("x,1,\"open", "3:5:", "the quote that opens here is not closed"),
    ("x,1,\"a\"b", "3:8:", "text behind a closing quote"),
    ("x,1,a\"b", "3:6:", "a quote in a cell that does not begin with one"),
    (b"x,1,\xff", "3:5:", "not valid UTF-8"),
    ("x,one,a", "3:3:", "`n` must be a whole number"),
    ("g1,1,a", "3:", "duplicate id g1: line 2 has it"),
    ("i" * 300 + ",1,a", "3:", "the id must be a whole number or a string of 1 to 256 bytes"),
    ("x,1," + "a" * (1 << 20), "3:", "the record is too large"),
]

BAD_VALUES = [
    ('{"id":"x","n":1', "expected ',' or '}'"),
    ('{"id":"x","n":}', "not a value of JSON"),
    ('{"id":"x" "n":1}', "expected ',' or '}'"),
    ('{id:"x"}', "expected a key in double quotes"),
    ('{"id":"x","id":"y"}', "the key is there twice"),
    (b'{"id":"\xff"}', "not valid UTF-8"),
    ('"x"', "a record must be a JSON object"),
    ('{"id":"g1","n":1}', "duplicate id g1: line 2 has it"),
    ('{"id":["x"]}', "the id must be a whole number or a string"),
    ('{"id":"x","note":"' + "a" * (1 << 20) + '"}', "the record is too large"),
]


def joined(*parts):
    return b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)


class Input(harness.Case):
    def setUp(self):
        super().setUp()
        self.write("keep.yaml", KEEP)
        self.count = 0

    def read(self, name, *words, status=0, **more):
        """Runs the records into a database of their own and gives the instances too."""
        self.count += 1
        db = f"{self.count}.db"
        answer = self.must("run", "keep.yaml", "--input", name, "--event", "GO", "--db", db,
                           *words, status=status, **more)
        found = {x["id"]: x["context"] for x in self.must("list", "--db", db, "-o", "ndjson").lines}
        return answer, found

    def pipe(self, content, *words, status=0):
        """The same from standard input, which may be any bytes."""
        process = subprocess.run(
            [harness.PROGRAM, "run", "keep.yaml", "--input", "-", "--event", "GO", "--db", "p.db",
             *words], cwd=self.folder, input=content, capture_output=True, check=False, timeout=60)
        self.assertEqual(process.returncode, status, process.stderr)
        return process.stderr.decode()

    def check_records(self, found):
        self.assertEqual(sorted(found), ["1", "2", "3"])
        for record in RECORDS:
            context = found[record["id"]]
            self.assertEqual({name: context[name] for name in ("n", "note")},
                             {name: record[name] for name in ("n", "note")})

    def test_the_three_formats_say_the_same(self):
        for name, content in FORMATS.items():
            for file, words in ((f"in.{name}", ()), ("records", ()), ("in.txt", ("--format", name)),
                                (f"in.{name}.gz", ()), ("packed", ())):
                data = content.encode()
                is_packed = file.endswith(".gz") or file == "packed"
                self.write(file, gzip.compress(data) if is_packed else data)
                self.check_records(self.read(file, *words)[1])

    def test_standard_input_may_be_any_of_them(self):
        for name, content in FORMATS.items():
            for data in (content.encode(), gzip.compress(content.encode())):
                self.assertEqual(self.pipe(data), "")
                self.assertEqual(self.pipe(data, "--format", name), "")
        found = {x["id"]: x["context"] for x in
                 self.must("list", "--db", "p.db", "-o", "ndjson").lines}
        self.check_records(found)

    def test_cells_are_what_the_context_begins_with(self):
        self.write("in.csv", "id,n,share,paid,note,when,else\n"
                             "007,7,2,TRUE,8,2026-01-01,1\n8,,,,,,\n\"9\",\"-9\",1e3,false,\"\",x,\n")
        _, found = self.read("in.csv")
        self.assertEqual(found["007"], {"n": 7, "share": 2.0, "paid": True, "note": "8",
                                        "when": "2026-01-01", "from_input": "007"})
        self.assertEqual(found["8"], {"n": 0, "share": 0.5, "paid": False, "note": "",
                                      "when": None, "from_input": "8"})
        self.assertEqual(found["9"], {"n": -9, "share": 1000.0, "paid": False, "note": "",
                                      "when": "x", "from_input": "9"})

    def test_a_cell_that_is_not_what_it_must_be_is_told_with_its_place(self):
        self.write("in.csv", "id,n,share,paid\n1,x,,\n2,,\"y\n\",\n3,,,yes\n4,1,1,true\n")
        answer, found = self.read("in.csv", status=1)
        self.assertEqual(answer.err.splitlines(), [
            "in.csv:2:3: error IL1002: `n` must be a whole number",
            "in.csv:3:4: error IL1002: `share` must be a number",
            "in.csv:5:5: error IL1002: `paid` must be true or false"])
        self.assertEqual(list(found), ["4"])

    def check_bad(self, name, bad, place, words, good):
        answer, found = self.read(name, status=1)
        lines = answer.err.splitlines()
        self.assertEqual(len(lines), 1, (bad, answer.err))
        self.assertTrue(lines[0].startswith(f"{name}:{place}"), (bad, lines))
        self.assertIn(words, lines[0])
        self.assertEqual(sorted(found), good)
        self.assertRegex(answer.out, r"(?m)^bad records +1$")

    def test_ten_kinds_of_bad_rows_take_no_good_one_with_them(self):
        for bad, place, words in BAD_ROWS:
            self.write("in.csv", joined("id,n,note\ng1,1,a\n", bad, "\ng2,2,b\ng3,3,\"c\"\n"))
            self.check_bad("in.csv", bad, place, words, ["g1", "g2", "g3"])

    def test_ten_kinds_of_bad_lines_take_no_good_one_with_them(self):
        for bad, words in BAD_VALUES:
            self.write("in.ndjson", joined('\n{"id":"g1"}\n', bad, '\n{"id":"g2"}\n{"id":"g3"}'))
            self.check_bad("in.ndjson", bad, "3:", words, ["g1", "g2", "g3"])

    def test_ten_kinds_of_bad_elements_take_no_good_one_with_them(self):
        for bad, words in BAD_VALUES:
            self.write("in.json", joined('[\n{"id":"g1"},\n', bad, ',\n{"id":"g2"},\n{"id":"g3"}\n]'))
            words = "expected a key in double quotes" if bad == BAD_VALUES[0][0] else words
            self.check_bad("in.json", bad, "3:", words, ["g1", "g2", "g3"])

    def test_a_missing_id_is_a_bad_record_when_it_was_asked_for(self):
        self.write("in.csv", "id,ref\n1,a\n2,\n3,c\n")
        answer, found = self.read("in.csv", "--id", "ref", status=1)
        self.assertEqual(answer.err,
                         "in.csv:3: error IL1002: the record has no member `ref` for its id\n")
        self.assertEqual(sorted(found), ["a", "c"])

    def test_records_without_an_id_are_their_line_or_their_number(self):
        rows = (("in.csv", "n\n1\n\n2\n", ["2", "4"]), ("in.json", '[{"n":1},{"n":2}]', ["1", "2"]),
                ("in.ndjson", '{"n":1}\n\n{"n":2}', ["1", "3"]))
        for name, content, ids in rows:
            self.write(name, content)
            self.assertEqual(sorted(self.read(name)[1]), ids)

    def test_a_header_that_is_no_good_runs_nothing_and_counts_the_rest(self):
        rows = (("id,n,id\n1,2,3\n4,5,6\n", "1:6:", "the column `id` is there twice"),
                ("id,,n\n1,2,3\n4,5,6\n", "1:4:", "the column has no name"))
        for content, place, words in rows:
            self.write("in.csv", content)
            answer, found = self.read("in.csv", status=1)
            self.assertTrue(answer.err.startswith(f"in.csv:{place} error IL100"), answer.err)
            self.assertIn(words, answer.err)
            self.assertEqual(found, {})
            self.assertRegex(answer.out, r"(?m)^never ran +2$")

    def test_damaged_gzip_ends_with_3_behind_what_is_good(self):
        whole = b"".join(gzip.compress(part) for part in (b"id,n\n1,2\n2,", b"3\n3,4\n4,5"))
        broken = bytearray(whole)
        broken[-6] ^= 1
        for data, words in ((whole[:-4], "the gzip data ends too early"),
                            (bytes(broken), "the gzip data is damaged")):
            self.write("in.csv.gz", data)
            answer, found = self.read("in.csv.gz", status=3)
            self.assertEqual(answer.err, f"in.csv.gz: error IL0100: {words}\ninterlock: the records "
                             "before that were run, and those behind it were not\n")
            self.assertEqual(sorted(found), ["1", "2", "3"])
            self.assertRegex(answer.out, r"(?m)^DONE +3 ")
        self.assertIn("stdin: error IL0100: the gzip data ends too early", self.pipe(whole[:-4], status=3))

    def test_no_file_and_no_format_are_said(self):
        self.write("in.csv", CSV)
        answer = self.must("run", "keep.yaml", "--input", "no.csv.gz", status=3)
        self.assertIn("no.csv.gz: error IL0100: No such file or directory", answer.err)
        answer = self.must("run", "keep.yaml", "--input", "in.csv", "--format", "xml", status=2)
        self.assertIn("--format is csv, ndjson or json, and not `xml`", answer.err)

    def test_a_report_tells_of_bad_rows_too(self):
        self.write("in.csv", "id,n,note\n1,1,a\n2,x,b\n3,3,c\n")
        answer, _ = self.read("in.csv", "--report", "tap", status=1)
        self.assertRegex(answer.out, r"(?m)^ok 1 - 1")
        self.assertRegex(answer.out, r"(?m)^not ok 2 - in.csv:3")
        self.assertRegex(answer.out, r"(?m)^ok 3 - 3")

    def test_the_same_records_in_another_format_are_the_same(self):
        self.write("in.csv", CSV)
        self.write("in.json.gz", gzip.compress(LIST.encode()))
        for name in ("in.csv", "in.json.gz"):
            self.must("run", "keep.yaml", "--input", name, "--event", "GO", "--db", "one.db")
        self.assertEqual(len(self.must("list", "--db", "one.db", "-o", "ndjson").lines), 3)


harness.main(Input)
