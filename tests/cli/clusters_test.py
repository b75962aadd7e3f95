#!/usr/bin/env python3
"""`ectoscope doctor --clusters` finds Debian's PostgreSQL clusters by their files.

    clusters_test.py BINARY
"""

import os
import subprocess
import sys
import tempfile
import unittest

BINARY = os.path.abspath(sys.argv.pop(1))


class Clusters(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ectoscope-clusters-")
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def write(self, path, text=""):
        path = self.root + path
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def doctor(self):
        return subprocess.run([BINARY, "doctor", "--clusters", f"--root={self.root}"], capture_output=True, text=True, check=False)

    def test_each_with_its_log(self):
        self.write("/etc/postgresql/13/old/postgresql.conf", "port 5433\n")
        self.write("/etc/postgresql/15/main/postgresql.conf",
                   "# port = 1\nport = 5434\t\t# (change requires restart)\ndata_directory = '/srv/pg/15'\nlogging_collector = off\n")
        self.write("/etc/postgresql/15/main/conf.d/ectoscope.conf",
                   "log_destination = 'jsonlog'\nlogging_collector = on\nlog_filename = 'it''s-%a.log'\n")
        self.write("/etc/postgresql/16/csv/postgresql.conf",
                   "logging_collector = 'on'\nlog_destination='stderr,csvlog'\nlog_directory = '/var/log/pg16'\n")
        self.write("/run/postgresql/15-main.pid", "1\n")
        self.write("/var/log/postgresql/postgresql-13-old.log", "x\n")
        self.write("/etc/postgresql/readme", "no cluster\n")
        done = self.doctor()
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, """\
13 old: not running, port 5433
  log      /var/log/postgresql/postgresql-13-old.log (stderr)
  to ask   ectoscope doctor --dsn='host=/run/postgresql port=5433 dbname=DATABASE user=ROLE'
  to serve - {name: old, logs: ["/var/log/postgresql/postgresql-13-old.log*"]}
15 main: running, port 5434
  log      /srv/pg/15/log/it's-*.json (jsonlog)
           there is no such file yet
  to ask   ectoscope doctor --dsn='host=/run/postgresql port=5434 dbname=DATABASE user=ROLE'
  to serve - {name: main, logs: ["/srv/pg/15/log/it's-*.json"]}
16 csv: not running, port 5432
  log      /var/log/pg16/postgresql-*-*-*_*.csv (csvlog)
           there is no such file yet
  to ask   ectoscope doctor --dsn='host=/run/postgresql port=5432 dbname=DATABASE user=ROLE'
  to serve - {name: csv, logs: ["/var/log/pg16/postgresql-*-*-*_*.csv"]}
""")

    def test_none(self):
        done = self.doctor()
        self.assertEqual(done.returncode, 3)
        self.assertIn("no cluster there", done.stderr)

    def test_the_root_goes_with_the_list(self):
        done = subprocess.run([BINARY, "doctor", "--root=/x", "--dsn=host=nowhere"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2)


if __name__ == "__main__":
    unittest.main()
