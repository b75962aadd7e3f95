#!/usr/bin/env python3
"""The built binary, from outside: exit codes, files good and bad, determinism, privacy.

    cli_test.py BINARY
"""

import datetime
import glob
import gzip
import json
import os
import pty
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import ecto_log

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
RECORDINGS = os.path.join(ROOT, "data", "recordings")
DATA = os.path.join(ROOT, "tests", "data", "cli")


def run(*arguments, stdin=None, env=None, binary=BINARY, prefix=()):
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **(env or {})}
    return subprocess.run([*prefix, binary, *arguments], input=stdin, capture_output=True,
                          env=environment, timeout=120, check=False,
                          **({"stdin": subprocess.DEVNULL} if stdin is None else {}))


class Case(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ectoscope-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path

    def analyze(self, *arguments, status=0, **more):
        done = run("analyze", *arguments, **more)
        self.assertEqual(done.returncode, status, done.stderr.decode(errors="replace"))
        return done

    def report(self, *arguments, **more):
        return json.loads(self.analyze("--output=json", *arguments, **more).stdout)

    def kinds(self, report):
        return sorted(finding["kind"] for finding in report["findings"])


class Usage(Case):
    def test_help_is_there_for_every_command(self):
        for command in ([], ["analyze"], ["demo"], ["doctor"], ["check"], ["check", "config"], ["check", "ignore"],
                        ["version"]):
            done = run(*command, "--help")
            self.assertEqual(done.returncode, 0, command)
            self.assertIn(b"--help", done.stdout, command)
            self.assertEqual(done.stderr, b"", command)

    def test_wrong_usage_is_two_and_says_why(self):
        cases = [
            ([], b"subcommand"),
            (["nonsense"], b"nonsense"),
            (["analyze"], b"FILE"),
            (["analyze", "--formaat=csv", "x"], b"--formaat"),
            (["analyze", "--format=xml", "x"], b"one of auto, stderr, csvlog, jsonlog, cnpg, cloudsql, rds, syslog, journald"),
            (["analyze", "--log-line-prefix=%p", "x"], b"%m, %t or %n"),
            (["analyze", "--since=yesterday", "x"], b"is not a time"),
            (["analyze", "--since=2026-02-30", "x"], b"is not a time"),
            (["analyze", "--since=2026-01-02", "--until=2026-01-02", "x"], b"--until"),
            (["analyze", "--examples=-1", "x"], b"all or a number"),
            (["analyze", "--examples=100001", "x"], b"all or a number"),
            (["analyze", "--fail-on=fatal", "x"], b"fatal"),
            (["analyze", "--output=pdf", "x"], b"pdf"),
            (["analyze", "-", "x"], b"stands alone"),
            (["analyze", "--timezone=CET", "x"], b"+02:00"),
            (["analyze", "--why=n_plus_one_reed", "x"], b"did you mean n_plus_one_read?"),
            (["analyze", "--why=slow_query", "--output=sarif", "x"], b"--why goes with"),
            (["analyze", "--scale", "x"], b"two files"),
            (["check"], b"subcommand"),
            (["check", "ignore"], b"FILE"),
            (["check", "config"], b"FILE"),
        ]
        for arguments, expected in cases:
            done = run(*arguments)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(expected, done.stderr, arguments)
            self.assertEqual(done.stdout, b"", arguments)

    def test_version(self):
        self.assertRegex(run("version").stdout.decode(), r"^ectoscope \d+\.\d+\.\d+\n$")
        self.assertEqual(run("version").stdout, run("--version").stdout)


class Configuration(Case):
    def test_example_is_what_the_tables_say(self):
        with open(os.path.join(ROOT, "config", "ectoscope.example.yaml"), "rb") as file:
            example = file.read()
        self.assertEqual(
            run("check", "config", "--print-example").stdout.decode(), example.decode(),
            "write it anew: ectoscope check config --print-example > config/ectoscope.example.yaml")
        path = os.path.join(ROOT, "config", "ectoscope.example.yaml")
        done = run("check", "config", path)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_problem_at_once(self):
        path = self.write("bad.yaml", b"server: a b\nlimit:\n  shapes: 1\ndetectors:\n  slow_query: 3\n")
        for arguments in (["check", "config", path],
                          ["analyze", "--config.file", path, os.path.join(RECORDINGS, "absent")]):
            done = run(*arguments)
            self.assertEqual(done.returncode, 2)
            lines = done.stderr.decode().splitlines()
            self.assertEqual([line.split(": ")[1] for line in lines[:3]],
                             ["server", "limit", "detectors.slow_query"])
            self.assertTrue(lines[0].startswith(path + ":1:9: "), lines[0])
            self.assertEqual(lines[3], "3 problems; nothing was started.")

    def test_missing_file_is_two(self):
        done = run("check", "config", os.path.join(self.folder, "absent.yaml"))
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"absent.yaml", done.stderr)

    def test_settings_have_an_effect(self):
        log = self.write("a.log", ecto_log.stderr(ecto_log.n_plus_one(children=10)))
        self.assertEqual(self.kinds(self.report(log)), ["n_plus_one_read"])
        off = self.write("off.yaml", b"detectors: {n_plus_one_read: {enabled: false}}")
        self.assertEqual(self.kinds(self.report("--config.file", off, log)), [])
        named = self.write("named.yaml", b"server: replica-2")
        before, after = self.report(log), self.report("--config.file", named, log)
        self.assertEqual(after["findings"][0]["server"], "replica-2")
        self.assertNotEqual(before["findings"][0]["id"], after["findings"][0]["id"])

    def test_tenants_schemas_are_one_problem(self):
        records = []
        for tenant in range(3):
            for record in ecto_log.n_plus_one(requests=1, table=f'tenant_{tenant}"."posts'):
                record["at"] += datetime.timedelta(minutes=tenant)
                record["message"] = record["message"].replace("-0000000000000001-", f"-000000000000000{tenant + 1}-") \
                    .replace("00-" + "0" * 31 + "1", "00-" + "0" * 31 + str(tenant + 1))
                records.append(record)
        records.append(ecto_log.record(300_000, 100, "duration: 900.000 ms  plan:\nQuery Text: SELECT p0.\"id\" FROM "
                                       "\"tenant_0\".\"posts\" AS p0\nSeq Scan on tenant_0.posts p0  (cost=0.00..9.00 rows=9 "
                                       "width=8) (actual time=0.010..899.000 rows=900000 loops=1)\n  Output: id"))
        log = self.write("a.log", ecto_log.stderr(records))
        for output in ("json", "text", "html"):
            said = run("analyze", f"--output={output}", log).stdout
            self.assertIn(b"over_fetch", said)
            self.assertNotIn(b"tenant_0", said, output)
        together = [it for it in self.report(log)["findings"] if it["kind"] == "n_plus_one_read"]
        self.assertEqual([finding["occurrences"] for finding in together], [3])
        self.assertIn('FROM "tenant_*"."posts"', together[0]["query"]["text"])
        apart = self.write("apart.yaml", b"input: {tenant_schemas: []}")
        self.assertEqual(self.kinds(self.report("--config.file", apart, log)).count("n_plus_one_read"), 3)


