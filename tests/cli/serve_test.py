#!/usr/bin/env python3
"""`ectoscope serve` from outside: what it counts through rotations and kills, and its life.

    serve_test.py BINARY
"""

import json
import os
import shutil
import subprocess
import threading
import time
import unittest

import ecto_log
import real_postgres
from real_postgres import RealPostgres, wait_for
from serve_daemon import BINARY, Folder, cpu_seconds, is_sanitized, resident_bytes

CHILDREN = 8


class Traffic:
    """Requests with an N+1 each, until told to stop; counts what it sent."""

    def __init__(self, server):
        self.server = server
        self.statements = 0
        self.requests = 0
        self.pause = threading.Event()
        self.paused = threading.Event()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        with self.server.connect(database="shop", prepare_threshold=None) as connection:
            while not self.ending.is_set():
                if self.pause.is_set():
                    self.paused.set()
                    time.sleep(0.01)
                    continue
                self.paused.clear()
                self.requests += 1
                tag = f"/*traceparent='00-{self.requests:032x}-{self.requests:016x}-01'*/"
                connection.execute(f'SELECT u0."id" FROM "users" AS u0 WHERE (%s) {tag}', [True])
                self.statements += 1
                for child in range(CHILDREN):
                    connection.execute(
                        f'SELECT p0."id" FROM "posts" AS p0 WHERE (p0."user_id" = %s::bigint) {tag}',
                        [self.requests * 100 + child])
                    self.statements += 1
                time.sleep(0.03)

    def hold(self):
        self.pause.set()
        self.paused.wait(10)

    def go_on(self):
        self.pause.clear()

    def end(self):
        self.go_on()
        self.ending.set()
        self.thread.join(20)


class ExactlyOnce(Folder):
    def test_through_rotations_and_kills(self):
        real_postgres.skip_unless_installed()
        for destination in ("stderr", "jsonlog"):
            with self.subTest(destination), RealPostgres({"log_destination": destination}) as server:
                self.rotate_and_kill(server)
            shutil.rmtree(self.path("state"))

    def rotate_and_kill(self, server):
        server.sql("CREATE DATABASE shop")
        server.sql("CREATE TABLE users (id bigint); CREATE TABLE posts (id bigint, user_id bigint)",
                   database="shop")
        made = 1  # statements on `shop` so far: two in one message are one
        log = server.log_path
        daemon = self.daemon([log + "*"], server={"databases": ["shop"]})
        traffic = Traffic(server)

        def rename(number):
            for older in range(number, 1, -1):
                os.rename(f"{log}.{older - 1}", f"{log}.{older}")
            os.rename(log, f"{log}.1")
            time.sleep(0.2)  # the server goes on writing to the renamed file
            server.sql("SELECT pg_rotate_logfile()")
            wait_for(lambda: os.path.exists(log), "the new log")

        def copy_and_cut(number):
            traffic.hold()
            self.wait_still(log)  # the server's collector writes behind its backends
            shutil.copy(log, f"{log}.copy{number}")
            os.truncate(log, 0)
            traffic.go_on()

        daemon.start()
        rotations = [lambda: rename(1), lambda: copy_and_cut(1), lambda: rename(2), lambda: copy_and_cut(2),
                     lambda: None]
        for i, rotate in enumerate(rotations):
            time.sleep(0.7 + 0.4 * (i % 3))
            if i % 2 == 0:
                daemon.kill()
                rotate()
            else:
                rotate()
                time.sleep(0.3)
                daemon.kill()
            time.sleep(0.2)
            daemon.start()
        time.sleep(1)
        traffic.end()
        expected = (traffic.statements + made, traffic.requests)

        def all_counted():
            time.sleep(4)
            daemon.stop()
            statements, kinds, ids = daemon.stored()
            self.seen = (statements, kinds, ids, expected)
            self.assertLessEqual(statements, expected[0], self.seen)
            done = statements == expected[0] and kinds.get("n_plus_one_read") == expected[1]
            if not done:
                daemon.start()
            return done

        try:
            wait_for(all_counted, "all statements are counted", seconds=30)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.seen}") from None
        loops = [finding for finding in daemon.stored()[2] if finding.startswith("n_plus_one")]
        self.assertEqual(len(loops), 1, self.seen)

    def wait_still(self, path):
        sizes = [-1]

        def still():
            time.sleep(0.3)
            sizes.append(os.path.getsize(path))
            return sizes[-1] == sizes[-2]

        wait_for(still, "the log rests")

    def test_a_restart_goes_on_and_adds_nothing(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=20))
        daemon = self.daemon().start()
        daemon.wait_said("ready")
        time.sleep(1.5)
        daemon.stop()
        first = daemon.stored()
        self.assertEqual(first[0], 20 * 11)
        daemon.start()
        daemon.wait_said("ready")
        time.sleep(4)
        daemon.stop()
        second = daemon.stored()
        self.assertEqual((second[0], second[1].get("n_plus_one_read")), (20 * 11, 20))


