#!/usr/bin/env python3
"""What is in deploy/ for Prometheus, Alertmanager and Grafana, against the real ones.

    deploy_monitoring_test.py BINARY
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

import yaml
from real_postgres import free_port, wait_for

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(ROOT, "deploy/prometheus/ectoscope.rules.yml")
RULE_TESTS = os.path.join(ROOT, "deploy/prometheus/ectoscope.rules_test.yml")
ROUTES = os.path.join(ROOT, "deploy/alertmanager/alertmanager.yml")
DASHBOARD = os.path.join(ROOT, "deploy/grafana/ectoscope.json")


def text_of(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def documented():
    """The metrics of docs/metrics.md, which a test keeps equal to what is exported, by their kind."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \|", text_of(os.path.join(ROOT, "docs/metrics.md")), re.M)
    names = set()
    for name, kind in rows:
        names.add(name)
        if kind in ("histogram", "summary"):
            names |= {name + "_sum", name + "_count"}
        if kind == "histogram":
            names.add(name + "_bucket")
    return names


def metrics_in(expression):
    """Ours and the process'; a recording rule's name has a colon before it, or behind."""
    return set(re.findall(r"(?<![:\w])(?:ectoscope|process)_\w+(?!:)\b", re.sub(r'"[^"]*"', '""', expression)))


def all_rules():
    return [rule for group in yaml.safe_load(text_of(RULES))["groups"] for rule in group["rules"]]


class Dashboard:
    def __init__(self):
        self.json = json.loads(text_of(DASHBOARD))
        self.variables = {v["name"]: v for v in self.json["templating"]["list"]}
        self.panels = [p for p in self.json["panels"] if p["type"] != "row"]
        self.expressions = [t["expr"] for p in self.panels for t in p["targets"]]
        self.queries = [v["query"]["query"] for v in self.variables.values() if v["type"] == "query"]


class Rules(unittest.TestCase):
    def test_promtool_accepts_them_and_their_tests_pass(self):
        for command in (("check", "rules", RULES), ("test", "rules", RULE_TESTS),
                        ("check", "config", os.path.join(ROOT, "deploy/prometheus/prometheus.yml"))):
            done = run("promtool", *command)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_fires_in_one_of_their_tests(self):
        fires = {case["alertname"] for test in yaml.safe_load(text_of(RULE_TESTS))["tests"]
                 for case in test.get("alert_rule_test", []) if case["exp_alerts"]}
        self.assertEqual(fires, {rule["alert"] for rule in all_rules() if "alert" in rule})

    def test_each_metric_is_exported(self):
        known = documented()
        self.assertGreater(len(known), 30)
        for rule in all_rules():
            unknown = metrics_in(rule["expr"]) - known
            self.assertFalse(unknown, rule)

    def test_each_alert_has_a_page_and_each_page_an_alert(self):
        alerts = [rule for rule in all_rules() if "alert" in rule]
        pages = set()
        for rule in alerts:
            self.assertRegex(rule["alert"], r"^Ectoscope[A-Z]\w+$")
            self.assertIn("summary", rule["annotations"])
            if rule["alert"] == "EctoscopeFinding":
                continue  # its page is its kind's
            self.assertEqual(rule["annotations"]["runbook"], f"docs/runbooks/{rule['alert']}.md")
            self.assertNotEqual(rule["labels"]["severity"], "critical", "whom to wake is the operator's to say")
            page = text_of(os.path.join(ROOT, rule["annotations"]["runbook"]))
            self.assertTrue(page.startswith(f"# {rule['alert']}\n"), rule["alert"])
            self.assertIn("\n## What to do\n\n1. ", page, rule["alert"])
            pages.add(rule["alert"] + ".md")
        self.assertEqual(pages, set(os.listdir(os.path.join(ROOT, "docs/runbooks"))))


class Routes(unittest.TestCase):
    def test_amtool_accepts_them(self):
        done = run("amtool", "check-config", ROUTES)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_lead_to_the_team_and_the_pager(self):
        for labels, receivers in ((["alertname=EctoscopeFinding", "severity=warning", "team=checkout"], "checkout"),
                                  (["alertname=EctoscopeFinding", "severity=critical", "team=content"], "pager,content"),
                                  (["alertname=EctoscopeFinding", "severity=warning"], "databases"),
                                  (["alertname=EctoscopeDown", "severity=warning"], "databases")):
            done = run("amtool", "config", "routes", "test", f"--config.file={ROUTES}", *labels)
            self.assertEqual(done.stdout.strip(), receivers, f"{labels}: {done.stderr}")