class Reports(Case):
    def setUp(self):
        super().setUp()
        self.log = self.write("a.log", ecto_log.stderr(ecto_log.n_plus_one()))

    def test_json_says_what_was_read(self):
        report = self.report(self.log)
        self.assertEqual(report["schema"], 1)
        self.assertEqual(report["input"]["bytes"], os.path.getsize(self.log))
        self.assertEqual(report["input"]["records"], 33)
        self.assertEqual(report["input"]["statements"], 33)
        self.assertEqual(report["input"]["traces"], 3)
        self.assertEqual(report["input"]["unparsed"], {})
        finding = report["findings"][0]
        self.assertEqual(finding["kind"], "n_plus_one_read")
        self.assertEqual(finding["tables"][0], "posts")
        self.assertEqual(finding["occurrences"], 3)
        self.assertEqual([e["grouped_by"] for e in finding["examples"]], ["traceparent"] * 3)
        self.assertIn("preload", finding["fix"]["ecto"])

    def test_fail_on_is_a_gate(self):
        log = self.write("full.log", ecto_log.stderr(ecto_log.with_binds(ecto_log.n_plus_one())))
        severity = self.report(log)["findings"][0]["severity"]
        order = ["info", "warning", "critical"]
        for gate in order:
            expected = 1 if order.index(severity) >= order.index(gate) else 0
            self.analyze("--fail-on", gate, log, status=expected)
        self.analyze("--fail-on=none", log)
        healthy = self.write("healthy.log", ecto_log.stderr(ecto_log.with_binds(ecto_log.n_plus_one(children=2))))
        self.analyze("--fail-on=info", healthy)

    def test_examples(self):
        log = self.write("many.log", ecto_log.stderr(ecto_log.n_plus_one(requests=12)))
        for given, expected in ((["--examples=0"], 0), ([], 5), (["--examples=7"], 7), (["--examples=all"], 12)):
            finding = self.report(*given, log)["findings"][0]
            self.assertEqual(len(finding["examples"]), expected, given)
            self.assertEqual(finding["occurrences"], 12, given)

    def test_output_file_is_whole_and_leaves_nothing_beside_it(self):
        target = os.path.join(self.folder, "out", "report.json")
        done = self.analyze("--output=json", "--output.file", target, self.log, status=3)
        self.assertIn(b"report.json", done.stderr)
        os.mkdir(os.path.dirname(target))
        with open(target, "w") as file:
            file.write("old")
        os.chmod(target, 0o640)
        done = self.analyze("--output=json", "--output.file", target, self.log)
        self.assertEqual(done.stdout, b"")
        with open(target, "rb") as file:
            self.assertEqual(file.read(), self.analyze("--output=json", self.log).stdout)
        self.assertEqual(stat.S_IMODE(os.stat(target).st_mode), 0o640)
        self.assertEqual(os.listdir(os.path.dirname(target)), ["report.json"])

    def test_full_disk_is_three(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        done = self.analyze("--output.file=/dev/full", self.log, status=3)
        self.assertIn(b"/dev/full", done.stderr)

    def test_no_colours_and_no_progress_in_a_pipe(self):
        done = self.analyze(self.log, env={"TERM": "xterm"})
        self.assertNotIn(b"\x1b", done.stdout)
        self.assertEqual(done.stderr, b"")
        self.assertIn(b"n_plus_one_read", done.stdout)

    def test_colours_on_a_terminal_unless_refused(self):
        def shown(**env):
            master, slave = pty.openpty()
            process = subprocess.Popen([BINARY, "analyze", self.log], stdout=slave, stderr=slave, stdin=subprocess.DEVNULL,
                                       env={"TERM": "xterm", "LANG": "C.UTF-8", **env})
            os.close(slave)
            text = b""
            while True:
                try:
                    part = os.read(master, 65536)
                except OSError:  # how Linux says that the other end is closed
                    part = b""
                if not part:
                    break
                text += part
            os.close(master)
            self.assertEqual(process.wait(), 0)
            return text
        self.assertIn(b"\x1b[1m", shown())
        self.assertNotIn(b"\x1b", shown(NO_COLOR="1"))
        self.assertNotIn(b"\x1b", shown(TERM="dumb"))
        self.assertIn("█".encode(), shown())
        self.assertNotIn("█".encode(), shown(LANG="C"))

    def test_since_until_database(self):
        def traces(*arguments):
            return self.report(*arguments, self.log)["input"]["traces"]
        self.assertEqual(traces("--since=2026-03-01 09:00:01"), 2)
        self.assertEqual(traces("--since=2026-03-01T10:00:01+01:00"), 2)
        self.assertEqual(traces("--until=2026-03-01T09:00:01Z"), 1)
        self.assertEqual(traces("--since=2026-03-01T09:00:01Z", "--until=2026-03-01T09:00:06Z"), 1)
        self.assertEqual(traces("--since=2026-03-02"), 0)
        self.assertEqual(traces("--database=shop"), 3)
        self.assertEqual(traces("--database=sho"), 0)


class Inputs(Case):
    def setUp(self):
        super().setUp()
        self.content = ecto_log.stderr(ecto_log.n_plus_one())
        self.log = self.write("a.log", self.content)
        self.expected = self.analyze("--output=json", self.log).stdout

    def test_standard_input(self):
        self.assertEqual(self.analyze("--output=json", "-", stdin=self.content).stdout, self.expected)

    def test_archives(self):
        packed = self.write("a.log.gz", gzip.compress(self.content))
        self.assertEqual(self.analyze("--output=json", packed).stdout, self.expected)
        parts = [gzip.compress(self.content[:700]), gzip.compress(self.content[700:])]
        members = self.write("b.log.gz", b"".join(parts))
        self.assertEqual(self.analyze("--output=json", members).stdout, self.expected)
        if shutil.which("zstd"):
            subprocess.run(["zstd", "-q", self.log], check=True)
            self.assertEqual(self.analyze("--output=json", self.log + ".zst").stdout, self.expected)

    def test_cut_archive_is_told(self):
        packed = self.write("cut.log.gz", gzip.compress(self.content)[:-50])
        done = run("analyze", "--output=json", packed)
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"cut.log.gz", done.stderr)

    def test_rotations_are_read_in_the_order_of_their_stamps(self):
        records = ecto_log.n_plus_one(requests=4)
        # Cut inside a request: its halves are one trace again only in the right order.
        one, two, three = records[:15], records[15:29], records[29:]
        paths = [self.write(name, ecto_log.stderr(part))
                 for name, part in (("z.log", one), ("m.log", two), ("a.log", three))]
        whole = self.report(self.write("whole.log", ecto_log.stderr(records)))
        for order in ([0, 1, 2], [2, 1, 0], [1, 2, 0]):
            report = self.report(*(paths[i] for i in order))
            self.assertEqual(report["findings"], whole["findings"], order)
            self.assertEqual(report["input"], whole["input"], order)

    def test_what_cannot_be_read_is_three_with_its_name(self):
        locked = self.write("locked.log", self.content)
        os.chmod(locked, 0)
        cases = [(self.folder, b"directory"), (os.path.join(self.folder, "absent.log"), b"absent.log")]
        for path, expected in cases:
            done = self.analyze(path, status=3)
            self.assertIn(expected, done.stderr)
            self.assertEqual(done.stdout, b"")
        prefix, binary = (), BINARY
        if os.geteuid() == 0:  # root reads everything: become nobody, who may not see the checkout
            if not shutil.which("setpriv"):
                self.skipTest("no setpriv to give up root with")
            os.chmod(self.folder, 0o755)
            binary = shutil.copy(BINARY, os.path.join(self.folder, "ectoscope"))
            prefix = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        done = run("analyze", locked, prefix=prefix, binary=binary)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(b"locked.log", done.stderr)

    def test_empty_file(self):
        report = self.report(self.write("empty.log", b""))
        self.assertEqual(report["input"]["records"], 0)
        self.assertEqual(report["findings"], [])

    def test_random_bytes_are_told_or_counted(self):
        noise = random.Random(7).randbytes(300_000)
        done = run("analyze", "--output=json", self.write("noise.log", noise))
        self.assertEqual(done.returncode, 3)
        self.assertIn(b"noise.log", done.stderr)
        self.assertIn(b"--format", done.stderr)
        mixed = self.write("mixed.log", self.content + noise + b"\n" + self.content)
        report = self.report(mixed)
        self.assertGreater(sum(report["input"]["unparsed"].values()), 0)
        self.assertIn("n_plus_one_read", self.kinds(report))

    def test_cut_anywhere(self):
        for name, write in ecto_log.FORMATS.items():
            content = write(ecto_log.n_plus_one(requests=2, children=6))
            for at in range(1, len(content), 211):
                for part in (content[:at], content[at:]):
                    done = run("analyze", "--output=json", "-", stdin=part)
                    self.assertIn(done.returncode, (0, 3), (name, at, done.stderr))
                    if done.returncode == 0:
                        json.loads(done.stdout)


    def test_what_the_fuzzer_found(self):
        folder = os.path.join(ROOT, "tests", "data", "fuzz", "pipeline_fuzzer")
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                content = file.read()[2:]  # the fuzzer's own two bytes
            self.assertIn(run("analyze", "-", stdin=content).returncode, (0, 3), name)


