#!/usr/bin/env python3
"""Against a real PostgreSQL: doctor, and what deploy/postgresql gives an administrator.

    postgres_test.py BINARY
"""

import os
import re
import subprocess
import sys
import unittest

import real_postgres
from real_postgres import RealPostgres

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DEPLOY = os.path.join(ROOT, "deploy", "postgresql")
PASSWORD = "correct horse 'battery\\"

# As initdb leaves a server: nothing of what ectoscope likes.
BARE = {key: value for key, value in real_postgres.SETTINGS.items()
        if not key.startswith(("log_", "auto_explain", "compute_query_id", "shared_preload"))}
BARE.update({"log_directory": "log", "log_filename": "postgresql.log", "log_destination": "stderr",
             "log_file_mode": "0644"})


def ectoscope(*arguments, env=None):
    return subprocess.run([BINARY, *arguments], capture_output=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"], **(env or {})})


def setUpModule():
    real_postgres.skip_unless_installed(hypopg=True)


def make_role(server):
    done = server.psql("-f", os.path.join(DEPLOY, "role.sql"), database="shop")
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode())


def visibility(text):
    """{kind: yes, partly or no}"""
    return dict(re.findall(r"^  ([a-z_]+) +(yes|partly|no)\b", text, re.M))


class Doctor(unittest.TestCase):
    def examine(self, server, *arguments, user="ectoscope", status=None):
        done = ectoscope("doctor", "--dsn", server.dsn("shop", user), *arguments)
        text = done.stdout.decode()
        self.assertEqual(done.stderr, b"", text)
        if status is not None:
            self.assertEqual(done.returncode, status, text)
        return text

    def test_its_own_lines_cure_a_bare_server(self):
        with RealPostgres() as server:
            server.settings = dict(BARE)
            server.configure()
            server.restart()
            server.sql("CREATE DATABASE shop")
            server.sql("CREATE ROLE ectoscope LOGIN")
            before = self.examine(server, status=1)
            self.assertEqual(set(visibility(before).values()), {"no"})
            self.assertIn("GRANT pg_monitor", before)
            # Twice: what the role may not see yet is told once it may.
            for _ in range(2):
                text = self.examine(server)
                lines = [line for line in text.splitlines()
                         if re.match(r"  (ALTER|GRANT|CREATE|LOAD|SELECT pg_reload)", line)]
                done = server.psql("-f", "-", database="shop", stdin="\n".join(lines).encode())
                self.assertEqual(done.returncode, 0, done.stderr.decode())
                server.restart()
            after = self.examine(server, status=0)
            self.assertEqual(set(visibility(after).values()), {"yes"}, after)
            self.assertIn("Nothing is hidden.", after)
            self.assertNotIn("What to change", after)

    def test_role_and_settings_of_deploy_show_all_there_is(self):
        with RealPostgres() as server:
            server.settings = {"fsync": "off", "include": os.path.join(DEPLOY, "ectoscope.conf")}
            server.configure()
            with open(os.path.join(DEPLOY, "ectoscope.conf"), "rb") as conf:
                content = conf.read()
            # The server's user may not see the checkout.
            copied = os.path.join(server.folder, "ectoscope.conf")
            with open(copied, "wb") as conf:
                conf.write(content)
            server.configure({"include": copied})
            server.restart()
            server.sql("CREATE DATABASE shop")
            server.sql("CREATE TABLE posts (id bigint)", database="shop")
            make_role(server)
            make_role(server)  # again at any time
            text = self.examine(server, status=0)
            self.assertEqual(set(visibility(text).values()), {"yes"}, text)
            self.assertNotIn("superuser.", text)
            self.assertNotIn("HypoPG", text)
            self.assertNotIn("may not SELECT", text)
            # It reads, and cannot write.
            for statement in ("INSERT INTO posts VALUES (1)", "CREATE TABLE t (id int)",
                              "ALTER SYSTEM SET work_mem = '1MB'", "SELECT pg_reload_conf()",
                              "SELECT pg_read_file('/etc/passwd')"):
                done = server.psql("-c", statement, database="shop", user="ectoscope")
                self.assertNotEqual(done.returncode, 0, statement)
            superuser = self.examine(server, user="postgres")
            self.assertIn("postgres is a superuser", superuser)

    def test_what_is_hidden_is_one_and_named(self):
        with RealPostgres({"log_min_duration_statement": "100ms", "log_lock_waits": "off"}) as server:
            server.sql("CREATE DATABASE shop")
            make_role(server)
            text = self.examine(server, status=1)
            seen = visibility(text)
            self.assertEqual(seen["n_plus_one_read"], "partly")
            self.assertEqual(seen["n_plus_one_write"], "no")
            self.assertEqual(seen["lock_wait"], "no")
            self.assertEqual(seen["slow_query"], "yes")
            self.assertEqual(seen["wrong_index"], "yes")
            self.assertIn("ALTER SYSTEM SET log_min_duration_statement = 0;", text)
            self.assertIn("ALTER SYSTEM SET log_lock_waits = on;", text)
            # Its own log, by another way, and one that is not there.
            self.examine(server, "--log.file", server.log_path, status=1)
            text = self.examine(server, "--log.file", "/nowhere/at.log", status=1)
            self.assertIn("/nowhere/at.log: no such file", text)
            self.assertEqual(visibility(text)["wrong_index"], "no")

    def test_wrong_dsn_says_what_is_wrong_and_hides_the_password(self):
        rule = "host shop ectoscope 127.0.0.1/32 scram-sha-256"
        with RealPostgres(hba=[rule]) as server:
            server.sql("CREATE DATABASE shop")
            make_role(server)
            # psql quotes the variable itself.
            done = server.psql("-v", "secret=" + PASSWORD, "-f", "-", database="shop",
                               stdin=b"ALTER ROLE ectoscope PASSWORD :'secret'")
            self.assertEqual(done.returncode, 0, done.stderr)
            escaped = PASSWORD.replace("\\", "\\\\").replace("'", "\\'")
            good = server.dsn("shop", "ectoscope") + f" password='{escaped}'"
            self.assertIn(ectoscope("doctor", "--dsn", good).returncode, (0, 1))
            port = str(server.port)
            closed = str(real_postgres.free_port())
            secret = "hunter2hunter2"
            cases = [
                (good.replace(escaped, secret), 3, "password authentication failed"),
                (server.dsn("shop", "ectoscope"), 3, "no password supplied"),
                (good.replace(port, closed), 3, "listen_addresses"),
                (good.replace("dbname=shop", "dbname=absent"), 3, "does not exist"),
                (good.replace("user=ectoscope", "user=absent"), 3, "does not exist"),
                (good + " sslmode=verify-full sslrootcert=/etc/hostname", 3, "ssl on"),
                (good + " sslmode=often", 2, "verify-full"),
                (f"host=127.0.0.1 password={secret} {secret}", 2, "the DSN cannot be read"),
                (f"postgresql://ectoscope:{secret}%zz@127.0.0.1/shop", 2, "the DSN cannot be read"),
            ]
            for dsn, status, said in cases:
                done = ectoscope("doctor", "--dsn", dsn)
                self.assertEqual(done.returncode, status, (dsn, done.stderr))
                self.assertEqual(done.stdout, b"", dsn)
                self.assertIn(said, done.stderr.decode(), dsn)
                for hidden in (secret, PASSWORD, escaped, "battery"):
                    self.assertNotIn(hidden, done.stderr.decode(), dsn)
            # A passfile instead.
            passfile = os.path.join(server.folder, "pgpass")
            with open(passfile, "w", encoding="utf-8") as file:
                escaped = PASSWORD.replace("\\", "\\\\").replace(":", "\\:")
                file.write(f"127.0.0.1:{port}:shop:ectoscope:{escaped}\n")
            os.chmod(passfile, 0o600)
            done = ectoscope("doctor", "--dsn", server.dsn("shop", "ectoscope") + f" passfile={passfile}")
            self.assertIn(done.returncode, (0, 1), done.stderr)

    def test_usage(self):
        for arguments in ([], ["--log.file=x"], ["--dsn"]):
            self.assertEqual(ectoscope("doctor", *arguments).returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main(verbosity=2)
