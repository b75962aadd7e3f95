#!/usr/bin/env python3
"""What users typed leaves in no output: neither analyze's, nor the daemon's pages, metrics, store and own log.

    privacy_test.py BINARY
"""

import datetime
import json
import os
import subprocess
import time
import unittest

import ecto_log
from ecto_log import execute, record
from serve_daemon import BINARY, Folder

TEXT = "zq7marker"
NUMBER = "918273645"  # in no stamp, no duration and no hash by accident

STATEMENTS = [
    # the ways to write a literal
    "SELECT u0.id FROM users AS u0 WHERE u0.email = '{t}@example.com' AND u0.n = {n}",
    "SELECT u0.id FROM users AS u0 WHERE u0.email = E'{t}\\'{t}'",
    "SELECT u0.id FROM users AS u0 WHERE u0.email = U&'{t}' UESCAPE '!'",
    "SELECT u0.id FROM users AS u0 WHERE u0.email = N'{t}' OR u0.n = -{n}.5e3",
    "SELECT u0.id FROM users AS u0 WHERE u0.email = $${t}$$ OR u0.email = $x${t}$x$",
    "SELECT u0.id FROM users AS u0 WHERE u0.name LIKE '%{t}%' AND u0.id IN ({n}, 2) LIMIT {n}",
    "SELECT u0.id FROM users AS u0 WHERE u0.tags @> ARRAY['{t}'] AND u0.data->>'{t}' = '1'",
    "SELECT '{t}'::text, interval '{t}', '{t}'\n'{t}' FROM users",
    "INSERT INTO users (name, n) VALUES ('{t}', {n}), ('{t}', {n})",
    "UPDATE users SET name = '{t}'",
    # texts that libpg_query does not take: cut, broken, newer, too deep
    "SELECT u0.id FROM users AS u0 WHERE u0.email = '{t}",
    "SELECT u0.id FROM users AS u0 WHERE u0.email = $x${t} cut",
    "SELECT u0.id FROM users AS u0 WHERE u0.email = E'{t}\\",
    "SELEC u0.id FORM users WHERE '{t}' , {n} )",
    "SELECT u0.id FROM users AS u0 WHERE u0.n = 1{t} AND u0.m = 1_{n}",
    "SELECT u0.id FROM users AS u0 WHERE u0.name = 'O'{t}' AND u0.n = {n}",
    "SELECT u0.id FROM users AS u0 WHERE u0.email = '{t}'" + " + 1" * 3000,
    # comments
    "SELECT u0.id FROM users AS u0 -- {t}\nWHERE u0.n = 1",
    "SELECT u0.id FROM users AS u0 /* {t} {n} */ WHERE u0.n = 1 /* {t}",
    # statements of all sorts
    "DO $$ BEGIN RAISE NOTICE '{t}'; END $$",
    "SET LOCAL app.user_email TO {t}",
    "SELECT set_config('app.user_email', '{t}', true)",
    "NOTIFY jobs, '{t}'",
    "ALTER ROLE bob WITH PASSWORD '{t}'",
    "COPY users FROM '/{t}' CSV",
    "EXECUTE by_email('{t}', {n})",
    "COMMENT ON TABLE users IS '{t}'",
    "ALTER TABLE users ADD COLUMN kind text DEFAULT '{t}' NOT NULL",
    "CREATE INDEX users_kind_index ON users (kind) WHERE kind = '{t}'",
]

# (severity, message, SQLSTATE, detail)
MESSAGES = [
    ("ERROR", 'duplicate key value violates unique constraint "users_email_index"', "23505",
     "Key (email)=({t}@example.com) already exists."),
    ("ERROR", 'new row for relation "users" violates check constraint "kind"', "23514",
     "Failing row contains (1, {t}, {n})."),
    ("ERROR", 'insert or update on table "posts" violates foreign key constraint "posts_user_id_fkey"', "23503",
     'Key (user_id)=({n}) is not present in table "users".'),
    ("ERROR", 'invalid input syntax for type integer: "{t}"', "22P02", ""),
    ("ERROR", "{t} raised by a trigger", "P0001", "{t}"),
    ("ERROR", "deadlock detected", "40P01",
     "Process 101 waits for ShareLock on transaction 5; blocked by process 102.\n"
     "Process 102 waits for ShareLock on transaction 6; blocked by process 101.\n"
     "Process 101: UPDATE users SET name = '{t}' WHERE id = {n}\nProcess 102: DELETE FROM users WHERE name = '{t}'"),
    ("ERROR", "canceling statement due to statement timeout", "57014", ""),
    ("ERROR", "could not serialize access due to concurrent update", "40001", ""),
    ("LOG", 'temporary file: path "base/pgsql_tmp/pgsql_tmp101.0", size 50000000', "00000", ""),
    ("LOG", "process 101 still waiting for ShareLock on transaction 5 after 1000.1 ms", "00000",
     "Process holding the lock: 102. Wait queue: 101."),
]

SCAN = {"Node Type": "Seq Scan", "Relation Name": "events", "Alias": "e0", "Total Cost": 1.0, "Plan Rows": 5,
        "Actual Rows": 1, "Actual Loops": 1, "Actual Total Time": 340, "Rows Removed by Filter": 900000,
        "Filter": "((kind = ANY ('{{{t},b}}'::text[])) AND (n = {n}))"}
