#!/usr/bin/env python3
"""Incidents, transactions and migrations: counted in the corpus, and made for real.

    incidents_test.py BINARY

The corpus' csv is counted by SQLSTATE and message prefix, and the report's occurrences must be the
same in each format.  A real PostgreSQL writes each incident into all three formats at once, in
English and in German, while `serve` follows it.
"""

import collections
import contextlib
import csv
import glob
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import real_postgres  # noqa: E402
from serve_daemon import BINARY, Daemon  # noqa: E402

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CANARY = "canary-7531@example.com"
FORMATS = {"stderr": "postgresql.log", "csvlog": "postgresql.csv", "jsonlog": "postgresql.json"}

csv.field_size_limit(1 << 30)


def analyze(path, *more):
    done = subprocess.run([BINARY, "analyze", "--output=json", *more, path], capture_output=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())
    return json.loads(done.stdout), done.stdout.decode()


def occurrences(report):
    found = collections.Counter()
    for finding in report["findings"]:
        found[finding["kind"]] += finding["occurrences"]
    return found


def text_of(path):
    if not path.endswith(".zst"):
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    return subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")


def counted(path):
    """How many incidents of each kind the csv tells of."""
    by_state = {"40P01": "deadlock", "40001": "serialization_failure", "57014": "statement_timeout",
                "53300": "connection_exhaustion"}
    found = collections.Counter()
    for row in csv.reader(io.StringIO(text_of(path))):
        severity, state, message = row[11], row[12], row[13]
        if severity in ("ERROR", "FATAL"):
            kind = "constraint_violation" if state.startswith("23") else by_state.get(state)
            if kind:
                found[kind] += 1
        elif re.match(r"process \d+ still waiting for ", message):
            found["lock_wait"] += 1
    return found


class CorpusCounts(unittest.TestCase):
    def test_occurrences_are_the_logs_own_count(self):
        folders = sorted(glob.glob(os.path.join(ROOT, "..", "shared", "corpus", "*", "truth.json")))
        if not folders:
            self.skipTest("no ../shared/corpus")
        kinds = ("lock_wait", "deadlock", "serialization_failure", "statement_timeout", "constraint_violation",
                 "connection_exhaustion")
        seen = collections.Counter()
        for folder in map(os.path.dirname, folders):
            stem = os.path.join(folder, os.path.basename(folder))
            source = stem + ".csv" if os.path.exists(stem + ".csv") else stem + ".csv.zst"
            expected = counted(source)
            seen.update(expected)
            for path in sorted(glob.glob(stem + ".csv*") + glob.glob(stem + ".log*") + glob.glob(stem + ".json*")):
                with self.subTest(path=os.path.basename(path)):
                    found = occurrences(analyze(path, "--examples=0")[0])
                    self.assertEqual({kind: found[kind] for kind in kinds}, {kind: expected[kind] for kind in kinds})
        for kind in kinds:
            self.assertGreater(seen[kind], 0, kind)


def traced(sql, number):
    return f"{sql}/*traceparent='00-{number:032x}-{number:016x}-01'*/"