class Sameness(Case):
    def ids(self, *arguments):
        return sorted(finding["id"] for finding in self.report(*arguments)["findings"])

    def test_two_runs_are_byte_identical(self):
        for name in sorted(os.listdir(RECORDINGS)):
            path = os.path.join(RECORDINGS, name)
            for output in ("json", "text"):
                one = self.analyze("--output", output, "--examples=all", path).stdout
                two = self.analyze("--output", output, "--examples=all", path).stdout
                self.assertEqual(one, two, (name, output))
                self.assertGreater(len(one), 1000)

    def test_three_formats_have_the_same_ids(self):
        for name in ("1-every-statement-tagged", "2-nothing-tagged"):
            stderr = self.ids(os.path.join(RECORDINGS, name + ".log.zst"))
            self.assertGreater(len(stderr), 3)
            for extension in ("csv", "json"):
                self.assertEqual(self.ids(os.path.join(DATA, f"{name}.{extension}.zst")), stderr, extension)

    def test_three_formats_of_each_capture_have_the_same_ids(self):
        captures = sorted(glob.glob(os.path.join(ROOT, "..", "shared", "corpus", "*", "truth.json")))
        if not captures:
            self.skipTest("no ../shared/corpus")
        for truth in captures:
            stem = os.path.join(os.path.dirname(truth), os.path.basename(os.path.dirname(truth)))
            logs = {path[len(stem) + 1:].split(".")[0]: path for path in glob.glob(stem + ".*")}
            if "pgbadger" in stem:
                del logs["log"]  # its stamps are whole seconds
            found = {extension: self.ids(path) for extension, path in logs.items()}
            for extension, ids in found.items():
                self.assertEqual(ids, found["csv"], (stem, extension))

    def test_literals_and_tags_do_not_change_ids(self):
        plain = self.ids(self.write("a.log", ecto_log.stderr(ecto_log.n_plus_one())))
        other = self.ids(self.write("b.log", ecto_log.stderr(
            ecto_log.n_plus_one(requests=9, children=30, value=lambda i: str(i * 977)))))
        untagged = self.ids(self.write("c.log", ecto_log.stderr(ecto_log.n_plus_one(tagged=False, requests=9))))
        self.assertEqual(plain, other)
        self.assertEqual(plain, untagged)
        elsewhere = self.ids(self.write("d.log", ecto_log.stderr(ecto_log.n_plus_one(table="comments"))))
        self.assertNotEqual(plain, elsewhere)


