#!/usr/bin/env python3
"""slow_query against an independent count over the csv: parse + bind + execute of 100 ms and more.

    slow_query_test.py BINARY

Runs over tests/data/cli and, where it is there, over every capture of ../shared/corpus.
"""

import collections
import csv
import glob
import io
import json
import os
import re
import subprocess
import sys
import unittest

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
THRESHOLD_US = 100_000
PHASE = re.compile(r"duration: ([0-9.]+) ms  (parse|bind|execute|statement)(?: [^:]*)?: (.*)", re.S)

csv.field_size_limit(1 << 30)


def text_of(path):
    if not path.endswith(".zst"):
        with open(path, "rb") as file:
            return file.read().decode(errors="replace")
    return subprocess.run(["zstd", "-dcq", path], stdout=subprocess.PIPE, check=True).stdout.decode(errors="replace")


def slow_executions(path):
    """How many of the csv's executions were slow, by database."""
    open_phases = collections.defaultdict(lambda: (None, 0))  # of each pid: SQL, µs so far
    slow = collections.Counter()
    for row in csv.reader(io.StringIO(text_of(path))):
        match = PHASE.match(row[13])
        if not match:
            continue
        pid, database = row[3], row[2]
        us, phase, sql = round(float(match[1]) * 1000), match[2], match[3]
        before = open_phases[pid][1] if open_phases[pid][0] == sql and phase != "parse" else 0
        if phase in ("parse", "bind"):
            open_phases[pid] = (sql, before + us)
            continue
        open_phases[pid] = (None, 0)
        if before + us >= THRESHOLD_US:
            slow[database] += 1
    return slow


def reported(path):
    done = subprocess.run([BINARY, "analyze", "--output=json", "--examples=0", path], capture_output=True, check=True)
    found = collections.Counter()
    for finding in json.loads(done.stdout)["findings"]:
        if finding["kind"] == "slow_query":
            found[finding["database"]] += finding["occurrences"]
    return found


class SlowQuery(unittest.TestCase):
    def check(self, path):
        self.assertEqual(reported(path), slow_executions(path), path)

    def test_bundled_captures(self):
        paths = sorted(glob.glob(os.path.join(ROOT, "tests", "data", "cli", "*.csv*")))
        self.assertTrue(paths)
        for path in paths:
            with self.subTest(path=path):
                self.check(path)

    def test_corpus(self):
        paths = sorted(glob.glob(os.path.join(ROOT, "..", "shared", "corpus", "*", "*.csv*")))
        if not paths:
            self.skipTest("no corpus beside the checkout")
        for path in paths:
            with self.subTest(path=path):
                self.check(path)


if __name__ == "__main__":
    unittest.main(verbosity=1)