class Scene:
    """Makes each incident for real on one server."""

    def __init__(self, server):
        self.server = server
        server.sql("CREATE TABLE products (id bigint PRIMARY KEY, stock int NOT NULL CHECK (stock >= 0), email text);"
                   "CREATE UNIQUE INDEX products_email_index ON products (email);"
                   f"INSERT INTO products SELECT i, 10, CASE i WHEN 1 THEN '{CANARY}' END FROM generate_series(1, 9) i;"
                   "CREATE TABLE posts (id bigint, title text); INSERT INTO posts SELECT i FROM generate_series(1, 1000) i;"
                   "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp);"
                   "CREATE ROLE limited LOGIN CONNECTION LIMIT 1")

    def stock(self, connection, product, trace):
        connection.execute(traced("UPDATE products SET stock = stock + %s WHERE id = %s", trace), [1, product])

    def in_log(self, words):
        """Waits until one of the words stands in the stderr log, `times` times more than before."""
        def there():
            with open(os.path.join(self.server.data, "log", FORMATS["csvlog"]), encoding="utf-8") as file:
                text = file.read()
            return any(word in text for word in words)
        real_postgres.wait_for(there, f"the log tells of {words[0]}")

    def aside(self, work):
        """Runs `work` on a thread; its errors of the database are its own business."""
        import psycopg

        def body():
            with contextlib.suppress(psycopg.Error):
                work()
        thread = threading.Thread(target=body)
        thread.start()
        return thread

    def fails(self, work):
        import psycopg
        try:
            work()
        except psycopg.Error:
            return
        raise AssertionError("the statement was meant to fail")

    def lock_wait(self):
        with self.server.connect() as holder, self.server.connect() as waiter:
            holder.execute("BEGIN")
            self.stock(holder, 1, 0xA1)
            thread = self.aside(lambda: self.stock(waiter, 1, 0xA2))
            self.in_log(["still waiting for ShareLock", "wartet immer noch auf ShareLock"])
            holder.execute("COMMIT")
            thread.join()

    def deadlock(self):
        import psycopg
        with self.server.connect() as one, self.server.connect() as other:
            one.execute("BEGIN")
            other.execute("BEGIN")
            self.stock(one, 2, 0xB1)
            self.stock(other, 3, 0xB2)
            thread = self.aside(lambda: self.stock(one, 3, 0xB1))
            with contextlib.suppress(psycopg.Error):
                self.stock(other, 2, 0xB2)
            thread.join()
            one.execute("ROLLBACK")
            other.execute("ROLLBACK")

    def serialization_failure(self):
        with self.server.connect() as loser, self.server.connect() as winner:
            loser.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
            loser.execute(traced("SELECT stock FROM products WHERE id = %s", 0xC1), [4])
            self.stock(winner, 4, 0xC2)
            self.fails(lambda: self.stock(loser, 4, 0xC1))
            loser.execute("ROLLBACK")

    def timeouts(self):
        with self.server.connect() as connection:
            connection.execute("SET statement_timeout = '50ms'")
            self.fails(lambda: connection.execute(
                traced("SELECT id, pg_sleep(%s) FROM products WHERE id = %s", 0xD1), [20, 1]))
            connection.execute("SET statement_timeout = 0")
            canceller = threading.Timer(0.3, connection.cancel)
            canceller.start()
            self.fails(lambda: connection.execute(
                traced("SELECT stock, pg_sleep(%s) FROM products WHERE id = %s", 0xD2), [20, 1]))
            canceller.join()

    def violations(self):
        with self.server.connect() as connection:
            insert = "INSERT INTO products (id, stock, email) VALUES (%s, %s, %s)"
            self.fails(lambda: connection.execute(traced(insert, 0xE1), [50, 1, CANARY]))
            self.fails(lambda: connection.execute(insert, [51, -1, "x"]))

    def idle_in_transaction(self):
        with self.server.connect() as connection:
            connection.execute(traced("BEGIN", 0xF1))
            connection.execute(traced("SELECT stock FROM products WHERE id = %s", 0xF1), [5])
            time.sleep(0.7)  # the gap itself
            self.stock(connection, 5, 0xF1)
            connection.execute("COMMIT")

    def no_slots(self):
        with self.server.connect(user="limited"):
            self.fails(lambda: self.server.connect(user="limited").close())

    def migration(self):
        with self.server.connect() as connection:
            connection.execute("BEGIN")
            connection.execute('CREATE INDEX "posts_title_index" ON "posts" ("title")')
            connection.execute('ALTER TABLE "posts" ADD COLUMN "token" uuid DEFAULT gen_random_uuid() NOT NULL')
            connection.execute('UPDATE "posts" AS p0 SET "title" = %s WHERE (p0."title" IS NULL)', [CANARY])
            connection.execute('INSERT INTO "schema_migrations" ("version","inserted_at") VALUES (%s,%s)',
                               [20261122000001, "2026-11-22 00:00:00"])
            connection.execute("COMMIT")
            connection.execute('CREATE INDEX CONCURRENTLY "posts_id_index" ON "posts" ("id")')
            connection.execute('ALTER TABLE "posts" ADD COLUMN "note" text')

    def play(self):
        self.lock_wait()
        self.deadlock()
        self.serialization_failure()
        self.timeouts()
        self.violations()
        self.idle_in_transaction()
        self.no_slots()
        self.migration()


SETTINGS = {"log_destination": "stderr,csvlog,jsonlog", "deadlock_timeout": "100ms", "log_disconnections": "on"}
DETECTORS = {"unsafe_migration": {"min_lock": "0s"}}


INCIDENTS = ("lock_wait", "deadlock", "serialization_failure", "statement_timeout", "constraint_violation",
             "idle_in_transaction", "connection_exhaustion", "unsafe_migration")


