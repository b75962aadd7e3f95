#!/usr/bin/env python3
"""`analyze` as a gate for CI: baseline, ignore rules, what the input must show, and the forms of the report.

    gate_test.py BINARY

SARIF is validated against its schema with python3-jsonschema and JUnit with xmllint where these and the schemas
(../shared/schemas) are there; what must always hold is checked in any case.
"""

import glob
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import ecto_log

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SHARED = os.path.join(ROOT, "..", "shared")
RECORDINGS = sorted(glob.glob(os.path.join(ROOT, "data", "recordings", "*")))


class Case(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ectoscope-gate-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        return path

    def read(self, name):
        with open(os.path.join(self.folder, name), "rb") as file:
            return file.read()

    def log(self, name="test.log", **more):
        return self.write(name, ecto_log.stderr(ecto_log.with_binds(ecto_log.n_plus_one(**more))))

    def run_in(self, *arguments, status=0):
        done = subprocess.run([BINARY, *arguments], capture_output=True, cwd=self.folder, timeout=120, check=False,
                              stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})
        self.assertEqual(done.returncode, status, (arguments, done.stderr.decode(errors="replace")))
        return done

    def analyze(self, *arguments, status=0):
        return self.run_in("analyze", *arguments, status=status)

    def report(self, *arguments, status=0):
        return json.loads(self.analyze("--output=json", *arguments, status=status).stdout)


class Baseline(Case):
    def test_only_what_is_new_fails(self):
        before, after = self.log(), self.log("after.log", table="comments")
        both = self.write("both.log", self.read(before) + self.read(after))
        new = self.report(after)["findings"][0]["id"]

        done = self.analyze("--fail-on=warning", both, status=1)
        self.assertIn(new.encode(), done.stderr)
        self.assertIn(b"SELECT comments, after SELECT users (database shop)", done.stderr)

        self.analyze("--write-baseline=known", "--fail-on=warning", before)
        self.analyze("--baseline=known", before)
        done = self.analyze("--baseline=known", both, status=1)
        self.assertIn(new.encode(), done.stderr)
        gate = self.report("--baseline=known", both, status=1)["gate"]
        self.assertEqual(gate["failing"], [new])
        self.assertEqual(len(gate["known"]), 1)
        self.assertFalse(gate["passed"])
        self.analyze("--baseline=known", "--fail-on=none", both)
        self.analyze("--baseline=known", "--fail-on=critical", both)

    def test_file_is_stable_and_readable(self):
        self.analyze("--write-baseline=one", self.log(requests=3))
        self.analyze("--write-baseline=two", self.log("b.log", requests=9, children=40))
        one, two = (self.read(name) for name in ("one", "two"))
        self.assertEqual(one, two)
        self.assertRegex(one, rb"(?m)^n_plus_one_read-[0-9a-f]{16}  # SELECT posts, after SELECT users \(database shop\)$")

    def test_what_is_mended_is_told(self):
        self.analyze("--write-baseline=known", self.log())
        gate = self.report("--baseline=known", self.log("mended.log", children=1))["gate"]
        self.assertTrue(gate["passed"])
        self.assertEqual(len(gate["gone"]), 1)

    def test_bad_or_missing_is_two(self):
        self.write("bad", "nonsense\n")
        done = self.analyze("--baseline=bad", self.log(), status=2)
        self.assertIn(b"bad:1:1: a finding's id is wanted", done.stderr)
        done = self.analyze("--baseline=absent", self.log(), status=2)
        self.assertIn(b"--write-baseline=absent", done.stderr)


class Blindness(Case):
    def test_what_was_not_seen_does_not_pass(self):
        healthy = ecto_log.n_plus_one(children=1, requests=40)
        slow = [ecto_log.execute(i * 100, 100, 'SELECT u0."id" FROM "users" AS u0', [], duration_ms=150)
                for i in range(50)]
        cases = [
            (self.write("sampled.log", ecto_log.stderr(healthy)), b"only a sample"),
            (self.write("slow.log", ecto_log.stderr(ecto_log.with_binds(slow)[1::2])), b"only slow statements"),
            (self.write("empty.log", b""), b"empty"),
        ]
        for path, why in cases:
            done = self.analyze("--fail-on=critical", path, status=1)
            self.assertIn(why, done.stderr, path)
            self.analyze(path)
        done = self.analyze("--fail-on=critical", "--since=2030-01-01", self.log(), status=1)
        self.assertIn(b"--since", done.stderr)
        whole = self.write("whole.log", ecto_log.stderr(ecto_log.with_binds(healthy)))
        self.analyze("--fail-on=info", whole)


