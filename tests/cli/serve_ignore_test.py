#!/usr/bin/env python3
"""Ignore rules in the daemon: what they hide is in no finding and metric, and still told; a reload lets go of it.

    serve_ignore_test.py BINARY
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import ecto_log

BINARY = os.path.abspath(sys.argv.pop(1))
PATIENCE = 60  # seconds; a busy machine is slow
QUIET = 2.5  # longer than it takes to read, judge and publish what was written


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


class ServeIgnore(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ectoscope-ignore-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        records = ecto_log.n_plus_one(table="posts") + ecto_log.n_plus_one(table="comments")
        self.write(records)
        self.config = os.path.join(self.folder, "ectoscope.yaml")
        self.configure("ignore: [{table: posts, reason: known since <spring>}]\n")
        self.said = open(os.path.join(self.folder, "said"), "w+b")
        self.addCleanup(self.said.close)
        self.process = subprocess.Popen(
            [BINARY, "serve", f"--config.file={self.config}", "--web.listen-address=127.0.0.1:0"],
            stdin=subprocess.DEVNULL, stdout=self.said, stderr=self.said)
        self.addCleanup(self.stop)
        self.url = wait_for("the address", self.address)

    def write(self, records):
        with open(os.path.join(self.folder, "a.log"), "ab") as file:
            file.write(ecto_log.stderr(ecto_log.with_binds(records)))

    def ignored_statement(self, at_ms):
        self.write([ecto_log.execute(at_ms, 100, "SELECT 1 FROM users/* ectoscope:ignore */", [])])

    def configure(self, rules):
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f"servers: [{{name: main, logs: ['{self.folder}/a.log'], start_at: beginning}}]\n"
                       f"state: {{directory: '{self.folder}/state'}}\n" + rules)

    def address(self):
        self.said.seek(0)
        text = self.said.read().decode()
        self.assertIsNone(self.process.poll(), text)
        found = re.search(r"(http://[^ \"]+?/)[\s\"]", text)
        return found and found.group(1)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=PATIENCE)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as response:
            return response.read().decode()

    def report(self):
        return json.loads(self.get("api/v1/findings"))

    def tables(self):
        return sorted(finding["tables"][0] for finding in self.report()["findings"])

    def test_hidden_told_and_let_go(self):
        wait_for("the finding that no rule covers", lambda: self.tables() == ["comments"])
        report = wait_for("the ignored", lambda: (r := self.report())["ignored"] and r)
        self.assertEqual([it["rule"]["reason"] for it in report["ignored"]], ["known since <spring>"])
        for count in (1, 2):  # alone in a quiet log, when all that came before is published
            time.sleep(QUIET)
            self.ignored_statement(60_000 + 5000 * count)
            wait_for("the statement", lambda: self.report()["ignoring"]["statements"] == count)
        page = self.get("")
        self.assertIn("known since &lt;spring&gt;", page)
        metrics = self.get("metrics")
        self.assertRegex(metrics, r'ectoscope_finding_occurrences_ignored_total\{[^}]*kind="n_plus_one_read"[^}]*\} 3')
        self.assertNotIn(report["ignored"][0]["id"], metrics)

        self.configure("")
        self.process.send_signal(signal.SIGHUP)
        wait_for("the finding that was ignored", lambda: self.tables() == ["comments", "posts"])
        self.assertEqual(self.report()["ignored"], [])


if __name__ == "__main__":
    unittest.main(verbosity=1)
