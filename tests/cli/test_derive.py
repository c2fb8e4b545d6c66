#!/usr/bin/env python3
"""test_derive.py PROGRAM - states from data, as scripts see them."""

import gzip
import json
import os
import pathlib
import random
import shutil
import socket
import sqlite3
import subprocess
import time
import unittest

from harness import Case, PROGRAM, ROOT, main

MACHINE = (ROOT / "examples/order-status/order-status.yaml").read_text(encoding="utf-8")
STATES = ["DRAFT", "AWAITING_PAYMENT", "AWAITING_APPROVAL", "READY_TO_SHIP", "SHIPPED",
          "COMPLETED"]
FLAGS = ["itemsAdded", "paymentReceived", "approved", "shipped", "delivered"]
DATA = ROOT.parent / "shared/data/olist-orders.csv"


def order(number, steps, **more):
    """An order that has come so many steps far."""
    return {"id": f"o{number}", **{flag: i < steps for i, flag in enumerate(FLAGS)}, **more}


def lines(records):
    return "".join(json.dumps(r) + "\n" for r in records)


class Derive(Case):
    def setUp(self):
        super().setUp()
        self.write("m.yaml", MACHINE)

    def derive(self, *words, stdin=""):
        answer = subprocess.run([PROGRAM, "derive", "m.yaml", *words], cwd=self.folder,
                                input=stdin if isinstance(stdin, bytes) else stdin.encode(),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.status = answer.returncode
        self.err = answer.stderr.decode()
        return answer.stdout.decode()

    def rows(self, *words, **more):
        return [json.loads(line) for line in self.derive(*words, "-o", "ndjson",
                                                         **more).splitlines()]

    def counts(self, *words, **more):
        return json.loads(self.derive(*words, "-o", "json", **more))

    def test_a_line_for_each_record_in_the_form_that_was_promised(self):
        rows = self.rows(stdin=lines([order(1, 3), order(2, 0), {"id": 7, "approved": True}]))
        self.assertEqual(rows, [
            {"key": "o1", "state": "READY_TO_SHIP", "holds": True,
             "via": ["AWAITING_PAYMENT", "AWAITING_APPROVAL"]},
            {"key": "o2", "state": "DRAFT", "holds": True, "via": []},
            {"key": 7, "state": "READY_TO_SHIP", "holds": True,
             "via": ["AWAITING_PAYMENT", "AWAITING_APPROVAL"]}])
        self.assertEqual((self.status, self.err), (0, ""))

    def test_counts_by_state(self):
        counts = self.counts(stdin=lines(order(i, i % 6) for i in range(600)))
        self.assertEqual(counts["states"], {state: 100 for state in STATES})
        self.assertEqual((counts["errors"], counts["records"], self.status), (0, 600, 0))
        text = self.derive(stdin=lines(order(i, i % 6) for i in range(600)))
        self.assertRegex(text, r"SHIPPED +100 +16\.7 %")

    def test_every_format_and_packing_gives_the_same(self):
        records = [order(i, i % 6) for i in range(50)]
        csv = "id," + ",".join(FLAGS) + "\n" + "".join(
            r["id"] + "," + ",".join(str(r[f]).lower() if r[f] else "" for f in FLAGS) + "\n"
            for r in records)
        wanted = self.rows(stdin=lines(records))
        self.assertEqual(len(wanted), 50)
        forms = {"a.ndjson": lines(records), "a.csv": csv, "a.json": json.dumps(records),
                 "a.ndjson.gz": gzip.compress(lines(records).encode()),
                 "a.csv.gz": gzip.compress(csv.encode())}
        if shutil.which("zstd"):
            for name in ("a.ndjson", "a.csv"):
                forms[name + ".zst"] = subprocess.run(
                    ["zstd", "-q", "-c"], input=forms[name].encode(), check=True,
                    stdout=subprocess.PIPE).stdout
        for name, content in forms.items():
            self.assertEqual(self.rows(self.write(name, content)), wanted, name)
            self.assertEqual(self.rows("-", stdin=content), wanted, name)

    def test_the_stored_state_is_where_the_search_starts(self):
        records = [order(1, 3, status="DRAFT"), order(2, 1, status="SHIPPED"),
                   order(3, 4, status="SHIPPED"), order(4, 0, status="LOST"), order(5, 2)]
        rows = self.rows("--from", "status", stdin=lines(records))
        self.assertEqual(rows[0]["state"], "READY_TO_SHIP")
        self.assertEqual(rows[1], {"key": "o2", "state": "SHIPPED", "holds": False, "via": []})
        self.assertEqual(rows[2], {"key": "o3", "state": "SHIPPED", "holds": True, "via": []})
        self.assertEqual(set(rows[3]), {"key", "error"})
        self.assertIn("LOST", rows[3]["error"])
        self.assertEqual(rows[4]["state"], "AWAITING_APPROVAL")
        self.assertEqual(self.status, 1)
        counts = self.counts("--from", "status", stdin=lines(records))
        self.assertEqual((counts["conflicts"], counts["errors"]), (2, 1))
        self.assertEqual(counts["matrix"]["DRAFT"], {"READY_TO_SHIP": 1})
        self.assertEqual(counts["classes"]["gap"], 1)

    def test_a_recorded_state_is_only_compared(self):
        records = [order(1, 3, status="DRAFT"), order(2, 1, status="SHIPPED"),
                   order(3, 4, status="SHIPPED"), order(4, 0, status="LOST"), order(5, 2)]
        counts = self.counts("--compare", "status", stdin=lines(records))
        self.assertEqual(counts["states"]["AWAITING_PAYMENT"], 1)
        self.assertEqual((counts["conflicts"], counts["errors"]), (3, 0))
        self.assertEqual({k: n for k, n in counts["classes"].items() if n},
                         {"agree": 2, "moved": 1, "regressed": 1, "unknown": 1})
        self.assertEqual(self.status, 1)
        rows = self.rows("--compare", "status", "--conflicts", stdin=lines(records))
        self.assertEqual([(r["key"], r["stored"], r["class"]) for r in rows],
                         [("o1", "DRAFT", "moved"), ("o2", "SHIPPED", "regressed"),
                          ("o4", "LOST", "unknown")])
        text = self.derive("--compare", "status", stdin=lines(records))
        self.assertRegex(text, r"3 conflicts, 1 moved, 1 regressed, 1 unknown")
        self.derive("--compare", "status", stdin=lines([order(3, 4, status="SHIPPED")]))
        self.assertEqual(self.status, 0)

    def test_an_explanation_says_what_decided(self):
        row = self.rows("--from", "status", "--explain",
                        stdin=lines([order(1, 3, status="DRAFT")]))[0]
        self.assertEqual((row["stored"], row["class"]), ("DRAFT", "moved"))
        self.assertEqual([s["state"] for level in row["levels"] for s in level], STATES)
        self.assertEqual(row["levels"][2][0]["because"],
                         {"conjunct": "!o.approved", "values": {"approved": True}})
        self.assertEqual(row["levels"][3][0]["holds"], True)
        text = self.derive("--explain", stdin=lines([order(1, 3)]))
        self.assertIn("o1: READY_TO_SHIP via AWAITING_PAYMENT, AWAITING_APPROVAL", text)

    def test_some_of_the_records(self):
        records = lines(order(i, i % 6, total=i) for i in range(60))
        self.assertEqual(self.counts("--limit", "7", stdin=records)["records"], 7)
        self.assertEqual(len(self.rows("--limit", "7", stdin=records)), 7)
        rows = self.rows("--where", "o.total >= 50 && state == 'SHIPPED'", stdin=records)
        self.assertEqual([r["key"] for r in rows], ["o52", "o58"])
        self.derive("--where", "o.total >=", stdin=records)
        self.assertEqual(self.status, 2)

    def test_keys(self):
        records = [{"n": 5, "id": "a"}, {"id": None}, {"n": "x\"y"}]
        self.assertEqual([r["key"] for r in self.rows(stdin=lines(records))], ["a", 2, 3])
        self.assertEqual([r["key"] for r in self.rows("--key", "n", stdin=lines(records))],
                         [5, 2, "x\"y"])
        csv = self.derive("--key", "n", "-o", "csv", stdin=lines(records))
        self.assertEqual(csv.splitlines()[3], '"x""y",DRAFT,true,,')

    def expect_bad(self, content, bad, *words):
        """Each bad line is told with its line, and no good record is lost."""
        counts = self.counts(*words, stdin=content)
        self.assertEqual(counts["errors"], bad, self.err)
        self.assertEqual(self.status, 1)
        return counts

    def test_ten_bad_lines_of_ndjson(self):
        bad = ['{"id":1', '{"id":1,}', '{id:1}', '[1]', '"x"', '{"a":1 "b":2}',
               '{"a":01}', '{"a":1,"a":2}', '{"a":"\\ud800"}', '{"a":tru}']
        content = ""
        for i, line in enumerate(bad):
            content += lines([order(i, i % 6)]) + line + "\n"
        counts = self.expect_bad(content, 10)
        self.assertEqual(counts["records"], 10)
        for i in range(10):
            self.assertIn(f"standard input:{2 * i + 2}", self.err)
        self.assertEqual(sum("error IL" in line for line in self.err.splitlines()), 10)

    def test_ten_bad_rows_of_csv(self):
        bad = ["x", "a,true,true", 'a,"true,,,,', 'a,tr"ue,,,,', "a,yes,,,,", "a,1,,,,",
               "a,,,,,,", 'a,"t"x,,,,', "a,true,maybe,,,", "a,\udcff,,,,"]
        content = "id," + ",".join(FLAGS) + "\n"
        for i, row in enumerate(bad):
            content += f"g{i},true,,,,\n" + row + "\n"
        counts = self.expect_bad(content.encode(errors="surrogateescape"), 10)
        self.assertEqual(counts["states"]["AWAITING_PAYMENT"], 10)

    def test_ten_bad_elements_of_json(self):
        bad = ['{"id":1,}', '{id:1}', '[1]', '"x"', '{"a":1 "b":2}', '{"a":01}',
               '{"a":1,"a":2}', '{"a":"\\ud800"}', '{"a":tru}', 'null']
        content = "[\n" + ",\n".join(json.dumps(order(i, 1)) + ",\n" + b
                                     for i, b in enumerate(bad)) + "\n]\n"
        counts = self.expect_bad(content, 10)
        self.assertEqual(counts["states"]["AWAITING_PAYMENT"], 10)

    def test_strict_stops_at_the_first(self):
        content = lines([order(1, 1)]) + "{\n" + lines([order(2, 2)])
        self.assertEqual(self.counts("--strict", stdin=content)["records"], 1)
        self.assertEqual(self.status, 1)

    def test_input_that_cannot_be_read(self):
        self.derive("missing.ndjson")
        self.assertEqual(self.status, 3)
        packed = gzip.compress(lines([order(i, 1) for i in range(100)]).encode())
        self.derive(stdin=packed[:len(packed) // 2])
        self.assertEqual(self.status, 3)
        self.assertIn("ends too early", self.err)

    def test_lines_like_others_are_read_like_others(self):
        """The quick way and the thorough one (with --where) give the same, on lines of all sorts."""
        dice = random.Random(20261122)
        values = [True, False, None, 0, 1, -1, 1.5, 1e30, "", "x", "ü", "a\nb", "\\", [], {},
                  12345678901234567, "😀", [1, [2, {"a": "]"}]], {"a": {"a": 1}, "b": "\""}]
        text = ""
        for number in range(3000):
            fields = [(flag, dice.random() < 0.5 if dice.random() < 0.9 else dice.choice(values))
                      for flag in FLAGS if dice.random() < 0.8]
            fields += [("status", dice.choice(STATES + ["", None, "?"])), ("id", number),
                       ("x", dice.choice(values))][:dice.randrange(4)]
            if dice.random() < 0.1:
                dice.shuffle(fields)
            line = json.dumps(dict(fields), ensure_ascii=dice.random() < 0.5,
                              separators=dice.choice([(",", ":"), (", ", ": "), (" ,", " : ")]))
            if dice.random() < 0.05:
                at = dice.randrange(len(line))
                line = line[:at] + dice.choice(",:{}[]\"1 \\") + line[at + 1:]
            text += line + dice.choice(["\n", "\n", "\r\n"])
        for words in ([], ["--from", "status"], ["--compare", "status"],
                      ["--from", "status", "--key", "x"]):
            quick = self.rows(*words, stdin=text)
            errors = self.err
            self.assertEqual(quick, self.rows(*words, "--where", "true", stdin=text))
            self.assertEqual(errors, self.err)
            quick, slow = (self.counts(*words, *more, stdin=text)
                           for more in ([], ["--where", "true"]))
            del slow["left_out"]
            self.assertEqual(quick, slow)

    COLUMNS = "id text, total integer, " + ", ".join(f + " %s" for f in FLAGS) + ", status text"

    def insert(self, records, mark):
        """Rows of orders as a statement; what is false is NULL in every second one."""
        rows = []
        for i, r in enumerate(records):
            flags = ["1" if r[f] else "NULL" if i % 2 else "0" for f in FLAGS]
            rows.append(f"('{r['id']}', {i}, " + ", ".join(
                mark(f) for f in flags) + f", '{r['status']}')")
        return "insert into orders values " + ", ".join(rows)

    def expect_rows_of(self, source, records):
        wanted = self.rows("--from", "status", stdin=lines(records))
        self.assertEqual(self.rows(source, "--sql", "select * from orders order by total",
                                   "--from", "status"), wanted, self.err)
        counts = self.counts(source, "--sql", "select * from orders where total < 30")
        self.assertEqual((counts["records"], self.status), (30, 0))
        self.derive(source, "--sql", "select * from nothing")
        self.assertEqual(self.status, 2)
        self.assertIn("nothing", self.err)
        self.derive(source, "--sql", "delete from orders")
        self.assertIn(self.status, (2, 3))
        self.assertEqual(self.counts(source, "--sql", "select * from orders")["records"],
                         len(records))

    def test_rows_of_a_sqlite_file(self):
        records = [order(i, i % 6, status=STATES[i * 5 % 6]) for i in range(60)]
        database = sqlite3.connect(self.path("shop.db"))
        database.execute(f"create table orders ({self.COLUMNS % (('integer',) * 5)})")
        database.execute(self.insert(records, str))
        database.commit()
        database.close()
        self.expect_rows_of("shop.db", records)
        self.derive("missing.db", "--sql", "select 1")
        self.assertEqual(self.status, 3)
        self.derive("m.yaml", "--sql", "select * from orders")
        self.assertEqual(self.status, 3)

    def test_rows_of_a_postgresql_server(self):
        programs = pathlib.Path("/usr/lib/postgresql")
        found = sorted(programs.glob("*/bin/initdb"))
        as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        if os.geteuid() != 0:
            as_user = []
        if not found or (as_user and not shutil.which("setpriv")):
            self.skipTest("no PostgreSQL server is there to be started")
        folder = self.path("pg")
        os.mkdir(folder)
        os.chmod(self.folder, 0o755)
        if as_user:
            shutil.chown(folder, "postgres")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        subprocess.run([*as_user, found[-1], "-D", folder + "/data", "-A", "trust", "-U", "me"],
                       cwd=folder, check=True, stdout=subprocess.DEVNULL)
        server = subprocess.Popen(
            [*as_user, found[-1].parent / "postgres", "-D", folder + "/data", "-p", str(port),
             "-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(server.wait)
        self.addCleanup(server.terminate)
        address = f"postgres://me@127.0.0.1:{port}/postgres"
        for _ in range(300):
            if subprocess.run(["psql", address, "-c", "select 1"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0:
                break
            time.sleep(0.1)
        records = [order(i, i % 6, status=STATES[i * 5 % 6]) for i in range(60)]
        for statement in (f"create table orders ({self.COLUMNS % (('boolean',) * 5)})",
                          self.insert(records, lambda f: {"1": "true", "0": "false"}.get(f, f))):
            subprocess.run(["psql", address, "-q", "-c", statement], check=True)
        self.expect_rows_of(address, records)
        rows = self.rows(address, "--sql", "select timestamptz '2026-01-31 10:00+01' as id, "
                         "true as delivered", "--where",
                         "timestamp(o.id) == timestamp('2026-01-31T09:00:00Z')")
        self.assertEqual([(r["key"], r["state"]) for r in rows],
                         [("2026-01-31T09:00:00Z", "COMPLETED")])

    def test_an_unstable_machine_is_refused_where_it_would_act(self):
        self.write("m.yaml", "id: m\nrecord: { as: o, defaults: { a: false, b: false } }\n"
                   "initial: A\ntransitions: { A: B, B: A }\nvalidators: { A: o.a, B: o.b }\n")
        checked = subprocess.run([PROGRAM, "check", "m.yaml"], cwd=self.folder, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("IL0311", checked.stdout)
        rows = self.rows(stdin='{"a":true,"b":true}\n')
        self.assertEqual((rows[0]["state"], self.status), ("B", 0))
        for command in (["run", "m.yaml", "--input", "-"], ["start", "m.yaml", "--id", "x"]):
            started = subprocess.run([PROGRAM, *command], cwd=self.folder, text=True,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.STDOUT)
            self.assertEqual(started.returncode, 1)
            self.assertIn("IL0311", started.stdout)

    def test_a_definition_without_validators(self):
        self.write("m.yaml", "initial: A\nstates: { A: {} }\n")
        self.derive(stdin="{}\n")
        self.assertEqual(self.status, 1)
        self.assertIn("`validators` is missing", self.err)

    @unittest.skipUnless(DATA.exists(), "the marketplace's orders are not there")
    def test_real_orders_of_a_marketplace(self):
        shutil.copy(ROOT / "examples/marketplace/orders.yaml", self.path("m.yaml"))
        counts = self.counts(str(DATA), "--key", "order_id", "--compare", "order_status")
        self.assertEqual((counts["records"], counts["conflicts"]), (4998, 82))
        self.assertEqual(counts["matrix"]["delivered"], {"shipped": 1, "delivered": 4855})
        self.assertEqual(counts["classes"]["unreachable"], 3)


main(Derive)