class Grafana(unittest.TestCase):
    def setUp(self):
        self.dashboard = Dashboard()

    def test_each_metric_is_exported(self):
        known = documented()
        for expression in self.dashboard.expressions + self.dashboard.queries:
            used = metrics_in(expression)
            self.assertTrue(used, expression)
            self.assertFalse(used - known, expression)

    def test_each_variable_is_defined_and_used(self):
        built_in = {"__rate_interval", "__data"}
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(self.dashboard.json["panels"]))) | set(
            re.findall(r"\$\{?(\w+)", json.dumps(self.dashboard.queries)))
        used.discard("__all")
        self.assertEqual(used - built_in, set(self.dashboard.variables))
        self.assertLessEqual({"datasource", "job", "instance", "database"}, set(self.dashboard.variables))

    def test_no_uid_is_fixed(self):
        def walk(node):
            if isinstance(node, dict):
                for key, value in node.items():
                    if key == "uid":
                        self.assertEqual(value, "${datasource}")
                    walk(value)
            elif isinstance(node, list):
                for value in node:
                    walk(value)
        walk(self.dashboard.json)
        self.assertNotIn("id", self.dashboard.json)

    def test_panels_are_apart_and_targets_have_the_data_source(self):
        places = set()
        ids = [panel["id"] for panel in self.dashboard.json["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in self.dashboard.json["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(places & cells, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24)
            places |= cells
        for panel in self.dashboard.panels:
            for target in panel["targets"]:
                self.assertEqual(target["datasource"], {"type": "prometheus", "uid": "${datasource}"})


class Queries(unittest.TestCase):
    """A real Prometheus has scraped a real ectoscope."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-monitoring-")
        cls.processes = []
        ours, theirs = free_port(), free_port()
        environment = {**os.environ, "TMPDIR": cls.folder}
        cls.processes.append(subprocess.Popen([BINARY, "demo", f"--web.listen-address=127.0.0.1:{ours}"],
                                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment))
        config = os.path.join(cls.folder, "prometheus.yml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [RULES],
                       "scrape_configs": [{"job_name": "ectoscope",
                                           "static_configs": [{"targets": [f"127.0.0.1:{ours}"]}]}]}, file)
        cls.processes.append(subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={cls.folder}/data",
             f"--web.listen-address=127.0.0.1:{theirs}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        cls.url = f"http://127.0.0.1:{theirs}/api/v1/"
        wait_for(lambda: cls.answers("query", query="count(ectoscope_finding_active) > 0"), "a scrape", 60)

    @classmethod
    def tearDownClass(cls):
        for process in cls.processes:
            process.terminate()
            process.wait(timeout=30)
        shutil.rmtree(cls.folder, ignore_errors=True)

    @classmethod
    def ask(cls, path, **parameters):
        with urllib.request.urlopen(cls.url + path + "?" + urllib.parse.urlencode(parameters), timeout=30) as answer:
            return json.load(answer)["data"]

    @classmethod
    def answers(cls, path, **parameters):
        try:
            return cls.ask(path, **parameters)["result"]
        except (OSError, ValueError):
            return None

    def test_each_expression_is_one(self):
        dashboard = Dashboard()
        for expression in dashboard.expressions:
            query = expression.replace("$__rate_interval", "5m")
            for name in dashboard.variables:
                query = query.replace(f"${name}", ".*")
            self.assertNotIn("$", query)
            self.assertIn("result", self.ask("query", query=query), expression)

    def test_each_variable_has_values(self):
        for query in Dashboard().queries:
            metric, label = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", query).groups()
            self.assertTrue(self.ask(f"label/{label}/values", **{"match[]": metric}), query)

    def test_the_rules_are_well(self):
        def evaluated():
            rules = [rule for group in self.ask("rules")["groups"] for rule in group["rules"]]
            return rules if all(rule["health"] != "unknown" for rule in rules) else None
        rules = wait_for(evaluated, "all rules", 30)
        self.assertEqual(len(rules), len(all_rules()))
        for rule in rules:
            self.assertEqual((rule["health"], rule.get("lastError", "")), ("ok", ""), rule["name"])

    def test_what_is_live_alerts(self):
        def fires():
            return {alert["labels"]["id"] for alert in self.ask("alerts")["alerts"]
                    if alert["labels"]["alertname"] == "EctoscopeFinding"}

        def shown():
            found = self.ask("query", query="ectoscope_finding_alerting")["result"]
            return {series["metric"]["id"] for series in found} - {"other"}
        wait_for(lambda: shown() and fires() == shown(), "the alerts that ectoscope shows", 30)


if __name__ == "__main__":
    unittest.main()
