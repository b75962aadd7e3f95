#!/usr/bin/env python3
"""The stories that the product came from, played on a real PostgreSQL under `ectoscope serve`.

    postgres_story_test.py BINARY

An application is slow; serve reads the log, finds why, advises an index and has the planner confirm
it; the index is built as advised, the query is fast and the finding resolves.
"""

import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import real_postgres
from real_postgres import RealPostgres, free_port, wait_for

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

# Workspace 7 was as large as the others when statistics were gathered, and is nearly empty now.
EVENTS = """
CREATE TABLE events (id bigserial PRIMARY KEY, workspace_id bigint NOT NULL, payload text);
INSERT INTO events (workspace_id, payload) SELECT i % 10, repeat('x', 40) FROM generate_series(1, 200000) i;
ANALYZE events;
UPDATE events SET workspace_id = 8 WHERE workspace_id = 7 AND id < 199900;
"""
PAGE = ('SELECT e0."id", e0."payload" FROM "events" AS e0 WHERE (e0."workspace_id" = %s) '
        'ORDER BY e0."id" LIMIT 50')

# Five hundred comments refer to each post, and nothing helps to find those of one.
POSTS = """
CREATE TABLE posts (id bigserial PRIMARY KEY, title text);
CREATE TABLE comments (id bigserial PRIMARY KEY, body text, post_id bigint NOT NULL);
INSERT INTO posts (title) SELECT 'post ' || i FROM generate_series(1, 1600) i;
INSERT INTO comments (post_id, body) SELECT i % 1600 + 1, 'y' FROM generate_series(1, 800000) i;
ALTER TABLE comments ADD FOREIGN KEY (post_id) REFERENCES posts ON DELETE CASCADE;
ANALYZE;
"""
DELETE = 'DELETE FROM "posts" AS p0 WHERE (p0."id" = %s)'


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        real_postgres.skip_unless_installed(hypopg=True)

    def setUp(self):
        self.server = RealPostgres({"auto_explain.log_min_duration": "10ms"})
        self.addCleanup(self.server.close)
        self.server.__enter__()
        self.server.sql("CREATE DATABASE shop")
        self.folder = tempfile.mkdtemp(prefix="ectoscope-story-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.port = free_port()
        self.daemon = None

    def play(self, schema, logs=True):
        self.server.sql(schema, database="shop")
        done = self.server.psql("-f", os.path.join(ROOT, "deploy", "postgresql", "role.sql"), database="shop")
        self.assertEqual(done.returncode, 0, done.stderr)
        config = os.path.join(self.folder, "ectoscope.yaml")
        dsn = os.path.join(self.folder, "dsn")
        with open(dsn, "w", encoding="utf-8") as file:
            file.write(self.server.dsn("shop", "ectoscope"))
        with open(config, "w", encoding="utf-8") as file:
            json.dump({  # JSON is YAML
                "servers": [{"name": "main", **({"logs": [self.server.log_path]} if logs else {}),
                             "postgres": {"dsn_file": dsn, "poll_interval": "1s"}}],
                "state": {"directory": os.path.join(self.folder, "state")},
                "web": {"listen_address": f"127.0.0.1:{self.port}"}}, file)
        with open(os.path.join(self.folder, "serve.log"), "wb") as log:
            self.daemon = subprocess.Popen([BINARY, "serve", "--config.file", config], stdout=log, stderr=log,
                                           stdin=subprocess.DEVNULL)
        self.addCleanup(self.end)
        wait_for(lambda: self.metric("ectoscope_up") == 1, "serve sees log and server", seconds=60)

    def end(self):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            self.assertEqual(self.daemon.wait(timeout=20), 0)

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            if self.daemon.poll() is not None:
                with open(os.path.join(self.folder, "serve.log"), encoding="utf-8") as log:
                    raise AssertionError("serve ended: " + log.read()) from None
            return ""

    def metric(self, name):
        """Of server main; None while there is none."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + "{") and 'server="main"' in line:
                return float(line.rsplit(" ", 1)[1])
        return None

    def finding(self, kind, table):
        text = self.get("/api/v1/findings")
        for finding in json.loads(text)["findings"] if text else []:
            if finding["kind"] == kind and finding["tables"][:1] == [table]:
                return finding
        return None

    def verified(self, kind, table):
        finding = self.finding(kind, table)
        if finding and finding["fix"].get("verified", {}).get("by") == "hypopg":
            return finding
        return None

    @staticmethod
    def slowest(connection, sql, keys):
        """In seconds."""
        slowest = 0
        for key in keys:
            begun = time.monotonic()
            connection.execute(sql, [key])
            slowest = max(slowest, time.monotonic() - begun)
        return slowest

    def run_page(self, times):
        with self.server.connect("shop") as connection:
            return self.slowest(connection, PAGE, [7] * times)

    def build(self, finding):
        done = self.server.psql("-c", finding["fix"]["sql"], database="shop")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.server.sql("ANALYZE", database="shop")

    @staticmethod
    def now():
        """As the log says it."""
        return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"

    def a_quarter_of_an_hour_later(self, since):
        """What the log has from `since` on happens again, later: a finding resolves by event time."""
        with open(self.server.log_path, "rb") as log:
            lines = log.read().decode().splitlines(keepends=True)
        later = ""
        for line in lines:
            record = json.loads(line) if line.endswith("\n") else {"timestamp": ""}
            if record["timestamp"] <= since:
                continue
            at = datetime.datetime.strptime(record["timestamp"], "%Y-%m-%d %H:%M:%S.%f UTC")
            at += datetime.timedelta(minutes=15)
            record["timestamp"] = at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03} UTC"
            later += json.dumps(record) + "\n"
        # At once: the server goes on writing, and would write between the parts of a line.
        with open(self.server.log_path, "ab", buffering=0) as log:
            log.write(later.encode())

    def resolves(self, kind, table):
        finding = self.finding(kind, table)
        return finding and finding["resolved_at"]

    def test_wrong_index(self):
        self.play(EVENTS)
        slow = self.run_page(8)
        finding = wait_for(lambda: self.verified("wrong_index", "events"), "found, advised, verified", seconds=60)
        index = finding["fix"]["index"]
        self.assertEqual((index["table"], index["columns"]), ("events", ["workspace_id", "id"]))
        costs = finding["fix"]["verified"]
        self.assertLessEqual(costs["cost_after"], costs["cost_before"] / 2)
        self.assertIn("create index(:events, [:workspace_id, :id]", finding["fix"]["migration"])
        wait_for(lambda: self.finding("wrong_index", "events")["query"]["queryid"], "its queryid is known")

        self.build(finding)
        since = self.now()
        fast = self.run_page(120)
        self.assertLess(fast, slow / 2)
        self.a_quarter_of_an_hour_later(since)
        wait_for(lambda: self.resolves("wrong_index", "events"), "resolved", seconds=60)

    def test_missing_index_under_a_foreign_keys_trigger(self):
        # A scan takes longer, and a quick delete that a busy machine holds up does not.
        self.server.configure({"auto_explain.log_min_duration": "25ms"})
        self.server.reload()
        self.play(POSTS)
        with self.server.connect("shop") as connection:
            slow = self.slowest(connection, DELETE, range(1, 7))
        finding = wait_for(lambda: self.verified("missing_index", "comments") or
                           self.verified("missing_index", "posts"), "found, advised, verified", seconds=60)
        index = finding["fix"]["index"]
        self.assertEqual((index["table"], index["columns"]), ("comments", ["post_id"]))
        self.build(finding)
        with self.server.connect("shop") as connection:
            connection.execute(DELETE, [99])  # a session's first plans the trigger's statement, which takes a while
            since = self.now()
            self.assertLess(self.slowest(connection, DELETE, range(100, 220)), slow)
        self.a_quarter_of_an_hour_later(since)
        wait_for(lambda: self.resolves("missing_index", finding["tables"][0]), "resolved", seconds=60)

    def test_server_is_killed_and_comes_back(self):
        self.play(EVENTS)
        self.run_page(3)
        wait_for(lambda: self.finding("wrong_index", "events"), "found")
        before = self.finding("wrong_index", "events")["occurrences"]
        for end in (self.server.crash, self.server.stop):
            end()
            wait_for(lambda: self.metric("ectoscope_up") == 0, "its fall is shown")
            self.server.start()
            wait_for(lambda: self.metric("ectoscope_up") == 1, "its return is shown", seconds=60)
        self.assertEqual(self.finding("wrong_index", "events")["occurrences"], before, "counted twice")
        self.run_page(2)
        wait_for(lambda: self.finding("wrong_index", "events")["occurrences"] == before + 2, "goes on")
        self.assertIsNone(self.daemon.poll())

    def counted(self, operation):
        """Statements on shop, as the counters' deltas add up."""
        total = 0
        for line in self.get("/metrics").splitlines():
            if line.startswith("ectoscope_statements_total{") and f'operation="{operation}"' in line:
                total += float(line.rsplit(" ", 1)[1]) if 'database="shop"' in line else 0
        return total

    def test_deltas_across_a_crash_and_a_restart_are_counted_once(self):
        self.play(EVENTS, logs=False)
        expected = {"update": 0, "delete": 0}

        def run(operation, sql, times):
            with self.server.connect("shop") as connection:
                for key in range(times):
                    connection.execute(sql, [key])
            expected[operation] += times
            wait_for(lambda: self.counted(operation) >= expected[operation], f"{operation}s are counted")

        def check():  # the polls that follow count none of them again
            run("delete", "DELETE FROM events WHERE id = %s", 3)
            self.assertEqual({operation: self.counted(operation) for operation in expected}, expected)

        update = "UPDATE events SET payload = 'x' WHERE id = %s"
        run("update", update, 20)
        check()
        for end in (self.server.crash, self.server.stop):
            end()
            wait_for(lambda: self.metric("ectoscope_up") == 0, "its fall is shown")
            self.server.start()
            wait_for(lambda: self.metric("ectoscope_up") == 1, "its return is shown", seconds=60)
            run("update", update, 5)
            check()


if __name__ == "__main__":
    unittest.main(verbosity=2)
