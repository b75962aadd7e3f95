#!/usr/bin/env python3
"""The same traffic in each envelope gives the same findings.

    envelopes_test.py BINARY
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

import ecto_log
import envelopes
from real_postgres import wait_for

BINARY = os.path.abspath(sys.argv.pop(1))
FORGED = "2026-03-01 09:00:00.000 UTC [1] a@b app=x vxid=1/1 LOG:  duration: 9000.0 ms  statement: SELECT 'forged'"
SECRET = "hunter2"


def traffic():
    """With statements that are long, of several lines, and hostile."""
    records = ecto_log.with_binds(ecto_log.n_plus_one())
    columns = ", ".join(f'o0."a_rather_long_column_{i}"' for i in range(60))
    for i in range(3):
        at = 20_000 + i * 1000
        records.append(ecto_log.execute(at, 110, f'SELECT {columns}\nFROM "orders" AS o0\nWHERE (o0."id" = $1)', [str(i)], 250))
        records.append(ecto_log.execute(at + 300, 111, f"SELECT 'a\n{FORGED}\n#012{FORGED}\n[7] {FORGED}', {'x' * 1200}", []))
        records.append(ecto_log.record(at + 500, 112, 'duplicate key value violates unique constraint "users_email_index"', severity="ERROR",
                                       sqlstate="23505", detail=f"Key (email)=({SECRET}) already exists.",
                                       statement='INSERT INTO "users" ("email")\nVALUES ($1)'))
    return records


def analyze(log, *arguments):
    run = subprocess.run([BINARY, "analyze", "--output=json", *arguments, "-"], input=log, capture_output=True, check=False)
    if run.returncode != 0:
        raise AssertionError(run.stderr.decode())
    return json.loads(run.stdout)


def findings(report):
    return {f["id"]: (f["occurrences"], f["cost"]["statements"], f["cost"]["database_ms"]) for f in report["findings"]}


class SameFindings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plain = ecto_log.stderr(traffic())
        cls.report = analyze(cls.plain)
        cls.expected = findings(cls.report)

    def same(self, name, log, *arguments, formats=()):
        for more in [(), *((f"--format={f}",) for f in formats)]:
            with self.subTest(envelope=name, arguments=more):
                self.assertNotEqual(log, self.plain)
                report = analyze(log, *arguments, *more)
                self.assertEqual(findings(report), self.expected)
                self.assertEqual(report["input"]["unparsed"], self.report["input"]["unparsed"])
                self.assertEqual(report["input"]["records"], self.report["input"]["records"])
                self.assertNotIn("forged", json.dumps(report))
                self.assertNotIn(SECRET, json.dumps(report))

    def test_plain(self):
        kinds = {finding["kind"] for finding in self.report["findings"]}
        self.assertLessEqual({"n_plus_one_read", "slow_query", "constraint_violation"}, kinds)

    def test_lines_in_envelopes(self):
        formats = {"syslog": ("syslog",), "journal": ("journald",), "cloudsql": ("cloudsql",)}
        for name, wrap in envelopes.OF_ENTRIES.items():
            family = next(f for key, f in formats.items() if name.startswith(key))
            self.same(name, wrap(envelopes.entries(self.plain)), formats=family)

    def test_cloudnativepg(self):
        log = envelopes.cnpg(ecto_log.csvlog(traffic()).decode())
        started, rest = log.split(b"\n", 1)
        self.assertIn(b"instance-manager", started)
        self.same("cnpg", rest, formats=("cnpg",))
        behind_kubectl = b"".join(b"[pod/shop-1/postgres] 2026-11-22T10:00:00.1Z " + line + b"\n" for line in rest.splitlines())
        self.same("cnpg behind kubectl logs --prefix --timestamps", behind_kubectl)
        self.assertEqual(analyze(log)["input"]["unparsed"].get("other_program"), 1)

    def test_kubectl_timestamps(self):
        self.same("kubectl", envelopes.kubectl_stamped(self.plain))

    def test_prefix_without_a_stamp(self):
        """syslog's stamp and pid stand in for those that pgBadger's manual leaves out of the prefix for syslog."""
        log = envelopes.entries(self.plain)
        for entry in log:
            entry.text = entry.text.replace(b"%s UTC [%d] " % (entry.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3].encode(), entry.pid), b"")
            entry.text = entry.text.replace(b"postgres@shop app=shop vxid=", b"user=postgres,db=shop,app=shop,vxid=")
        self.same("syslog", envelopes.syslog_file(log))
        self.same("journal", envelopes.journal_export(log))

    def test_rds(self):
        """Its stamps have no fractions: requests can't be told apart by time, but by their tags."""
        report = analyze(envelopes.rds(self.plain))
        named = analyze(envelopes.rds(self.plain), "--format=rds")
        self.assertEqual(findings(named), findings(report))
        found = {f["kind"]: f["occurrences"] for f in report["findings"]}
        plain = {f["kind"]: f["occurrences"] for f in self.report["findings"]}
        for kind in ("n_plus_one_read", "slow_query", "constraint_violation"):
            self.assertEqual(found[kind], plain[kind], kind)
        cut = analyze(envelopes.rds(self.plain, cut=True))
        self.assertEqual(cut["input"]["unparsed"].get("cut_by_rds"), 1)
        self.assertEqual(cut["input"]["records"], report["input"]["records"] - 1)

    def test_lost_chunks_are_told(self):
        lines = envelopes.syslog_file(envelopes.entries(self.plain)).split(b"\n")
        lost = next(i for i, line in enumerate(lines) if b"-1] " in line)
        report = analyze(b"\n".join(lines[:lost] + lines[lost + 1:]))
        self.assertEqual(report["input"]["unparsed"].get("chunk_missing"), 1)
        self.assertEqual(report["input"]["records"], self.report["input"]["records"] - 1)


