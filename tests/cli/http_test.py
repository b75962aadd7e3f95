#!/usr/bin/env python3
"""The daemon's HTTP side from outside: the demo's routes, promtool, and the pages in a browser.

    http_test.py BINARY
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import ecto_log

BINARY = os.path.abspath(sys.argv.pop(1))
PATIENCE = 30  # seconds; a busy machine is slow
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
EVIL = "<img src=x onerror=alert(1)>"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()


def fetch(url, method="GET", body=None, **headers):
    request = urllib.request.Request(url, data=body, method=method,
                                     headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return Answer(response)
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error)


def wait_for(what, condition, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


class Daemon:
    """A process that says where its pages are."""

    def __init__(self, *arguments, **environment):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output, env={**os.environ, **environment})
        self.url = wait_for("the address", self._url)

    def said(self):
        self.output.seek(0)
        return self.output.read().decode()

    def _url(self):
        if self.process.poll() is not None:
            raise AssertionError(self.said())
        found = re.search(r"(http://[^ \"]+?/)[\s\"]", self.said())
        return found and found.group(1)

    def findings(self, query="?limit=1000"):
        return json.loads(fetch(self.url + "api/v1/findings" + query).text)["findings"]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        status = self.process.wait(timeout=PATIENCE)
        self.output.close()
        return status


class Demo(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-http-")
        cls.demo = Daemon("demo", "--web.listen-address=127.0.0.1:0", TMPDIR=cls.folder)
        began = time.monotonic()
        wait_for("findings", lambda: any(f["kind"] == "n_plus_one_read" for f in cls.demo.findings()))
        cls.seconds_to_findings = time.monotonic() - began

    @classmethod
    def tearDownClass(cls):
        status = cls.demo.stop(signal.SIGINT)
        left = os.listdir(cls.folder)
        shutil.rmtree(cls.folder, ignore_errors=True)
        assert status == 0, status
        assert left == [], left

    def get(self, path, **headers):
        return fetch(self.demo.url + path, **headers)

    def test_says_where_to_look(self):
        for place in ("", "queries", "sources", "metrics", "api/v1/findings"):
            self.assertIn(f" {self.demo.url}{place}\n", self.demo.said())

    def test_is_live(self):
        def statements():
            return sum(float(line.split()[-1]) for line in self.get("metrics").text.splitlines()
                       if line.startswith("ectoscope_statements_total{"))
        before = statements()
        self.assertGreater(before, 100)
        wait_for("more statements", lambda: statements() > before)
        seen = self.demo.findings("?limit=1")[0]["last_seen"]
        self.assertEqual(seen[:4], time.strftime("%Y", time.gmtime()))

    def test_every_metric_moves(self):
        def sums():
            found = {}
            for line in self.get("metrics").text.splitlines():
                if not line.startswith("#"):
                    name, value = re.match(r"(\w+)(?:\{.*\})? (\S+)", line).groups()
                    found[name] = found.get(name, 0) + float(value)
            return found

        grow = {"ectoscope_log_bytes_read_total", "ectoscope_log_records_total", "ectoscope_statements_total",
                "ectoscope_statement_duration_seconds_count", "ectoscope_statement_duration_seconds_sum",
                "ectoscope_traces_total", "ectoscope_finding_occurrences_total", "ectoscope_excess_statements_total",
                "ectoscope_excess_seconds_total", "ectoscope_detector_duration_seconds_count",
                "ectoscope_detector_duration_seconds_sum", "process_cpu_seconds_total"}
        are_there = {"ectoscope_records_dropped_total", "ectoscope_findings", "ectoscope_finding_active",
                     "ectoscope_input_fidelity", "ectoscope_open_traces", "process_resident_memory_bytes"}
        before = sums()
        wait_for("each that grows has grown",
                 lambda: (now := sums()) and all(now.get(name, 0) > before.get(name, 0) for name in grow))
        now = sums()
        self.assertEqual([name for name in are_there if not now.get(name)], [])
        for name in ("ectoscope_up", "ectoscope_build_info", "ectoscope_config_last_reload_successful",
                     "ectoscope_store_up"):
            self.assertEqual(now[name], 1, name)
        self.assertIn('le="0.1"', self.get("metrics").text)
        wait_for("the log's end", lambda: sums()["ectoscope_log_lag_seconds"] == 0)

    def test_routes(self):
        finding = self.demo.findings("?limit=1")[0]["id"]
        for path, kind in (("", "text/html"), ("queries", "text/html"), ("sources", "text/html"),
                           (f"findings/{finding}", "text/html"), ("metrics", "text/plain"),
                           ("-/healthy", "text/plain"), ("-/ready", "text/plain"),
                           ("api/v1/findings", "application/json"), (f"api/v1/findings/{finding}", "application/json"),
                           ("api/v1/queries", "application/json"), ("api/v1/sources", "application/json")):
            answer = self.get(path)
            self.assertEqual(answer.status, 200, path)
            self.assertTrue(answer.headers["Content-Type"].startswith(kind), path)
            if kind == "application/json":
                json.loads(answer.text)
        self.assertEqual(self.get("-/reload").status, 403)
        self.assertEqual(fetch(self.demo.url + "-/reload", method="POST").status, 403)

    def test_findings_are_the_report(self):
        report = json.loads(self.get("api/v1/findings").text)
        self.assertEqual(report["schema"], 1)
        self.assertGreater(report["input"]["statements"], 0)
        finding = next(f for f in report["findings"] if f["kind"] == "n_plus_one_read")
        for key in ("id", "severity", "confidence", "server", "database", "applications", "routes", "summary", "query",
                    "parent_query", "tables", "columns", "occurrences", "first_seen", "last_seen", "cost", "evidence",
                    "fix", "examples", "state", "team"):
            self.assertIn(key, finding)
        self.assertEqual(finding["state"], "active")

    def test_promtool_has_nothing_to_say(self):
        promtool = shutil.which("promtool")
        self.assertTrue(promtool, "apt-get install prometheus")
        checked = subprocess.run([promtool, "check", "metrics"], input=self.get("metrics").text.encode(),
                                 capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout, checked.stderr), (0, b"", b""))

    def test_prometheus_reads_openmetrics(self):
        answer = self.get("metrics", Accept=OPENMETRICS)
        self.assertTrue(answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0"))
        self.assertTrue(answer.text.endswith("# EOF\n"))
        exemplar = re.compile(r'\} [0-9.]+ # \{trace_id="[0-9a-f]{32}"\} 1\.0 [0-9.]+\n')
        wait_for("an exemplar", lambda: exemplar.search(self.get("metrics", Accept=OPENMETRICS).text))
        address = self.demo.url.split("/")[2]
        with tempfile.TemporaryDirectory() as folder:
            config = os.path.join(folder, "prometheus.yml")
            with open(config, "w", encoding="utf-8") as file:
                file.write(f"global: {{scrape_interval: 1s}}\nscrape_configs: [{{job_name: e, static_configs: "
                           f"[{{targets: ['{address}']}}]}}]\n")
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            prometheus = subprocess.Popen(
                ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{port}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                def targets():
                    try:
                        text = fetch(f"http://127.0.0.1:{port}/api/v1/targets").text
                    except OSError:
                        return None
                    active = json.loads(text)["data"]["activeTargets"] if text.startswith("{") else []
                    return active and active[0]["health"] != "unknown" and active[0]
                target = wait_for("a scrape", targets)
                self.assertEqual((target["health"], target["lastError"]), ("up", ""))
            finally:
                prometheus.terminate()
                prometheus.wait(timeout=PATIENCE)


class BrowserTest(unittest.TestCase):
    """A daemon over a log, and Chromium, in which nothing may go wrong and which may ask nobody else."""

    @classmethod
    def start(cls, log, more=""):
        path = os.path.join(cls.folder, "postgresql.log")
        with open(path, "wb") as file:
            file.write(log)
        config = os.path.join(cls.folder, "ectoscope.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"servers: [{{name: test, logs: ['{path}'], start_at: beginning}}]\n"
                       f"state: {{directory: '{cls.folder}/state'}}\n{more}")
        cls.daemon = Daemon("serve", f"--config.file={config}", "--web.listen-address=127.0.0.1:0")

    @classmethod
    def chromium(cls):
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service
        options = webdriver.ChromeOptions()
        for argument in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                         "--disable-background-networking", "--disable-component-update", "--disable-sync",
                         "--window-size=1200,900", f"--user-data-dir={cls.folder}/chromium"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        return webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)

    @classmethod
    def tearDownClass(cls):
        cls.driver.quit()
        status = cls.daemon.stop()
        shutil.rmtree(cls.folder, ignore_errors=True)
        assert status == 0, status

    def tearDown(self):
        self.assertEqual([entry for entry in self.driver.get_log("browser") if entry["level"] != "INFO"], [])
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                self.assertTrue(url.startswith((self.daemon.url, "data:", "about:", "chrome:")), url)

    def open(self, path):
        self.driver.get(self.daemon.url + path)
        return self.driver.find_element("css selector", "main")

    def all(self, selector):
        return self.driver.find_elements("css selector", selector)

    def say(self, verb, name, why):
        """Fills the form below a finding and presses one of its buttons."""
        self.driver.find_element("name", "by").send_keys(name)
        self.driver.find_element("name", "why").send_keys(why)
        self.driver.find_element("css selector", f'button[data-api$="/{verb}"]').click()
        answer = self.driver.find_element("css selector", ".answer")
        return wait_for("the answer", lambda: answer.text not in ("", "…") and answer.text)


class Browser(BrowserTest):
    """The pages as a person has them, over a log whose every name is hostile."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-browser-")
        records = ecto_log.n_plus_one(requests=4, children=12, table=EVIL)
        text = ecto_log.stderr(records).replace(b"app=shop", b"app=" + EVIL.encode())
        text = text.replace(b"/*traceparent", b"/*route='%3Cscript%3Ealert(2)%3C/script%3E',traceparent")
        cls.start(text, "web: {trace_url: 'https://traces.example/{trace_id}'}\n")
        cls.findings = wait_for("findings", lambda: [f for f in cls.daemon.findings() if f["kind"] == "n_plus_one_read"])
        cls.driver = cls.chromium()

    def test_list_filter_finding(self):
        main = self.open("")
        self.assertIn(EVIL, main.text)
        self.assertEqual(self.driver.find_elements("css selector", "img[src=x], main script"), [])
        search = self.driver.find_element("css selector", "input[type=search]")
        search.send_keys("no such text")
        search.submit()
        wait_for("the filter", lambda: "q=no" in self.driver.current_url)
        self.assertIn("Nothing matches", self.driver.find_element("css selector", "main").text)
        self.driver.find_element("link text", "Clear").click()
        wait_for("all", lambda: self.driver.find_elements("css selector", ".finding .what a"))
        self.driver.find_element("css selector", ".finding .what a").click()
        wait_for("the finding", lambda: "/findings/" in self.driver.current_url)

    def test_finding(self):
        main = self.open("findings/" + self.findings[0]["id"])
        for expected in ("N+1 read", "Repo.preload", EVIL, "alert(2)", "The worst request", "Acknowledge"):
            self.assertIn(expected, main.text)
        self.assertEqual(self.driver.find_elements("css selector", "img[src=x], main script"), [])
        self.assertGreater(len(self.driver.find_elements("css selector", ".strip rect.child")), 10)
        fold = self.driver.find_element("css selector", ".fold summary")
        fold.click()
        self.assertGreaterEqual(len([row for row in self.driver.find_elements("css selector", ".steps li")
                                     if row.is_displayed()]), 13)
        button = self.driver.find_element("css selector", "button[data-copy=fix-ecto]")
        self.driver.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite"]})
        button.click()
        wait_for("the copy", lambda: button.text == "Copied")
        copied = self.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
        self.assertEqual(copied, self.driver.find_element("id", "fix-ecto").text)
        link = self.driver.find_element("css selector", "a.trace")
        self.assertRegex(link.get_attribute("href"), "^https://traces.example/[0-9a-f]{32}$")

    def test_acknowledge_answers(self):
        self.open("findings/" + self.findings[0]["id"])
        self.assertEqual(self.say("ack", "ada", EVIL), "Acknowledged.")
        wait_for("the name", lambda: "Acknowledged by ada" in self.open("findings/" + self.findings[0]["id"]).text)

    def test_ignored_and_heard_of_again(self):
        path = "findings/" + self.findings[0]["id"]
        self.open(path)
        self.assertTrue(self.say("ignore", "ada", EVIL).startswith("Ignored"))
        wait_for("the page of what is ignored", lambda: "Hear of it again" in self.open(path).text)
        self.assertIn(f"{EVIL} (ada)", self.open(path).text)
        self.assertNotIn(self.findings[0]["id"], [finding["id"] for finding in self.daemon.findings()])
        self.assertEqual(self.say("hear", "ada", ""), "It comes back in a moment.")
        wait_for("the finding", lambda: "The worst request" in self.open(path).text)

    def test_queries_and_sources(self):
        self.assertIn("SELECT", self.open("queries").text)
        self.assertIn("postgresql.log", self.open("sources").text)
        self.assertIn("Why not?", self.open("why").text)

    def test_every_control_has_a_name(self):
        for path in ("", "findings/" + self.findings[0]["id"], "queries", "why", "sources"):
            self.open(path)
            nameless = self.driver.execute_script("""
              return Array.from(document.querySelectorAll("a, button, input:not([type=hidden]), select, svg[role=img], img"))
                .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.closest("label")
                                 || e.hasAttribute("alt"))).map((e) => e.outerHTML)""")
            self.assertEqual(nameless, [], path)

    def test_fits_a_phone(self):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True})
        try:
            for path in ("", "findings/" + self.findings[0]["id"], "queries", "why", "sources"):
                self.open(path)
                self.assertLessEqual(self.driver.execute_script("return document.documentElement.scrollWidth"), 390, path)
        finally:
            self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