class Ignore(Case):
    def rule(self, text):
        return self.write(".ectoscope.yaml", "ignore:\n  - {" + text + "}\n")

    def test_ignored_is_listed_and_does_not_fail(self):
        log = self.log()
        finding = self.report(log)["findings"][0]
        for selector in (f"id: {finding['id']}", "kind: n_plus_one_read", "table: po*",
                         f"fingerprint: {finding['query']['fingerprint']}"):
            self.rule(selector + ", reason: known since spring, owner: shop team")
            report = self.report("--fail-on=info", log)
            self.assertEqual(report["findings"], [], selector)
            self.assertEqual(report["ignored"][0]["id"], finding["id"])
            self.assertEqual(report["ignored"][0]["rule"]["reason"], "known since spring")
            self.assertEqual(report["ignoring"]["files"], [".ectoscope.yaml"])
        for output in ("text", "markdown", "html", "junit", "sarif"):
            text = self.analyze("--output", output, log).stdout.decode()
            self.assertIn("known since spring", text, output)

    def test_expires_by_the_logs_own_time(self):
        log = self.log()  # of 2026-03-01
        self.rule("kind: n_plus_one_read, reason: r, expires: 2026-03-01")
        self.analyze("--fail-on=warning", log)
        self.rule("kind: n_plus_one_read, reason: r, expires: 2026-02-28")
        report = self.report("--fail-on=warning", log, status=1)
        self.assertEqual(len(report["ignoring"]["expired"]), 1)
        self.assertEqual(report["ignored"], [])

    def test_rules_that_fit_nothing_are_told(self):
        self.rule("table: absent, reason: r")
        report = self.report(self.log())
        self.assertEqual(report["ignoring"]["unused"][0]["where"], ".ectoscope.yaml:2")
        self.assertEqual(len(report["findings"]), 1)

    def test_no_reason_is_refused_with_its_place(self):
        path = self.rule("kind: n_plus_one_read")
        for done in (self.analyze(self.log(), status=2), self.run_in("check", "ignore", path, status=2)):
            self.assertIn(b".ectoscope.yaml:2:5: ignore[0]: no reason", done.stderr)
        self.rule("kind: n_plus_one_read, reason: r")
        self.assertIn(b"1 rule, no problems", self.run_in("check", "ignore", path).stdout)

    def test_file_and_configuration_add_up(self):
        config = self.write("c.yaml", "ignore: [{kind: slow_query, reason: r}]\n")
        rules = self.write("rules.yaml", "ignore: [{kind: n_plus_one_read, reason: r}]\n")
        report = self.report("--config.file", config, "--ignore.file", rules, self.log())
        self.assertEqual(report["ignoring"]["files"], [config, rules])
        self.assertEqual(len(report["ignored"]), 1)
        done = self.analyze("--ignore.file=absent.yaml", self.log(), status=2)
        self.assertIn(b"absent.yaml", done.stderr)

    def test_comment_is_counted(self):
        records = ecto_log.n_plus_one()
        for record in records:
            if '"posts"' in record["message"]:
                record["message"] += "/* ectoscope:ignore */"
        log = self.write("a.log", ecto_log.stderr(records))
        report = self.report(log)
        self.assertEqual(report["findings"], [])
        self.assertEqual(report["ignoring"]["statements"], 30)
        self.assertEqual(report["ignoring"]["shapes"][0]["executions"], 30)
        self.assertEqual(report["input"]["statements"], 3)
        self.assertIn(b"30 executions of SELECT posts", self.analyze(log).stdout)