class StandardInput(unittest.TestCase):
    """`kubectl logs -f pod | ectoscope serve`"""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ectoscope-stdin-")
        self.addCleanup(folder.cleanup)
        config = os.path.join(folder.name, "config.yaml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"servers": [{"name": "main", "logs": ["-"]}], "state": {"directory": folder.name},
                       "web": {"listen_address": "127.0.0.1:0"}}, file)
        self.process = subprocess.Popen([BINARY, "serve", f"--config.file={config}"], stdin=subprocess.PIPE,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said = b""
        reading = threading.Thread(target=self.read, daemon=True)
        reading.start()
        self.addCleanup(reading.join)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.terminate)

    def read(self):
        with self.process.stderr:
            for line in self.process.stderr:
                self.said += line

    def api(self, path):
        url = re.search(rb'url="?(http[^" \n]+)', self.said).group(1).decode().rstrip("/")
        with urllib.request.urlopen(f"{url}/api/v1/{path}", timeout=30) as answer:
            return json.load(answer)

    def source(self):
        return self.api("sources")["sources"][0]

    def test_followed_to_its_end(self):
        log = envelopes.cnpg(ecto_log.csvlog(traffic()).decode())
        half = log.index(b"\n", len(log) // 2) + 10
        wait_for(lambda: b"while ectoscope is down is lost" in self.said, "what is not kept", 30)
        self.process.stdin.write(log[:half])
        self.process.stdin.flush()
        wait_for(lambda: self.api("sources")["sources"], "its source", 30)
        wait_for(lambda: self.source()["position"] > 0, "bytes", 30)
        self.assertEqual(self.source()["problem"], "")
        self.process.stdin.write(log[half:])
        self.process.stdin.close()
        wait_for(lambda: "standard input has ended" in self.source()["problem"], "its end", 30)
        wait_for(lambda: {f["kind"] for f in self.api("findings")["findings"]} >= {"n_plus_one_read", "constraint_violation"},
                 "findings", 30)
        self.assertEqual(self.source()["position"], len(log))


if __name__ == "__main__":
    unittest.main()
