"""`ectoscope serve` as a process of a test: its configuration, log lines, pages and store."""

import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request

import ecto_log
from real_postgres import wait_for

BINARY = os.path.abspath(sys.argv.pop(1))


class Daemon:
    """One process of `serve` with its own configuration, state and log lines."""

    def __init__(self, folder, logs, **more):
        self.folder = folder
        self.state = os.path.join(folder, "state")
        self.config = os.path.join(folder, "config.yaml")
        self.process = None
        self.lines = []
        self.configure(logs, **more)

    def configure(self, logs, **more):
        server = {"name": "main", "logs": logs, "start_at": "beginning", **more.pop("server", {})}
        config = {"servers": [server], "state": {"directory": self.state},
                  "web": {"listen_address": "127.0.0.1:0"}, "grouping": {"trace_quiet": "2s"}, **more}
        with open(self.config, "w", encoding="utf-8") as file:
            json.dump(config, file)  # JSON is YAML

    def start(self, **more):
        self.lines = []
        binary = BINARY
        if "user" in more:  # who may not be let into where it was built
            binary = shutil.copy(BINARY, os.path.join(self.folder, "ectoscope"))
        self.process = subprocess.Popen(
            [binary, "serve", "--config.file", self.config, "--log.format=json"], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        return self

    def _read(self, process):
        with process.stderr:
            for line in process.stderr:
                self.lines.append(line)

    def said(self, text):
        return any(text in line for line in self.lines)

    def wait_said(self, text, seconds=20):
        wait_for(lambda: self.said(text) or self.process.poll() is not None, text, seconds)
        if not self.said(text):
            raise AssertionError(f"it ended without {text!r}:\n" + "".join(self.lines))

    def url(self):
        """Where it listens; ends with a slash."""
        self.wait_said('"started"')
        return next(json.loads(line)["url"] for line in self.lines if '"started"' in line)

    def get(self, path):
        """(status, text)"""
        try:
            with urllib.request.urlopen(self.url() + path, timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, series):
        """Of a series as /metrics has it, labels included; None when there is none."""
        for line in self.get("metrics")[1].splitlines():
            if line.startswith(series + " "):
                return float(line.split()[-1])
        return None

    def statements(self):
        """All that this process counted."""
        return sum(float(line.split()[-1]) for line in self.get("metrics")[1].splitlines()
                   if line.startswith("ectoscope_statements_total{"))

    def occurrences(self, kind):
        """Of all findings of this kind, as the API has them."""
        findings = json.loads(self.get("api/v1/findings?limit=1000")[1])["findings"]
        return sum(finding["occurrences"] for finding in findings if finding["kind"] == kind)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Seconds that it took."""
        began = time.monotonic()
        self.process.terminate()
        if self.process.wait(timeout=30) != 0:
            raise AssertionError("".join(self.lines))
        return time.monotonic() - began

    def committed(self):
        """The statements that the store holds, while the daemon has it."""
        with tempfile.TemporaryDirectory() as copy:
            for name in ("ectoscope.db", "ectoscope.db-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copy(os.path.join(self.state, name), copy)
            try:
                return self.stored(copy)[0]
            except sqlite3.DatabaseError:  # it was written to in between
                return 0

    def stored(self, folder=None):
        """(statements, {kind: occurrences of its findings}, ids of the findings)"""
        with contextlib.closing(sqlite3.connect(os.path.join(folder or self.state, "ectoscope.db"))) as store:
            statements = store.execute("SELECT coalesce(sum(executions), 0) FROM statement").fetchone()[0]
            findings = store.execute("SELECT id, kind, totals FROM finding").fetchall()
        kinds = {}
        for _, kind, totals in findings:
            kinds[kind] = kinds.get(kind, 0) + json.loads(totals)["occurrences"]
        return statements, kinds, sorted(row[0] for row in findings)


class Folder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ectoscope-serve-")
        self.daemons = []

    def tearDown(self):
        for daemon in self.daemons:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def daemon(self, logs=None, **more):
        daemon = Daemon(self.folder, logs or [self.path("pg.log*")], **more)
        self.daemons.append(daemon)
        return daemon

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, records, mode="ab"):
        with open(self.path(name), mode) as file:
            file.write(ecto_log.stderr(records))


def resident_bytes(pid):
    """Memory that a process has."""
    with open(f"/proc/{pid}/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def is_sanitized():
    """The binary is one that looks for its own mistakes: it is slower and larger."""
    with open(BINARY, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def cpu_seconds(pid):
    """What a process has worked so far, user and system."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