class Overrides(Case):
    def kinds(self, config, log):
        return [f["kind"] for f in self.report("--config.file", self.write("c.yaml", config), log)["findings"]]

    def test_other_thresholds_for_some_traffic(self):
        records = ecto_log.n_plus_one(children=10)
        for record in records:
            record["message"] = record["message"].replace("/*", "/*job='Shop.Nightly',")
        log = self.write("job.log", ecto_log.stderr(records))
        for match in ("tag: job", "route: 'Shop.*'", "application: shop", "user: postgres", "database: sh*"):
            stanza = "overrides:\n  - match: {%s}\n    detectors: {n_plus_one_read: {%s}}\n"
            self.assertEqual(self.kinds(stanza % (match, "min_repeats: 11"), log), [], match)
            self.assertEqual(self.kinds(stanza % (match, "enabled: false"), log), [], match)
            self.assertEqual(self.kinds(stanza % (match, "min_repeats: 10"), log), ["n_plus_one_read"], match)
        for match in ("tag: controller", "application: other", "{tag: job, user: nobody}".strip("{}")):
            self.assertEqual(self.kinds(stanza % (match, "enabled: false"), log), ["n_plus_one_read"], match)


class Why(Case):
    def test_by_kind_names_the_threshold(self):
        why = self.report("--why=n_plus_one_read", self.log(children=4))["why"]
        self.assertIn("0 of this kind reported", why["answer"])
        miss = why["near_misses"][0]
        self.assertEqual(miss["setting"], "detectors.n_plus_one_read.min_repeats")
        self.assertEqual((miss["nearest"], miss["wanted"], miss["times"]), ("4", "5", 3))
        text = self.analyze("--why=n_plus_one_read", self.log(children=4)).stdout.decode()
        self.assertIn("detectors.n_plus_one_read.min_repeats asks for 5", re.sub(r"\s+", " ", text))

    def test_by_id_finds_the_shape_again(self):
        asked = self.report(self.log())["findings"][0]["id"]
        why = self.report("--why", asked, self.log())["why"]
        self.assertEqual(why["answer"], "It is reported.")
        why = self.report("--why", asked, self.log(children=4))["why"]
        self.assertIn("SELECT posts is in this log", why["answer"])
        self.assertEqual([miss["summary"] for miss in why["near_misses"]], ["SELECT posts"])
        why = self.report("--why", asked, self.log(table="comments"))["why"]
        self.assertIn("No statements in this log", why["answer"])
        self.write(".ectoscope.yaml", f"ignore: [{{id: {asked}, reason: it may}}]\n")
        why = self.report("--why", asked, self.log())["why"]
        self.assertIn("ignored by the rule in .ectoscope.yaml:1: it may", why["answer"])

    def test_slow_and_redundant(self):
        records = [ecto_log.execute(0, 100, 'SELECT u0."id" FROM "users" AS u0', [], duration_ms=80)]
        miss = self.report("--why=slow_query", self.write("a.log", ecto_log.stderr(records)))["why"]["near_misses"][0]
        self.assertEqual((miss["nearest"], miss["wanted"]), ("80ms", "100ms"))
        twice = self.log(children=2, value=lambda i: "7")
        miss = self.report("--why=redundant_query", twice)["why"]["near_misses"][0]
        self.assertEqual((miss["nearest"], miss["wanted"]), ("2", "3"))


class Scale(Case):
    def test_what_grows_is_found_below_every_threshold(self):
        small, large = self.log("small.log", children=2), self.log("large.log", children=4)
        self.assertEqual(self.report(large)["findings"], [])
        finding, = self.report("--scale", "--fail-on=warning", small, large, status=1)["findings"]
        self.assertEqual(finding["kind"], "grows_with_data")
        self.assertEqual(finding["query"]["summary"], "SELECT posts")
        self.assertEqual(finding["parent_query"]["summary"], "SELECT users")
        self.assertEqual((finding["evidence"]["count_before"], finding["evidence"]["count_after"]), (2, 4))
        self.assertIn("preload", finding["fix"]["ecto"])
        self.assertEqual(self.report("--scale", "--fail-on=info", large, small)["findings"], [])
        self.assertEqual(self.report("--scale", "--fail-on=info", large, large)["findings"], [])

    def test_more_of_the_same_requests_is_no_growth(self):
        few, many = self.log("few.log", requests=3), self.log("many.log", requests=9)
        self.assertEqual(self.report("--scale", few, many)["findings"], [])

    def test_untagged_counts_in_all(self):
        small, large = (self.log(name, children=n, tagged=False) for name, n in (("s.log", 2), ("l.log", 4)))
        self.assertEqual([f["tables"][0] for f in self.report("--scale", small, large)["findings"]], ["posts"])

    def test_gate_ignore_and_baseline_go_with_it(self):
        small, large = self.log("small.log", children=2), self.log("large.log", children=4)
        self.analyze("--scale", "--write-baseline=known", small, large)
        self.analyze("--scale", "--baseline=known", small, large)
        self.write(".ectoscope.yaml", "ignore: [{kind: grows_with_data, table: posts, reason: r}]\n")
        self.analyze("--scale", "--fail-on=info", small, large)
        blind = self.write("blind.log", ecto_log.stderr(ecto_log.n_plus_one(requests=40, children=1)))
        self.analyze("--scale", "--fail-on=info", blind, large, status=1)