class Killed(Folder):
    """With something in memory that is not decided yet."""

    def kill_when(self, daemon, statements):
        wait_for(lambda: daemon.committed() == statements, f"{statements} statements are committed", 60)
        daemon.kill()

    def expected(self, kind):
        """What one pass over the whole log finds."""
        report = json.loads(subprocess.run([BINARY, "analyze", "--output=json", self.path("pg.log")],
                                           stdout=subprocess.PIPE, check=True).stdout)
        found = [finding for finding in report["findings"] if finding["kind"] == kind]
        self.assertEqual(len(found), 1, kind)
        return found[0]

    def found_after(self, daemon, kind, statements):
        """The one finding of the kind; a further restart adds nothing."""
        wait_for(lambda: daemon.occurrences(kind), kind, 60)
        found = [finding for finding in json.loads(daemon.get("api/v1/findings?limit=1000")[1])["findings"]
                 if finding["kind"] == kind]
        self.assertEqual(len(found), 1, kind)
        for _ in range(2):
            daemon.stop()
            stored = daemon.stored()
            self.assertEqual((stored[0], stored[1][kind]), (statements, found[0]["occurrences"]))
            daemon.start()
            daemon.wait_said('"ready"')
        return found[0]

    def test_writes_that_wait_for_others_of_their_request(self):
        requests = 6
        records = []
        for i in range(requests):  # the id of the order is handed on
            records.append(ecto_log.execute(i * 700, 101, 'INSERT INTO "orders" ("id") VALUES ($1)', [7700 + i]))
            records.append(ecto_log.execute(
                i * 700 + 20, 102, 'INSERT INTO "audits" ("order_id") VALUES ($1)', [7700 + i]))
        self.write("pg.log", records)
        daemon = self.daemon().start()
        self.kill_when(daemon, 2 * requests)
        daemon.start()  # and again, when it has read them again
        daemon.wait_said('"ready"')
        wait_for(lambda: daemon.metric('ectoscope_log_records_total{server="main"}') == 2 * requests, "all is read")
        self.kill_when(daemon, 2 * requests)
        self.write("pg.log", [ecto_log.execute(60_000, 101, "SELECT 1", [])])
        found = self.found_after(daemon.start(), "non_atomic_writes", 2 * requests + 1)
        expected = self.expected("non_atomic_writes")
        self.assertEqual(found["occurrences"], requests)
        self.assertEqual({key: found[key] for key in ("id", "occurrences", "summary", "examples")},
                         {key: expected[key] for key in ("id", "occurrences", "summary", "examples")})

    def test_a_wait_for_a_lock(self):
        update = 'UPDATE "stocks" SET "left" = $1 WHERE "id" = $2'
        self.write("pg.log", [
            ecto_log.execute(0, 201, "begin", []),
            ecto_log.execute(500, 201, update, [1, 2]),
            ecto_log.record(2000, 202, "process 202 still waiting for ShareLock on transaction 700 after 1000.100 ms",
                            detail="Process holding the lock: 201. Wait queue: 202.",
                            context='while updating tuple (0,1) in relation "stocks"', statement=update),
            ecto_log.execute(2500, 203, "SELECT 1", [])])
        daemon = self.daemon().start()
        self.kill_when(daemon, 3)
        self.write("pg.log", [
            ecto_log.record(5000, 202, "process 202 acquired ShareLock on transaction 700 after 4000.100 ms",
                            context='while updating tuple (0,1) in relation "stocks"', statement=update),
            ecto_log.execute(5010, 201, "commit", [])])
        found = self.found_after(daemon.start(), "lock_wait", 4)
        expected = self.expected("lock_wait")
        self.assertIn("other", expected["examples"][0])
        self.assertEqual({key: found[key] for key in ("id", "occurrences", "summary", "examples")},
                         {key: expected[key] for key in ("id", "occurrences", "summary", "examples")})


