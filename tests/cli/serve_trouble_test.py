#!/usr/bin/env python3
"""`ectoscope serve` in bad surroundings: each is told with what to do, what can go on goes on, and it mends itself.

    serve_trouble_test.py BINARY
"""

import contextlib
import html
import json
import os
import resource
import signal
import socket
import sqlite3
import subprocess
import unittest

import ecto_log
from real_postgres import wait_for
from serve_daemon import BINARY, Folder

# Root may do everything: the daemon is somebody else where it must not.
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
UP = 'ectoscope_up{server="main"}'
STORE_UP = "ectoscope_store_up"
RELOADED = "ectoscope_config_last_reload_successful"


class Trouble(Folder):
    def setUp(self):
        super().setUp()
        os.chmod(self.folder, 0o777)

    def wait_shown(self, daemon, problem, series):
        """/-/ready, the pages and the metrics say so."""
        def shown():
            status, text = daemon.get("-/ready")
            return status == 200 and problem in text

        wait_for(shown, f"/-/ready has {problem!r}", 60)
        for page in ("", "queries", "sources"):
            self.assertIn(html.escape(problem), daemon.get(page)[1], page)
        self.assertEqual(daemon.metric(series), 0)

    def wait_mended(self, daemon, series):
        wait_for(lambda: daemon.metric(series) == 1, f"{series} is 1", 60)
        wait_for(lambda: daemon.get("-/ready") == (200, "ectoscope is ready.\n"), "nothing is wrong", 60)
        self.assertNotIn('class="problems"', daemon.get("")[1])

    def wait_counted(self, daemon, requests):
        """The requests, and each of their statements."""
        wait_for(lambda: daemon.occurrences("n_plus_one_read") == requests, f"{requests} requests", 60)
        self.wait_statements(daemon, 11 * requests)

    def wait_statements(self, daemon, statements):
        wait_for(lambda: daemon.statements() == statements, f"{statements} statements", 60)


class BadStart(Trouble):
    def fails(self, status, *says):
        done = subprocess.run([BINARY, "serve", "--config.file", self.path("config.yaml")],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        for text in says:
            self.assertIn(text, done.stderr)

    def configure(self, text):
        with open(self.path("config.yaml"), "w", encoding="utf-8") as file:
            file.write(text)

    def test_a_bad_configuration_tells_all_its_problems(self):
        self.configure("servers:\n  - name: a b\n    logs: []\n    logs: []\nstate: {keep: 1h}\n")
        self.fails(2, "config.yaml:2:11: servers[0].name: 'a b' is not", ":4:5: servers[0].logs: given twice",
                   "state.keep: '1h' is not", "nothing was started")

    def test_no_server_is_a_mistake(self):
        self.configure("servers: []\n")
        self.fails(2, "name at least one")

    def test_no_configuration_file(self):
        self.fails(2, "config.yaml: no such file")

    def test_the_port_is_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.configure(f"servers: [{{name: a, logs: ['{self.folder}/*.log']}}]\n"
                           f"state: {{directory: '{self.folder}/state'}}\n"
                           f"web: {{listen_address: '127.0.0.1:{port}'}}\n")
            self.fails(3, f"cannot listen on 127.0.0.1:{port}", "another process has this port", "choose another")

    def test_two_daemons_do_not_share_a_state_folder(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=1))
        daemon = self.daemon().start()
        wait_for(lambda: daemon.committed() == 11, "the first one writes", 60)
        self.fails(3, "another ectoscope uses it", "a state.directory of its own")
        daemon.stop()


class Log(Trouble):
    def test_a_missing_log_is_waited_for(self):
        self.write("other.log", ecto_log.n_plus_one(requests=3))
        daemon = self.daemon([self.path("pg.log*"), self.path("other.log")]).start()
        daemon.wait_said("no such file yet")
        self.wait_shown(daemon, "no such file yet", UP)
        self.wait_counted(daemon, 3)  # of the other log
        self.write("pg.log", ecto_log.n_plus_one(requests=2, table="tags"))
        daemon.wait_said("can be read again")
        self.wait_mended(daemon, UP)
        self.wait_statements(daemon, 55)
        daemon.stop()
        self.assertEqual(daemon.stored()[0], 55)

    def test_a_folder_in_place_of_a_log_is_told(self):
        os.mkdir(self.path("pg.log"))
        daemon = self.daemon().start()
        daemon.wait_said("not a file")
        self.wait_shown(daemon, "name the log files themselves", UP)
        daemon.stop()

    def test_an_unreadable_log_is_told(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=1))
        os.chmod(self.path("pg.log"), 0)
        daemon = self.daemon().start(**NOBODY)
        daemon.wait_said("permission denied")
        self.wait_shown(daemon, "permission denied", UP)
        os.chmod(self.path("pg.log"), 0o644)
        daemon.wait_said("can be read again")
        self.wait_mended(daemon, UP)
        self.wait_counted(daemon, 1)
        daemon.stop()

    def test_an_unreadable_folder_is_told(self):
        os.mkdir(self.path("logs"))
        self.write("logs/pg.log", ecto_log.n_plus_one(requests=1))
        os.chmod(self.path("logs"), 0)
        daemon = self.daemon([self.path("logs/*.log")]).start(**NOBODY)
        daemon.wait_said("permission denied")
        self.wait_shown(daemon, "permission denied", UP)
        os.chmod(self.path("logs"), 0o755)
        self.wait_mended(daemon, UP)
        self.wait_counted(daemon, 1)
        daemon.stop()