class Forms(Case):
    def placed(self):
        """A log whose comments name file and line."""
        records = ecto_log.n_plus_one()
        for record in records:
            record["message"] = record["message"].replace(
                "/*", "/*controller='UserController',action='index',file='lib%2Fshop%2Fusers.ex',line='12',")
        return self.write("placed.log", ecto_log.stderr(ecto_log.with_binds(records)))

    def sarif(self, *arguments, status=0):
        report = json.loads(self.analyze("--output=sarif", *arguments, status=status).stdout)
        self.assertEqual(report["version"], "2.1.0")
        self.validate_sarif(report)
        run, = report["runs"]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        self.assertEqual(rules, sorted(set(rules)))
        for result in run["results"]:
            self.assertEqual(rules[result["ruleIndex"]], result["ruleId"])
            self.assertRegex(result["partialFingerprints"]["ectoscopeFindingId/v1"], r"^\w+-[0-9a-f]{16}$")
            self.assertIn(result["level"], ("note", "warning", "error"))
        return run

    def validate_sarif(self, report):
        schema = os.path.join(SHARED, "schemas", "sarif-schema-2.1.0.json")
        try:
            import jsonschema
        except ImportError:
            return print("SARIF: not validated, there is no python3-jsonschema", file=sys.stderr)
        if not os.path.exists(schema):
            return print("SARIF: not validated, there is no ../shared/schemas", file=sys.stderr)
        with open(schema) as file:
            return jsonschema.validate(report, json.load(file))

    def test_sarif(self):
        run = self.sarif("--fail-on=warning", self.placed(), status=1)
        result, = run["results"]
        place = result["locations"][0]
        self.assertEqual(place["physicalLocation"]["artifactLocation"]["uri"], "lib/shop/users.ex")
        self.assertEqual(place["physicalLocation"]["region"]["startLine"], 12)
        self.assertEqual(place["logicalLocations"][0]["fullyQualifiedName"], "UserController.index")
        self.assertEqual(result["baselineState"], "new")
        self.assertEqual(result["suppressions"], [])
        self.assertIn("## The fix", run["tool"]["driver"]["rules"][0]["help"]["markdown"])
        self.assertEqual(self.sarif(self.log())["results"][0]["locations"], [])

    def test_sarif_suppressions_and_baseline(self):
        log = self.placed()
        self.analyze("--write-baseline=known", log)
        self.assertEqual(self.sarif("--baseline=known", log)["results"][0]["baselineState"], "unchanged")
        self.write(".ectoscope.yaml", "ignore: [{kind: n_plus_one_read, reason: it may}]\n")
        suppression, = self.sarif(log)["results"][0]["suppressions"]
        self.assertIn("it may", suppression["justification"])

    def test_sarif_of_recordings(self):
        self.assertGreater(len(self.sarif(*RECORDINGS)["results"]), 10)

    def junit(self, *arguments, status=0):
        text = self.analyze("--output=junit", *arguments, status=status).stdout
        schema = os.path.join(SHARED, "schemas", "junit-10.xsd")
        if shutil.which("xmllint") and os.path.exists(schema):
            done = subprocess.run(["xmllint", "--noout", "--schema", schema, self.write("j.xml", text)],
                                  capture_output=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        else:
            print("JUnit: not validated, there is no xmllint or no ../shared/schemas", file=sys.stderr)
        suite = xml.etree.ElementTree.fromstring(text).find("testsuite")
        for name, element in (("tests", "testcase"), ("failures", "testcase/failure"),
                              ("errors", "testcase/error"), ("skipped", "testcase/skipped")):
            self.assertEqual(int(suite.get(name)), len(suite.findall(element)), name)
        return suite

    def test_junit(self):
        log = self.placed()
        suite = self.junit("--fail-on=warning", log, status=1)
        failure = suite.find("testcase/failure")
        self.assertIn("Repo.preload", failure.text)
        self.assertIn("lib/shop/users.ex:12", failure.text)
        self.assertEqual(self.junit("--fail-on=critical", log).get("failures"), "0")
        self.analyze("--write-baseline=known", log)
        self.assertEqual(self.junit("--baseline=known", log).get("skipped"), "1")
        sampled = self.write("sampled.log", ecto_log.stderr(ecto_log.n_plus_one(requests=40, children=1)))
        self.assertEqual(self.junit("--fail-on=info", sampled, status=1).get("errors"), "1")
        self.junit(*RECORDINGS)

    def test_html_needs_nothing_else(self):
        class Page(html.parser.HTMLParser):
            def __init__(self):
                super().__init__()
                self.open, self.seen = [], []

            def handle_starttag(self, tag, attrs):
                self.seen.append(tag)
                for name, value in attrs:
                    assert not name.startswith("on") and name not in ("src", "href", "style"), (tag, name)
                self.open.append(tag)

            def handle_endtag(self, tag):
                assert self.open.pop() == tag, tag

        for paths in ([self.placed()], RECORDINGS):
            text = self.analyze("--output=html", *paths).stdout.decode()
            page = Page()
            page.feed(text.replace("<!doctype html>", ""))
            self.assertEqual(page.open, [])
            self.assertNotIn("script", page.seen)
            self.assertNotIn("link", page.seen)
            self.assertIn("prefers-color-scheme: dark", text)
            self.assertNotIn("http://", text)
            self.assertNotIn("https://", text)

    def test_two_runs_are_byte_identical(self):
        self.write(".ectoscope.yaml", "ignore: [{kind: slow_query, reason: r}]\n")
        self.analyze("--write-baseline=known", RECORDINGS[0])
        for output in ("text", "json", "sarif", "junit", "markdown", "html"):
            one, two = (self.analyze("--output", output, "--baseline=known", *RECORDINGS, status=1).stdout
                        for _ in range(2))
            self.assertEqual(one, two, output)
            self.assertGreater(len(one), 1000, output)
        self.analyze("--write-baseline=again", RECORDINGS[0])
        known, again = (self.read(name) for name in ("known", "again"))
        self.assertEqual(known, again)


class Sandbox(Case):
    """ExUnit in the SQL sandbox: a test is a trace, its fixtures are none of our business."""

    def test_names_the_tests_n_plus_one_and_no_fixture(self):
        captures = [os.path.join(SHARED, "corpus", name) for name in ("sandbox_tests", "sandbox_tests_async")]
        if not all(map(os.path.isdir, captures)):
            self.skipTest("no corpus beside the checkout")
        for capture in captures:
            name = os.path.basename(capture)
            with open(os.path.join(capture, "truth.json")) as file:
                truth = json.load(file)
            bad = {(r["kind"], truth["scenario_definitions"][r["scenario"]]["table"])
                   for r in truth["requests"] if r["label"] == "bad"}
            tolerated = {kind for d in truth["scenario_definitions"].values() for kind in d.get("tolerated", [])}
            for extension in ("log", "csv", "json"):
                path = os.path.join(capture, f"{name}.{extension}.zst")
                report = self.report("--fail-on=warning", path, status=1)
                # What broke a constraint did so in the log: a fact, not a verdict on a fixture.
                found = {(f["kind"], f["tables"][0]) for f in report["findings"]
                         if f["kind"] not in tolerated and f["kind"] != "constraint_violation"}
                self.assertEqual(found, bad, path)
                self.assertEqual(report["gate"]["blind"], None)
            self.analyze("--write-baseline=known", path)
            self.analyze("--baseline=known", path)


if __name__ == "__main__":
    unittest.main(verbosity=1)
