#!/usr/bin/env python3
"""Plans and temporary files in a log, through the binary: what is bad is counted by reason, the rest goes on.

    plans_test.py BINARY
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

BINARY = os.path.abspath(sys.argv.pop(1))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import ecto_log  # noqa: E402

FORMATS = {"log": ecto_log.stderr, "csv": ecto_log.csvlog, "json": ecto_log.jsonlog}
SQL = 'SELECT i0."id" FROM "items" AS i0 WHERE (i0."order_id" = $1)'


def plan(node, text=SQL):
    return "duration: 80.000 ms  plan:\n" + json.dumps({"Query Text": text, "Plan": node}, indent=2)


def scan(**more):
    return {"Node Type": "Seq Scan", "Relation Name": "items", "Alias": "i0", "Startup Cost": 0.0, "Total Cost": 20000.0,
            "Plan Rows": 3, "Plan Width": 8, "Actual Rows": 3, "Actual Loops": 1, "Filter": "(order_id = '7'::bigint)",
            "Rows Removed by Filter": 900000, **more}


def deep_plan(levels):
    """As text: json.dumps would recurse."""
    return plan("NODE").replace('"NODE"', '{"Node Type":"Result","Plans":[' * levels + json.dumps(scan()) + "]}" * levels)


class Plans(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def analyze(self, name, content, config="{}"):
        paths = {}
        for path, text in ((name, content), ("ectoscope.yaml", config.encode())):
            paths[path] = os.path.join(self.folder, path)
            with open(paths[path], "wb") as file:
                file.write(text)
        done = subprocess.run([BINARY, "analyze", "--output=json", "--config.file", paths["ectoscope.yaml"], paths[name]],
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr.decode())
        return json.loads(done.stdout)

    def test_bad_plans_are_counted_by_reason_and_the_next_is_read(self):
        whole = plan(scan())
        bad = [whole[:200], whole.replace('"Plan": {', '"Plan": nonsense {'), deep_plan(1001),
               plan(scan(Padding="x" * 600_000))]
        records = [ecto_log.record(at * 100, 100, message) for at, message in enumerate(bad)]
        records += [ecto_log.record(1000, 100, whole), ecto_log.execute(1001, 100, SQL, ["7"], duration_ms=80.2)]
        for name, write in FORMATS.items():
            with self.subTest(name):
                report = self.analyze("a." + name, write(records), "input: {max_record_bytes: 256KiB}")
                self.assertEqual(report["input"]["unparsed"],
                                 {"plan_cut_off": 1, "plan_not_json": 1, "plan_too_deep": 1, "too_long": 1})
                found = [f for f in report["findings"] if f["kind"] == "missing_index"]
                self.assertEqual([(f["occurrences"], f["fix"]["index"]["columns"]) for f in found], [(1, ["order_id"])])

    def test_a_plan_too_deep(self):
        for name, write in FORMATS.items():
            with self.subTest(name):
                report = self.analyze("a." + name, write([ecto_log.record(0, 100, deep_plan(1001))]))
                self.assertEqual(report["input"]["unparsed"], {"plan_too_deep": 1})

    def test_temporary_files_of_one_statement_are_one_spill(self):
        def temporary(at, size, statement=SQL):
            message = f'temporary file: path "base/pgsql_tmp/pgsql_tmp100.{at}", size {size}'
            return {**ecto_log.record(at, 100, message, statement=statement), "vxid": "3/77"}

        records = [temporary(600, 3_000_000), temporary(601, 2_000_000),
                   ecto_log.execute(602, 100, SQL, ["7"], duration_ms=500), temporary(900, 9_000_000, "COMMIT")]
        for name, write in FORMATS.items():
            with self.subTest(name):
                report = self.analyze("a." + name, write(records))
                spills = [f for f in report["findings"] if f["kind"] == "disk_spill"]
                self.assertEqual([(f["occurrences"], f["evidence"]["spilled_bytes"]) for f in spills], [(1, 5_000_000)])
                self.assertEqual(spills[0]["cost"]["database_ms"], 500)
                self.assertEqual(spills[0]["tables"], ["items"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