class Early(Folder):
    def test_a_request_is_shown_when_it_falls_quiet_and_counts_when_it_is_over(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=1))
        daemon = self.daemon(grouping={"trace_quiet": "9m"}).start()
        counted = 'ectoscope_finding_occurrences_total{server="main",database="shop",kind="n_plus_one_read"}'
        excess = 'ectoscope_excess_statements_total{server="main"}'
        wait_for(lambda: daemon.occurrences("n_plus_one_read") == 1, "it is shown", 60)
        self.assertEqual((daemon.metric(counted) or 0, daemon.metric(excess)), (0, 0))
        self.write("pg.log", [ecto_log.execute(600_000, 101, "SELECT 1", [])])
        wait_for(lambda: daemon.metric(counted) == 1, "it counts", 60)
        self.assertEqual(daemon.occurrences("n_plus_one_read"), 1)
        self.assertEqual(daemon.metric(excess), 9)
        daemon.stop()
        statements, kinds, ids = daemon.stored()
        self.assertEqual((statements, kinds, len(ids)), (11 + 1, {"n_plus_one_read": 1}, 1))


class Life(Folder):
    def test_it_idles(self):
        if is_sanitized():
            self.skipTest("a sanitizer's memory and time")
        self.write("pg.log", ecto_log.n_plus_one(requests=200))
        daemon = self.daemon().start()
        wait_for(lambda: daemon.occurrences("n_plus_one_read") == 200, "all is read and judged", 60)
        began, worked = time.monotonic(), cpu_seconds(daemon.process.pid)
        time.sleep(5)
        passed, worked = time.monotonic() - began, cpu_seconds(daemon.process.pid) - worked
        resident = resident_bytes(daemon.process.pid)
        print(f"idle: {worked:.2f} s of work in {passed:.1f} s, {resident / 2**20:.1f} MiB")
        self.assertLessEqual(worked, 0.01 * passed)
        self.assertLess(resident, 32 * 2**20)
        daemon.stop()

    def test_it_ends_at_once_with_all_committed(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=200))
        daemon = self.daemon()
        for attempt in range(5):  # a machine's hiccup is not its fault; five are
            daemon.start()
            self.write("pg.log", ecto_log.n_plus_one(requests=10))
            requests = 200 + 10 * (attempt + 1)
            counted = 11 * (requests if attempt == 0 else 10)
            wait_for(lambda: daemon.statements() == counted, "all is counted", 60)
            taken = daemon.stop()
            self.assertEqual(daemon.stored()[0], 11 * requests)
            print(f"ended in {taken:.3f} s")
            if taken < 2:
                return
        self.fail("it never ended within 2 s")

    def test_it_is_ready_and_gone_in_no_time(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=200))
        daemon = self.daemon()
        taken, worked = [], []
        for _ in range(3):
            began = time.monotonic()
            daemon.start()
            daemon.wait_said('"ready"', seconds=5)
            taken.append(time.monotonic() - began)
            worked.append(cpu_seconds(daemon.process.pid))
            daemon.stop()
        # Time on the wall is the machine's load too: what the daemon itself does is bounded.
        print(f"ready in {min(taken):.3f} s, of which it worked {min(worked):.3f} s")
        self.assertLess(min(worked), 0.3)

    def test_nothing_of_a_value_is_kept(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=5, value=lambda i: f"canary-{i}"))
        daemon = self.daemon().start()
        daemon.wait_said("ready")
        time.sleep(3)
        daemon.stop()
        for name in os.listdir(daemon.state):
            with open(os.path.join(daemon.state, name), "rb") as file:
                self.assertNotIn(b"canary", file.read())
        self.assertNotIn("canary", "".join(daemon.lines))


if __name__ == "__main__":
    unittest.main()