class RealIncidents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        real_postgres.skip_unless_installed()
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        config = os.path.join(cls.folder.name, "analyze.yaml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"detectors": DETECTORS}, file)  # JSON is YAML
        cls.reports, cls.texts = {}, {}
        with real_postgres.RealPostgres(settings=SETTINGS) as server:
            logs = {name: os.path.join(server.data, "log", file) for name, file in FORMATS.items()}
            cls.daemon = Daemon(cls.folder.name, [logs["jsonlog"]], detectors=DETECTORS).start()
            cls.addClassCleanup(cls.daemon.kill)
            Scene(server).play()
            server.stop()
            for log_format, path in logs.items():
                cls.reports[log_format], cls.texts[log_format] = analyze(path, f"--config.file={config}")
            cls.expected = occurrences(cls.reports["jsonlog"])
            cls.served = cls.wait_served()

    @classmethod
    def wait_served(cls):
        """The occurrences of each incident, once the daemon has seen them all; else what it saw."""
        def served():
            return {kind: cls.daemon.occurrences(kind) for kind in INCIDENTS}
        with contextlib.suppress(AssertionError):
            real_postgres.wait_for(lambda: all(served()[kind] >= cls.expected[kind] for kind in INCIDENTS),
                                   "serve has seen each incident", step=0.2)
        return served()

    def each(self, kind, summary=None):
        """The kind's findings of each format; of those with that statement, where one is given."""
        for log_format, report in self.reports.items():
            findings = [finding for finding in report["findings"] if finding["kind"] == kind
                        and (summary is None or finding["query"]["summary"] == summary)]
            with self.subTest(format=log_format):
                self.assertTrue(findings, f"no {kind} in {log_format}")
                yield findings

    def traces(self, example):
        return {int(example["trace_id"], 16), int(example["other"]["trace_id"], 16)}

    def test_lock_wait_has_both_sides(self):
        for (finding,) in self.each("lock_wait"):
            self.assertEqual(finding["query"]["summary"], "UPDATE products")
            self.assertEqual(finding["parent_query"]["summary"], "UPDATE products")
            # The deadlock's sides wait, too: on a busy machine one of them is told of.
            (example,) = [it for it in finding["examples"] if int(it["trace_id"], 16) == 0xA2]
            self.assertEqual(int(example["other"]["trace_id"], 16), 0xA1)
            self.assertNotEqual(example["pids"], example["other"]["pids"])
            self.assertGreaterEqual(finding["evidence"]["wait_ms"], 100)

    def test_deadlock_has_both_sides(self):
        for (finding,) in self.each("deadlock"):
            self.assertEqual(self.traces(finding["examples"][0]), {0xB1, 0xB2})
            self.assertEqual(finding["parent_query"]["summary"], "UPDATE products")
            self.assertIn("order_by", finding["fix"]["ecto"])

    def test_serialization_failure(self):
        for (finding,) in self.each("serialization_failure"):
            self.assertEqual(int(finding["examples"][0]["trace_id"], 16), 0xC1)
            self.assertIn("serialization_failure", finding["fix"]["ecto"])

    def test_the_servers_timeout_and_the_clients(self):
        for findings in self.each("statement_timeout"):
            by_trace = {int(finding["examples"][0]["trace_id"], 16): finding["evidence"] for finding in findings}
            self.assertEqual(by_trace[0xD1]["total_server_timeouts"], 1)
            self.assertEqual(by_trace[0xD2]["total_client_cancels"], 1)

    def test_violations_name_the_constraint_and_no_value(self):
        for (finding,) in self.each("constraint_violation"):
            self.assertEqual(finding["occurrences"], 2)
            self.assertEqual(finding["evidence"]["total_unique"], 1)
            self.assertEqual(finding["evidence"]["total_check"], 1)
            self.assertEqual(finding["tables"][0], "products")

    def test_idle_in_transaction_has_what_stood_before_and_after(self):
        for (finding,) in self.each("idle_in_transaction"):
            self.assertEqual(finding["parent_query"]["summary"], "SELECT products")
            self.assertEqual(finding["query"]["summary"], "UPDATE products")
            self.assertGreaterEqual(finding["evidence"]["idle_ms"], 690)

    def test_connection_exhaustion(self):
        for (finding,) in self.each("connection_exhaustion"):
            self.assertEqual(finding["occurrences"], 1)

    def test_the_migrations_unsafe_parts_and_their_safe_forms(self):
        for findings in self.each("unsafe_migration"):
            fixes = {finding["query"]["text"].split()[0]: finding for finding in findings}
            self.assertEqual(sorted(fixes), ["ALTER", "CREATE", "UPDATE"], [f["query"]["text"] for f in findings])
            self.assertIn("create index(:posts, [:title], concurrently: true)", fixes["CREATE"]["fix"]["migration"])
            self.assertIn("add :token", fixes["ALTER"]["fix"]["migration"])
            for finding in findings:
                self.assertEqual(finding["tables"][0], "posts")

    def test_the_formats_agree(self):
        kinds = {*INCIDENTS, "non_atomic_writes"}
        ids = {name: sorted(f["id"] for f in report["findings"] if f["kind"] in kinds)
               for name, report in self.reports.items()}
        self.assertEqual(ids["stderr"], ids["csvlog"])
        self.assertEqual(ids["jsonlog"], ids["csvlog"])

    def test_serve_counts_each_incident_that_it_followed(self):
        for kind in INCIDENTS:
            with self.subTest(kind=kind):
                self.assertGreater(self.expected[kind], 0)
                self.assertEqual(self.served[kind], self.expected[kind])

    def test_serve_shows_each_incident_as_a_metric(self):
        def counted_as(kind):
            return sum(float(line.split()[-1]) for line in self.daemon.get("metrics")[1].splitlines()
                       if line.startswith("ectoscope_finding_occurrences_total{") and f'kind="{kind}"' in line)
        for kind in INCIDENTS:  # the counter waits until a trace is closed
            with self.subTest(kind=kind):
                real_postgres.wait_for(lambda kind=kind: counted_as(kind) == self.expected[kind], kind)

    def test_serve_knows_both_sides(self):
        findings = json.loads(self.daemon.get("api/v1/findings?limit=1000")[1])["findings"]
        for kind, traces in (("lock_wait", {0xA1, 0xA2}), ("deadlock", {0xB1, 0xB2})):
            with self.subTest(kind=kind):
                examples = [example for finding in findings if finding["kind"] == kind
                            for example in finding["examples"]]
                self.assertIn(traces, [self.traces(example) for example in examples])

    def test_no_value_gets_out(self):
        served = self.daemon.get("api/v1/findings?limit=1000")[1] + self.daemon.get("metrics")[1]
        for place, text in {**self.texts, "serve": served}.items():
            self.assertNotIn("canary-7531", text, place)


def has_locale(name):
    listed = subprocess.run(["locale", "-a"], stdout=subprocess.PIPE, check=False).stdout.decode().lower()
    return name.lower().replace("utf-8", "utf8") in listed


def localized(language, settings):
    """The logs of a few statements and incidents in that language, as reports by format."""
    real_postgres.skip_unless_installed()
    if not has_locale(language):
        raise unittest.SkipTest(f"no locale {language}: apt-get install locales-all")
    with real_postgres.RealPostgres(settings={**SETTINGS, "lc_messages": language, **settings}) as server:
        scene = Scene(server)
        scene.deadlock()
        scene.timeouts()
        scene.violations()
        with server.connect() as connection:
            connection.execute("SELECT id, pg_sleep(%s) FROM products WHERE id = %s", [0.15, 1])
        server.stop()
        return {log_format: analyze(os.path.join(server.data, "log", name))[0] for log_format, name in FORMATS.items()}


class German(unittest.TestCase):
    def check(self, reports):
        for log_format, report in reports.items():
            with self.subTest(format=log_format):
                found = occurrences(report)
                self.assertGreaterEqual(found["slow_query"], 1, "durations are read")
                self.assertEqual(found["deadlock"], 1)
                self.assertEqual(found["statement_timeout"], 2)
                self.assertEqual(found["constraint_violation"], 2)
                deadlock = next(f for f in report["findings"] if f["kind"] == "deadlock")
                self.assertEqual(deadlock["parent_query"]["summary"], "UPDATE products")
                timeouts = [f["evidence"] for f in report["findings"] if f["kind"] == "statement_timeout"]
                self.assertEqual(sum(e["total_client_cancels"] for e in timeouts), 1)

    def test_with_the_sqlstate_in_the_prefix(self):
        self.check(localized("de_DE.UTF-8", {"log_line_prefix": "%m [%p] %e %u@%d app=%a sess=%c "}))

    def test_verbose(self):
        self.check(localized("de_DE.UTF-8", {"log_error_verbosity": "verbose"}))


class UnknownLanguage(unittest.TestCase):
    def test_is_said_to_be_unreadable(self):
        reports = localized("ka_GE.UTF-8", {})
        fidelity = reports["stderr"]["input"]["fidelity"]
        self.assertEqual(fidelity["statements"], "none")
        self.assertTrue(any("lc_messages" in line for line in fidelity["advice"]), fidelity)
        for log_format in ("csvlog", "jsonlog"):
            with self.subTest(format=log_format):
                found = occurrences(reports[log_format])
                self.assertEqual(found["deadlock"], 1, "by SQLSTATE")
                self.assertEqual(found["constraint_violation"], 2)


if __name__ == "__main__":
    unittest.main()