class Traffic(BrowserTest):
    """Loops in loops and plans, of the demo."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-traffic-")
        cls.daemon = Daemon("demo", "--web.listen-address=127.0.0.1:0", TMPDIR=cls.folder)
        cls.driver = cls.chromium()

    def page_of(self, kind):
        found = wait_for(kind, lambda: [f for f in self.daemon.findings() if f["kind"] == kind])
        return self.open("findings/" + found[0]["id"])

    def test_plan_has_time_rows_and_what_was_thrown_away(self):
        self.page_of("missing_index")
        self.assertIn("Thrown away", self.driver.find_element("css selector", ".plan thead").text)
        self.assertTrue(self.all(".plan .worst .share[aria-label]"))
        self.assertIn("look here first", self.driver.find_element("css selector", ".plan .worst").text)
        self.assertTrue(self.all(".plan td.bad"))
        self.assertIn("create index", self.driver.find_element("id", "fix-migration").text)
        self.assertTrue(self.all("button[data-copy=fix-migration]"))

    def test_history_is_drawn_and_a_table(self):
        # The store has it a moment after the page has the finding.
        canvas = wait_for("the history", lambda: self.page_of("n_plus_one_read") and self.all(".chart canvas"))[0]
        self.assertGreater(canvas.size["height"], 100)
        drawn = self.driver.execute_script(
            "return Chart.getChart(document.querySelector('canvas')).data.datasets[0].data.reduce((a, b) => a + b)")
        counts = [int(row.get_attribute("data-count")) for row in self.all("#history-table tbody tr")]
        self.assertGreater(drawn, 0)
        self.assertEqual(sum(counts), drawn)

    def test_near_misses_name_their_setting(self):
        row = wait_for("a near miss", lambda: self.open("why") and self.all("main tbody tr code"))
        self.assertRegex(row[0].text, r"^detectors\.[a-z_]+\.[a-z_]+$")
        self.all("main .tabs a")[1].click()
        wait_for("one kind", lambda: "kind=" in self.driver.current_url)

    def test_tab_reaches_everything_in_order(self):
        from selenium.webdriver.common.keys import Keys
        self.open("")
        self.driver.find_element("css selector", "body").send_keys(Keys.TAB)
        self.assertEqual(self.driver.switch_to.active_element.text, "Skip to the content")
        self.driver.switch_to.active_element.send_keys(Keys.ENTER)
        self.driver.switch_to.active_element.send_keys(Keys.TAB)
        inside = "return document.activeElement.closest('main') !== null"
        self.assertTrue(self.driver.execute_script(inside))
        self.driver.find_element("css selector", "body").send_keys("/")
        self.assertEqual(self.driver.switch_to.active_element.get_attribute("name"), "q")


class Nested(BrowserTest):
    """Users, each one's posts, and each post's comments."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-nested-")
        records = []
        key = 0
        for request in range(3):
            tag = f"/*traceparent='00-{request + 1:032x}-{request + 1:016x}-01'*/"
            at = request * 5000.0
            records.append(ecto_log.execute(at, 100, f'SELECT u0."id" FROM "users" AS u0{tag}', []))
            for user in range(8):
                at += 1.5
                records.append(ecto_log.execute(
                    at, 100, f'SELECT p0."id" FROM "posts" AS p0 WHERE (p0."user_id" = $1){tag}', [str(user)]))
                for _ in range(3):
                    at += 1.5
                    key += 1
                    records.append(ecto_log.execute(
                        at, 100, f'SELECT c0."id" FROM "comments" AS c0 WHERE (c0."post_id" = $1){tag}', [str(key)]))
        cls.start(ecto_log.stderr(records))
        cls.driver = cls.chromium()

    def test_the_loop_inside_is_seen(self):
        finding = wait_for("posts", lambda: [f for f in self.daemon.findings()
                                             if f["kind"] == "n_plus_one_read" and f["tables"][0] == "posts"])[0]
        self.open("findings/" + finding["id"])
        legend = self.driver.find_element("css selector", ".legend .nested").text
        self.assertEqual(legend, "SELECT comments, repeated too: 21 times here")
        self.assertEqual(len(self.all(".strip rect.nested")), 21)
        self.assertEqual(len(self.all(".strip rect.child")), 8)
        self.assertEqual(len(self.all(".strip rect.parent")), 1)
        self.assertTrue(self.all(".strip rect.gap"))
        self.assertTrue(self.all(".steps li.nested.d2"))