LOWERED = {**SCAN, "Filter": "(lower(email) = '{t}'::text)"}
SORT = {"Node Type": "Sort", "Sort Key": ["((data ->> '{t}'::text))"], "Sort Method": "external merge",
        "Sort Space Used": 90000, "Sort Space Type": "Disk", "Total Cost": 1.0, "Plan Rows": 5,
        "Actual Rows": 900000, "Actual Loops": 1, "Actual Total Time": 340, "Plans": [SCAN]}
PLANS = [(SORT, "SELECT e0.id FROM events AS e0 WHERE (e0.kind = ANY('{{{t},b}}')) AND (e0.n = {n}) ORDER BY e0.data"),
         (LOWERED, "SELECT e0.id FROM events AS e0 WHERE (lower(e0.email) = '{t}')")]


def filled(value):
    """With the markers in all texts of a plan or statement."""
    if isinstance(value, str):
        return value.replace("{{", "{").replace("}}", "}").replace("{t}", TEXT).replace("{n}", NUMBER)
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, dict):
        return {name: filled(item) for name, item in value.items()}
    return value


def traffic():
    """Each statement as a loop that is slow at first, then each message, then a plan; tagged and not."""
    at, request, records = 0.0, 0, []
    for tagged in (False, True, True):
        for sql in STATEMENTS:
            request += 1
            tag = f"/*traceparent='00-{request:032x}-{request:016x}-01'*/" if tagged else ""
            for i in range(8):
                at += 1.5
                records.append(execute(at, 101 + i % 3, filled(sql) + tag, [f"{TEXT}{i}", NUMBER], 0.4 if i else 150))
            at += 2500
        for severity, message, sqlstate, detail in MESSAGES:
            at += 60
            records.append(record(at, 101, filled(message), detail=filled(detail), severity=severity,
                                  sqlstate=sqlstate, statement=filled("UPDATE users SET name = '{t}' WHERE id = {n}"),
                                  hint=TEXT, context=filled("PL/pgSQL function f('{t}') line 1")))
        for plan, sql in PLANS:
            at += 2500
            text = json.dumps({"Query Text": filled(sql), "Plan": filled(plan)}, indent=2)
            records.append(record(at, 101, "duration: 350.000 ms  plan:\n" + text))
            records.append(execute(at + 1, 101, filled(sql), [TEXT], 351))
        at += 2500
    return records + [{**r, "at": r["at"] + datetime.timedelta(milliseconds=at)}
                      for r in ecto_log.n_plus_one(value=lambda i: f"{TEXT}-{i}")]


class Privacy(Folder):
    def looked_through(self, place, text):
        for marker in (TEXT, NUMBER):
            at = text.find(marker.encode())
            self.assertEqual(at, -1, f"{place}: ...{text[max(at - 200, 0):at + 100]!r}")

    def test_analyze(self):
        for name, write in ecto_log.FORMATS.items():
            path = os.path.join(self.folder, name + ".log")
            with open(path, "wb") as file:
                file.write(write(traffic()))
            for output in ("json", "text"):
                run = subprocess.run(
                    [BINARY, "analyze", "--output=" + output, "--examples=all", "--fail-on=none", path],
                    capture_output=True, check=True)
                self.looked_through(f"{name} as {output}", run.stdout + run.stderr)
            kinds = {finding["kind"] for finding in json.loads(self.report(path))["findings"]}
            self.assertLessEqual({"n_plus_one_read", "redundant_query", "slow_query", "missing_index",
                                  "unindexable_predicate", "constraint_violation", "deadlock", "lock_wait",
                                  "disk_spill", "statement_timeout"}, kinds)

    def report(self, path):
        return subprocess.run([BINARY, "analyze", "--output=json", "--fail-on=none", path],
                              capture_output=True, check=True).stdout

    def test_serve(self):
        path = os.path.join(self.folder, "pg.log")
        with open(path, "wb") as file:
            file.write(ecto_log.stderr(traffic()))
        daemon = self.daemon().start()
        daemon.wait_said('"ready"')
        deadline = time.monotonic() + 20
        while daemon.statements() < 8 * len(STATEMENTS) * 3 and time.monotonic() < deadline:
            time.sleep(0.2)
        time.sleep(3)  # the last requests fall quiet
        found = json.loads(daemon.get("api/v1/findings?limit=1000")[1])["findings"]
        self.assertGreater(len(found), 20)
        pages = ["", "queries", "sources", "why", "metrics", "api/v1/findings?limit=1000", "api/v1/queries",
                 "api/v1/sources", "api/v1/near-misses"]
        pages += [prefix + finding["id"] for finding in found for prefix in ("findings/", "api/v1/findings/")]
        for page in pages:
            status, text = daemon.get(page)
            self.assertEqual(status, 200, page)
            self.looked_through(page, text.encode())
        daemon.stop()
        for name in os.listdir(daemon.state):
            with open(os.path.join(daemon.state, name), "rb") as file:
                self.looked_through(name, file.read())
        self.looked_through("its own log", "".join(daemon.lines).encode())


if __name__ == "__main__":
    unittest.main()
