#!/usr/bin/env python3
"""From a log to a webhook: the daemon, a real Prometheus, a real Alertmanager.

    alerting_test.py BINARY
"""

import collections
import datetime
import http.server
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request

import ecto_log
from real_postgres import free_port, wait_for

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(ROOT, "deploy/prometheus/ectoscope.rules.yml")
RECORDING = os.path.join(ROOT, "data/recordings/1-every-statement-tagged.log.zst")
PATIENCE = 60  # seconds; a busy machine is slow
AGO = 15 * 60  # seconds: a problem resolves when ten minutes of event time went on without it
STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} UTC", re.M)
STAMP_FORM = "%Y-%m-%d %H:%M:%S.%f"
TRACES = itertools.count(10**6)
LABELS = {"alertname", "id", "kind", "severity", "server", "database", "application", "table", "team", "via"}


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return answer.read().decode()
    except OSError:
        return ""


def get_json(url):
    text = get(url)
    return json.loads(text) if text else None


class Listener(http.server.ThreadingHTTPServer):
    request_queue_size = 256  # a connection for each alert, all at once: who is not let in waits for ten seconds


class Webhook:
    """What Alertmanager tells, alert by alert."""

    def __init__(self):
        told = self.told = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                now = time.monotonic()
                message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend((now, alert) for alert in message["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = Listener(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def times(self, status):
        """{(id, via): how often}"""
        return collections.Counter(self.key(alert) for _, alert in list(self.told) if alert["status"] == status)

    @staticmethod
    def key(alert):
        return alert["labels"]["id"], alert["labels"]["via"]

    def first(self, where):
        return next(((at, alert) for at, alert in list(self.told) if where(alert["labels"])), None)


def moved(text, last):
    """The log's lines with their last stamp at `last`, seconds since 1970."""
    utc = datetime.timezone.utc

    def parsed(stamp):
        return datetime.datetime.strptime(stamp[:-4], STAMP_FORM).replace(tzinfo=utc)
    shift = datetime.datetime.fromtimestamp(last, utc) - max(parsed(stamp) for stamp in STAMP.findall(text))
    return STAMP.sub(lambda found: (parsed(found[0]) + shift).strftime(STAMP_FORM)[:-3] + " UTC", text)


def n_plus_one(table, last):
    """Five requests with an N+1 over `table`, a second apart, the last statement at `last`."""
    records = ecto_log.n_plus_one(requests=5, table=table)
    for record in records:
        record["message"] = record["message"].replace('"users"', f'"{table}_owners"')
    return at(records, last)


def healthy(table, last, count=200):
    """What the same page does once it is mended: single reads, each in a request of its own."""
    records = []
    for i in range(count):
        tag = f"/*traceparent='00-{next(TRACES):032x}-{1:016x}-01'*/"
        sql = f'SELECT p0."id", p0."title" FROM "{table}" AS p0 WHERE (p0."user_id" = $1){tag}'
        records.append(ecto_log.execute(100 * i, 101, sql, [i]))
    return at(records, last)


def at(records, last):
    shift = datetime.datetime.fromtimestamp(last, datetime.timezone.utc) - records[-1]["at"]
    for record in records:
        record["at"] += shift
    # With the recording's log_line_prefix: one log has one.
    return re.sub(r" app=shop vxid=(\S+) ", r" app=shop sess=6b02ac20.1 line=1 vxid=\1 xid=0 qid=0 ",
                  ecto_log.stderr(records).decode())


class Alerting(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ectoscope-alerting-")
        self.processes = {}
        self.webhook = Webhook()
        self.ours, self.alertmanagers, self.prometheus = free_port(), free_port(), free_port()
        self.alerts = f"http://127.0.0.1:{self.alertmanagers}"
        self.log = self.path("pg.log")

    def tearDown(self):
        for name in list(self.processes):
            self.stop(name)
        self.webhook.server.shutdown()
        self.webhook.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def configure(self, name, content):
        with open(self.path(name), "w", encoding="utf-8") as file:
            json.dump(content, file)  # JSON is YAML
        return self.path(name)

    def start(self, name, *command):
        with open(self.path(name + ".log"), "ab") as output:
            self.processes[name] = subprocess.Popen(command, stdout=output, stderr=output)

    def stop(self, name):
        process = self.processes.pop(name)
        process.terminate()
        self.assertEqual(process.wait(timeout=PATIENCE), 0, name)

    def write(self, text):
        with open(self.log, "a", encoding="utf-8") as file:
            file.write(text)

    def start_alertmanager(self):
        config = self.configure("alertmanager.yml", {
            "route": {"receiver": "hook", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s",
                      "repeat_interval": "4h"},
            "receivers": [{"name": "hook", "webhook_configs": [{"url": self.webhook.url, "send_resolved": True}]}]})
        self.start("alertmanager", "prometheus-alertmanager", f"--config.file={config}",
                   f"--storage.path={self.path('alertmanager')}", f"--web.listen-address=127.0.0.1:{self.alertmanagers}",
                   "--cluster.listen-address=")
        wait_for(lambda: get(self.alerts + "/-/ready"), "Alertmanager", PATIENCE)

    def rules(self):
        """Those that we ship, with a new process' minute cut to a third."""
        with open(RULES, encoding="utf-8") as file:
            text = file.read()
        self.assertEqual(text.count('process_start_time_seconds{job="ectoscope"} < 60'), 1)
        with open(self.path("rules.yml"), "w", encoding="utf-8") as file:
            file.write(text.replace("< 60", "< 20"))
        return self.path("rules.yml")

    def start_prometheus(self):
        config = self.configure("prometheus.yml", {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": {"via": "rule"}},
            "rule_files": [self.rules()],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{self.alertmanagers}"]}]}]},
            "scrape_configs": [{"job_name": "ectoscope", "static_configs": [{"targets": [f"127.0.0.1:{self.ours}"]}]}]})
        self.start("prometheus", "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.path('data')}",
                   f"--web.listen-address=127.0.0.1:{self.prometheus}", "--rules.alert.resend-delay=2s")

    def start_ectoscope(self):
        config = self.configure("ectoscope.yaml", {
            "servers": [{"name": "main", "logs": [self.log + "*"], "start_at": "beginning"}],
            "state": {"directory": self.path("state")},
            "max_event_age": "1h",  # so that what is to resolve may begin 15 minutes ago, and is news
            "owners": [{"table": "invoices", "team": "checkout"}],
            "alerting": {"alertmanagers": [{"url": self.alerts}], "resend_interval": "5s",
                         "external_labels": {"via": "push"}}})
        self.start("ectoscope", BINARY, "serve", f"--config.file={config}",
                   f"--web.listen-address=127.0.0.1:{self.ours}", "--web.external-url=https://ectoscope.example/")
        wait_for(lambda: get(f"http://127.0.0.1:{self.ours}/-/ready"), "ectoscope", PATIENCE)

    def findings(self):
        return get_json(f"http://127.0.0.1:{self.ours}/api/v1/findings?limit=1000")["findings"]

    def id_of(self, table):
        return next((f["id"] for f in self.findings() if f["kind"] == "n_plus_one_read" and f["tables"][0] == table), None)

    def held(self):
        """What Alertmanager holds as active: {(id, via): startsAt}"""
        alerts = get_json(self.alerts + "/api/v2/alerts?active=true") or []
        return {(a["labels"]["id"], a["labels"]["via"]): a["startsAt"] for a in alerts}

    def wait_told(self, ids):
        wanted = {(each, via) for each in ids for via in ("push", "rule")}
        wait_for(lambda: wanted <= set(self.webhook.times("firing")), "both ways to tell of all", PATIENCE)
        return wanted

    def burst(self):
        """Writes one but for its last statement, then that; gives the seconds to the webhook."""
        text = n_plus_one("invoices", time.time() - AGO)
        head, end = text[:-1].rsplit("\n", 1)
        self.write(head + "\n")
        self.write(end + "\n")
        written = time.monotonic()
        pushed = wait_for(lambda: self.webhook.first(lambda it: it.get("table") == "invoices" and it["via"] == "push"),
                          "the pushed alert", PATIENCE)
        return pushed[0] - written

    def test_both_ways_once_through_restarts_until_the_end(self):
        recording = subprocess.run(["zstdcat", RECORDING], capture_output=True, check=True).stdout.decode()
        self.write(n_plus_one("archived", time.time() - 3 * 3600))  # an old log's: nobody is told
        self.write(moved(recording, time.time() - AGO - 60))
        self.write(n_plus_one("shipments", time.time() - AGO - 30))
        self.start_alertmanager()
        self.start_prometheus()
        self.start_ectoscope()
        wait_for(lambda: self.id_of("shipments"), "findings", PATIENCE)
        seconds = self.burst()
        print(f"from the last statement of a burst to the pushed alert at the webhook: {seconds:.2f} s")
        invoices, shipments, archived = (self.id_of(table) for table in ("invoices", "shipments", "archived"))
        alerting = {f["id"] for f in self.findings() if f["severity"] != "info" and f["state"] == "active"} - {archived}
        self.assertGreater(len(alerting), 5)
        wanted = self.wait_told(alerting)
        self.check_labels(invoices)

        wait_for(self.notified, "Alertmanager to note what it told", PATIENCE)
        self.stop("alertmanager")
        self.start_alertmanager()
        wait_for(lambda: set(self.held()) == wanted, "all alerts after Alertmanager's restart", PATIENCE)

        self.mend("invoices", {(invoices, "push"), (invoices, "rule")})
        wait_for(lambda: set(self.held()) == {(each, via) for each in self.firing(alerting) for via in ("push", "rule")},
                 "what goes on", PATIENCE)

        before = self.held()
        self.stop("ectoscope")
        self.write(healthy("shipments", time.time() - 300))
        self.start_ectoscope()
        self.mend("shipments", {(shipments, "push")})
        sent = self.sent()
        wait_for(lambda: self.sent() >= sent + len(alerting), "all of them again", PATIENCE)
        after = {key: since for key, since in self.held().items() if key[1] == "push"}
        self.assertEqual(after, {key: since for key, since in before.items() if key in after})
        self.assertEqual(set(after), {(each, "push") for each in self.firing(alerting)})

        again = [key for key, times in self.webhook.times("firing").items() if times > 1]
        self.assertEqual([(at, alert["status"], alert["labels"], alert["startsAt"])
                          for at, alert in self.webhook.told if self.webhook.key(alert) in again], [])
        self.assertEqual(self.webhook.times("firing"), collections.Counter(wanted))
        self.assertEqual(max(self.webhook.times("resolved").values()), 1)

    def mend(self, table, ended):
        """Traffic goes on without the problem until the webhook was told."""
        self.write(healthy(table, time.time() - 300))
        later = iter(range(11, 300, 11))  # event time runs, and is looked at each ten seconds of it

        def told():
            self.write(healthy(table, time.time() - 300 + next(later, 300), 1))
            return ended <= set(self.webhook.times("resolved"))
        wait_for(told, f"the end of {ended}", PATIENCE, step=0.4)

    def firing(self, alerting):
        return {finding["id"] for finding in self.findings() if finding["state"] == "active"} & alerting

    def notified(self):
        """Alertmanager knows that the webhook knows; else it would tell it again after its restart."""
        done = re.search(r'alertmanager_notification_latency_seconds_count{integration="webhook"} (\d+)',
                         get(self.alerts + "/metrics"))
        before = len(self.webhook.told)
        time.sleep(1)  # from there to its log of notifications, and for what is on its way
        return done and int(done[1]) == before == len(self.webhook.told)

    def check_labels(self, invoices):
        labels = {}
        for via in ("push", "rule"):
            _, alert = self.webhook.first(lambda it, via=via: it["id"] == invoices and it["via"] == via)
            labels[via] = alert["labels"]
            self.assertLessEqual(set(alert["labels"]), LABELS)
            self.assertIn("runbook_url", alert["annotations"])
        self.assertEqual({**labels["push"], "via": ""}, {**labels["rule"], "via": ""}, "one identity")
        self.assertEqual(labels["push"], {
            "alertname": "EctoscopeFinding", "id": invoices, "kind": "n_plus_one_read", "severity": "warning",
            "server": "main", "database": "shop", "application": "shop", "table": "invoices", "team": "checkout",
            "via": "push"})
        _, alert = self.webhook.first(lambda it: it["id"] == invoices and it["via"] == "push")
        self.assertEqual(alert["generatorURL"], f"https://ectoscope.example/findings/{invoices}")
        self.assertIn("Repo.preload", alert["annotations"]["ecto"])

    def sent(self):
        state = get_json(f"http://127.0.0.1:{self.ours}/api/v1/sources")["alertmanagers"][0]
        self.assertEqual((state["url"], state["dropped"]), (self.alerts, {}))
        return state["sent"]


if __name__ == "__main__":
    unittest.main()