class Many(BrowserTest):
    """20,000 findings."""

    COUNT = 20_000

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-many-")
        records = [ecto_log.execute(i * 400.0, 100 + i % 10, f'SELECT t0."id" FROM "things_{i}" AS t0 WHERE (t0."k" = $1)',
                                    ["1"], duration_ms=300 + i / 100) for i in range(cls.COUNT)]
        cls.start(ecto_log.stderr(records), "limits: {findings: 25000, shapes: 50000}\n")
        cls.driver = cls.chromium()

    def test_lists_pages_and_api(self):
        wait_for("all findings", lambda: json.loads(fetch(self.daemon.url + "api/v1/findings?limit=1").text)
                 ["page"]["total"] == self.COUNT, seconds=6 * PATIENCE)  # a sanitizer takes a minute
        main = self.open("")
        self.assertIn("of 20,000", main.text)
        self.assertEqual(len(self.all(".finding")), 50)
        self.driver.find_element("link text", "Next →").click()
        wait_for("the next page", lambda: "offset=50" in self.driver.current_url)
        self.assertIn("51–100 of 20,000", self.driver.find_element("css selector", ".pager").text)
        self.open("?table=things_4711")
        self.assertEqual(len(self.all(".finding")), 1)
        self.driver.find_element("css selector", ".finding .what a").click()
        wait_for("the finding", lambda: "things_4711" in self.driver.find_element("css selector", "main").text)
        seen = set()
        for offset in range(0, self.COUNT, 1000):
            seen.update(f["id"] for f in self.daemon.findings(f"?limit=1000&offset={offset}"))
        self.assertEqual(len(seen), self.COUNT)
        self.assertLess(len(fetch(self.daemon.url).text), 200_000)
        best = min(self.seconds_for(path) for path in ("", "api/v1/findings", "metrics") for _ in range(3))
        print("20,000 findings, the quickest answer of three paths:", round(best * 1000), "ms", file=sys.stderr)

    def seconds_for(self, path):
        began = time.monotonic()
        self.assertEqual(fetch(self.daemon.url + path).status, 200)
        return time.monotonic() - began


if __name__ == "__main__":
    unittest.main()