class State(Trouble):
    def setUp(self):
        super().setUp()
        self.write("pg.log", ecto_log.n_plus_one(requests=20))

    def test_a_folder_that_cannot_be_made(self):
        daemon = self.daemon(state={"directory": "/proc/ectoscope"}).start()
        daemon.wait_said("choose another state.directory")
        self.wait_shown(daemon, "choose another state.directory", STORE_UP)
        self.wait_counted(daemon, 20)
        daemon.stop()

    def test_a_full_disk_is_waited_for(self):
        daemon = self.daemon()
        daemon.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000_000)))
        daemon.wait_said("it goes on in memory")
        self.wait_shown(daemon, "check the disk, its space", STORE_UP)
        self.wait_counted(daemon, 20)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (40_000_000, 40_000_000))
        daemon.wait_said("written again", 60)
        self.wait_mended(daemon, STORE_UP)
        daemon.stop()
        self.assertEqual(daemon.stored()[0], 220)

    def test_a_read_only_folder_is_waited_for(self):
        daemon = self.daemon()
        os.mkdir(daemon.state)
        os.chmod(daemon.state, 0o555)
        daemon.start(**NOBODY)
        daemon.wait_said("make it and its directory writable")
        self.wait_shown(daemon, "make it and its directory writable", STORE_UP)
        self.wait_counted(daemon, 20)
        os.chmod(daemon.state, 0o777)
        daemon.wait_said("written again", 60)
        self.wait_mended(daemon, STORE_UP)
        daemon.stop()
        self.assertEqual(daemon.stored()[0], 220)

    def test_a_read_only_store_is_waited_for(self):
        daemon = self.daemon().start()
        wait_for(lambda: daemon.committed() == 220, "all is written", 60)
        daemon.stop()
        store = os.path.join(daemon.state, "ectoscope.db")
        os.chmod(daemon.state, 0o777)
        os.chmod(store, 0o444)
        os.remove(self.path("pg.log"))  # what the store holds cannot be read from the log again
        self.write("pg.log", ecto_log.n_plus_one(requests=1, table="tags"))
        daemon.start(**NOBODY)
        daemon.wait_said("make it and its directory writable")
        self.wait_shown(daemon, "make it and its directory writable", STORE_UP)
        os.chmod(store, 0o666)
        daemon.wait_said("written again", 60)
        self.wait_mended(daemon, STORE_UP)
        self.wait_statements(daemon, 11)
        daemon.stop()
        self.assertEqual(daemon.stored()[0], 231)

    def test_a_damaged_store_is_set_aside(self):
        daemon = self.daemon()
        os.mkdir(daemon.state)
        with open(os.path.join(daemon.state, "ectoscope.db"), "wb") as file:
            file.write(b"not a database" * 1000)
        daemon.start()
        daemon.wait_said("set aside")
        self.wait_counted(daemon, 20)
        self.assertEqual(daemon.metric(STORE_UP), 1)
        daemon.stop()
        self.assertEqual(daemon.stored()[0], 220)
        self.assertTrue(any(".damaged-" in name for name in os.listdir(daemon.state)))

    def test_what_another_version_stored_is_told(self):
        daemon = self.daemon().start()
        self.wait_counted(daemon, 20)
        daemon.stop()
        with contextlib.closing(sqlite3.connect(os.path.join(daemon.state, "ectoscope.db"))) as store, store:
            self.assertGreater(store.execute("UPDATE finding SET totals = '{}'").rowcount, 0)
        daemon.start()
        daemon.wait_said("findings of another version of ectoscope cannot be shown")
        daemon.stop()


class Reload(Trouble):
    def test_the_old_configuration_stays_when_the_new_one_is_bad(self):
        self.write("pg.log", ecto_log.n_plus_one(requests=2))
        daemon = self.daemon().start()
        self.wait_counted(daemon, 2)
        with open(daemon.config, encoding="utf-8") as file:
            good = file.read()
        with open(daemon.config, "w", encoding="utf-8") as file:
            file.write("servers: [{name: main}]\nno_such_key: 1\n")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_said("the running configuration stays")
        self.assertFalse(daemon.said("nothing was started"))
        self.wait_shown(daemon, "the old one goes on", RELOADED)
        self.assertIn("config.yaml:1:11: servers[0]: a server needs logs", daemon.get("-/ready")[1])
        self.write("pg.log", ecto_log.n_plus_one(requests=1, table="likes"))
        self.wait_statements(daemon, 33)
        self.write("other.log", ecto_log.n_plus_one(requests=5, table="tags"))
        config = json.loads(good)
        config["servers"].append({"name": "other", "logs": [self.path("other.log")], "start_at": "beginning"})
        config["state"]["keep"] = "9d"
        config["web"] |= {"trace_url": "https://traces.example/{trace_id}"}
        with open(daemon.config, "w", encoding="utf-8") as file:
            json.dump(config, file)
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_said("was read again")
        self.assertTrue(daemon.said('"state.keep, web.trace_url"'))
        self.wait_mended(daemon, RELOADED)
        self.wait_statements(daemon, 33 + 55)
        daemon.stop()
        self.assertEqual(daemon.stored()[0], 33 + 55)


if __name__ == "__main__":
    unittest.main()
