#!/usr/bin/env python3
"""Deploys are told over HTTP, kept over restarts, and a finding says after which one it came.

    deploys_test.py BINARY
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.error
import urllib.request

import ecto_log
from real_postgres import wait_for

BINARY = os.path.abspath(sys.argv.pop(1))
EVIL = "<b>2.0</b>"


class Daemon:
    def __init__(self, folder):
        config = os.path.join(folder, "config.yaml")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"servers": [{"name": "main", "logs": [os.path.join(folder, "pg.log")], "start_at": "beginning"}],
                       "state": {"directory": os.path.join(folder, "state")}, "web": {"listen_address": "127.0.0.1:0"}}, file)
        self.said = ""
        self.process = subprocess.Popen([BINARY, "serve", f"--config.file={config}"], stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, text=True)
        self.reading = threading.Thread(target=self.read, daemon=True)
        self.reading.start()
        wait_for(lambda: "ready" in self.said, "ready", 30)
        self.url = re.search(r'url="?(http[^" \n]+)', self.said).group(1).rstrip("/")

    def read(self):
        for line in self.process.stderr:
            self.said += line

    def ask(self, path, body=None, **headers):
        """(status, text)"""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers={"Content-Type": "application/json", **headers})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def deploys(self):
        return [d["version"] for d in json.loads(self.ask("/api/v1/deploys")[1])["deploys"]]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(30)
        self.reading.join()
        self.process.stderr.close()


class Deploys(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ectoscope-deploys-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        with open(os.path.join(self.folder, "pg.log"), "wb") as file:
            file.write(ecto_log.stderr(ecto_log.n_plus_one()))  # from 2026-03-01 09:00 on

    def start(self):
        daemon = Daemon(self.folder)
        self.addCleanup(daemon.stop)
        return daemon

    def test_a_finding_says_since_which(self):
        daemon = self.start()
        for version, time, application in (("1.0", "2026-02-01T00:00:00Z", ""), (EVIL, "2026-03-01T08:00:00Z", "shop"),
                                           ("9.9", "2026-03-01T08:30:00Z", "jobs"), ("3.0", "2026-03-02T00:00:00Z", "shop")):
            status, text = daemon.ask("/api/v1/deploys", {"version": version, "time": time, "application": application})
            self.assertEqual((status, json.loads(text)["version"]), (200, version))
        finding = wait_for(lambda: json.loads(daemon.ask("/api/v1/findings")[1])["findings"], "a finding", 30)[0]
        wait_for(lambda: json.loads(daemon.ask("/api/v1/findings/" + finding["id"])[1])["finding"]["since_deploy"], "the deploy", 30)
        deploy = json.loads(daemon.ask("/api/v1/findings/" + finding["id"])[1])["finding"]["since_deploy"]
        self.assertEqual(deploy, {"version": EVIL, "application": "shop", "time": "2026-03-01T08:00:00.000000Z"})
        page = daemon.ask("/findings/" + finding["id"])[1]
        self.assertIn("Not seen before deploy <b>&lt;b&gt;2.0&lt;/b&gt; (shop)</b>", page)
        wait_for(lambda: daemon.deploys() == ["3.0", "9.9", EVIL, "1.0"], "all of them", 30)
        daemon.stop()
        again = self.start()
        wait_for(lambda: again.deploys() == ["3.0", "9.9", EVIL, "1.0"], "what was stored", 30)

    def test_each_node_may_tell(self):
        daemon = self.start()
        told = [daemon.ask("/api/v1/deploys", {"version": "1.0", "application": "shop"}) for _ in range(3)]
        self.assertEqual(len(set(told)), 1)
        daemon.ask("/api/v1/deploys", {"version": "2.0", "application": "shop"})
        daemon.ask("/api/v1/deploys", {"version": "1.0", "application": "shop"})  # back again
        wait_for(lambda: daemon.deploys() == ["1.0", "2.0", "1.0"], "three", 30)

    def test_what_is_refused(self):
        daemon = self.start()
        for body, problem in (({}, "version"), ({"version": "1", "time": "yesterday"}, "not a time like"),
                              ({"version": "1", "time": "2999-01-01T00:00:00Z"}, "still to come")):
            status, text = daemon.ask("/api/v1/deploys", body)
            self.assertEqual(status, 400, body)
            self.assertIn(problem, text)
        self.assertEqual(daemon.ask("/api/v1/deploys", {"version": "1"}, Origin="http://evil.example")[0], 403)
        self.assertEqual(daemon.ask("/api/v1/deploys", {"version": "1"}, **{"Content-Type": "text/plain"})[0], 403)
        self.assertEqual(daemon.deploys(), [])


if __name__ == "__main__":
    unittest.main()