class Demo(Case):
    def test_shows_findings_of_the_recording(self):
        done = run("demo", "--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        text = done.stdout.decode()
        for expected in ("n_plus_one_read", "Repo.preload", "sure", "findings ("):
            self.assertIn(expected, text)
        self.assertEqual(done.stderr, b"")

    def test_the_readme_shows_a_finding_as_it_prints(self):
        with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
            shown = file.read().split("$ ectoscope analyze data/recordings/*\n", 1)[1]
        shown = shown.split("```", 1)[0].strip("\n")
        last = shown.splitlines()[-1]  # its id
        printed = self.analyze(*sorted(glob.glob(os.path.join(RECORDINGS, "*")))).stdout.decode()
        before, found, _ = printed.partition(last + "\n")
        self.assertTrue(found, last)
        self.assertEqual("\n".join((before + found).splitlines()[-len(shown.splitlines()):]), shown)


class Privacy(Case):
    """A marker stands wherever a log can hold a literal; no output may have it."""

    MARK = "s3cr3tMARK"

    def records(self):
        mark = self.MARK
        literal_sql = [
            f"SELECT * FROM users WHERE email = '{mark}@example.org' AND note = $${mark}$$",
            f"SELECT * FROM users WHERE a = E'{mark}\\'' AND b = U&'{mark}' AND c = $t${mark}$t$",
            f"SELECT * FROM users WHERE email = '{mark} and no end",
            f"ALTER ROLE bob PASSWORD '{mark}'",
            f"COMMENT ON TABLE users IS '{mark}'",
            f"CALL refresh('{mark}')",
            f"NOTIFY channel, '{mark}'",
            f"CREATE VIEW v AS SELECT '{mark}' AS a",
            f"ALTER TABLE users ALTER COLUMN a SET DEFAULT '{mark}'",
            f"DO $$ BEGIN PERFORM '{mark}'; END $$",
            f"PREPARE q AS SELECT '{mark}'",
            f"EXECUTE q('{mark}')",
            f"ALTER SYSTEM SET archive_command = '{mark}'",
            f"SELECT 1 -- {mark}",
            f"SELECT 1 /* {mark} */",
            f"SELECT 2 /*password='{mark}',application='{mark}'*/",
            f"SELECT !!! '{mark}'",
            f"COPY users FROM STDIN -- {mark}",
        ]
        records = ecto_log.n_plus_one(value=lambda i: f"{mark}{i}")
        at = 60_000
        for sql in literal_sql:
            at += 5000
            records.append(ecto_log.execute(at, 200, sql, [mark], duration_ms=4000))
        plan = json.dumps({"Query Text": f"SELECT '{mark}'", "Plan": {"Node Type": "Seq Scan", "Filter": f"(a = '{mark}')"}})
        records += [
            ecto_log.record(at + 1000, 201, f"duration: 900.0 ms  plan:\n{plan}"),
            ecto_log.record(at + 2000, 202, 'duplicate key value violates unique constraint "users_email_index"',
                            detail=f"Key (email)=({mark}) already exists.", severity="ERROR",
                            statement=f"INSERT INTO users (email) VALUES ('{mark}')", sqlstate="23505"),
            ecto_log.record(at + 3000, 203, f"invalid input syntax for type integer: \"{mark}\"", severity="ERROR",
                            context=f"COPY users, line 1: \"{mark}\"", hint=mark, sqlstate="22P02"),
        ]
        for child in range(20):
            sql = f"SELECT * FROM orders WHERE token = '{mark}{child}'"
            records.append(ecto_log.execute(at + 10_000 + child, 300, sql, []))
        return records

    def test_no_literal_leaves(self):
        for name, write in ecto_log.FORMATS.items():
            path = self.write(name + ".log", write(self.records()))
            for output in ("json", "text", "sarif", "junit", "markdown", "html"):
                done = self.analyze("--output", output, "--examples=all", path)
                where = done.stdout.find(self.MARK.encode())
                self.assertEqual(where, -1, done.stdout[max(0, where - 200):where + 50])
                self.assertNotIn(self.MARK.encode(), done.stderr)
            self.assertIn("slow_query", self.kinds(self.report(path)), "the marked statements are judged")


if __name__ == "__main__":
    unittest.main(verbosity=1)
