#!/usr/bin/env python3
"""deploy/ci: its YAML is YAML, its commands are ones that the binary takes, its PostgreSQL logs what the gate needs.

    ci_deploy_test.py BINARY
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import ecto_log
import real_postgres

try:
    import yaml
except ImportError:
    yaml = None

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
CI = os.path.join(ROOT, "deploy", "ci")


def run(arguments, folder, **more):
    return subprocess.run(arguments, cwd=folder, capture_output=True, timeout=120, check=False, **more)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="ectoscope-ci-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)


@unittest.skipIf(yaml is None, "there is no python3-yaml")
class Steps(Case):
    def load(self, name):
        with open(os.path.join(CI, name)) as file:
            return yaml.safe_load(file)

    def scripts(self):
        """The shell text of every step, by file."""
        github = self.load("github-actions.yml")
        gitlab = self.load("gitlab-ci.yml")["ectoscope"]
        return {
            "github-actions.yml": [step["run"] for step in github["jobs"]["queries"]["steps"] if "run" in step],
            "gitlab-ci.yml": gitlab["before_script"] + gitlab["script"],
        }

    def test_have_what_their_runners_ask_for(self):
        github = self.load("github-actions.yml")
        self.assertIn("pull_request", github[True])  # YAML 1.1 reads the key `on` as true
        self.assertEqual(github["permissions"]["pull-requests"], "write")
        for step in github["jobs"]["queries"]["steps"]:
            self.assertEqual(len({"run", "uses"} & set(step)), 1, step)
        gitlab = self.load("gitlab-ci.yml")["ectoscope"]
        self.assertEqual(gitlab["artifacts"]["reports"]["junit"], "reports/ectoscope.xml")
        self.assertEqual(gitlab["artifacts"]["when"], "always")

    def test_shell_is_shell(self):
        for name, scripts in self.scripts().items():
            for script in scripts:
                done = run(["sh", "-n", "-c", script], self.folder)
                self.assertEqual(done.returncode, 0, (name, script, done.stderr))
        for path in re.findall(r"\.ectoscope/([\w/-]+)", str(self.scripts())):
            if not path.startswith("build/"):
                self.assertTrue(os.access(os.path.join(ROOT, path), os.X_OK), path)

    def test_run_mix_test_with_a_postgres_that_they_started(self):
        for name, scripts in self.scripts().items():
            text = "\n".join(scripts)
            order = [text.index(part) for part in ("start-postgres pg 5432", "mix test", "--fail-on=warning")]
            self.assertEqual(order, sorted(order), name)

    def gate(self, name, log):
        """Runs the file's own analyze commands over `log`; their exit states."""
        os.makedirs(os.path.join(self.folder, "pg"), exist_ok=True)
        os.makedirs(os.path.join(self.folder, "reports"), exist_ok=True)
        with open(os.path.join(self.folder, "pg", "postgresql.log"), "wb") as file:
            file.write(log)
        states = {}
        for script in self.scripts()[name]:
            for line in script.splitlines():
                if not line.startswith("$ectoscope "):
                    continue
                arguments = shlex.split(line.split(" ", 1)[1])
                done = run([BINARY, *arguments], self.folder)
                output, = [a.split("=")[1] for a in arguments if a.startswith("--output=")]
                states[output] = (done.returncode, done.stderr.decode())
                report, = [a.split("=")[1] for a in arguments if a.startswith("--output.file=")]
                self.assertGreater(os.path.getsize(os.path.join(self.folder, report)), 100, line)
        return states

    def test_gate_fails_on_what_is_new_and_only_then(self):
        healthy = ecto_log.stderr(ecto_log.with_binds(ecto_log.n_plus_one(children=2)))
        loop = ecto_log.stderr(ecto_log.with_binds(ecto_log.n_plus_one()))
        for name, gates in (("github-actions.yml", "markdown"), ("gitlab-ci.yml", "junit")):
            open(os.path.join(self.folder, ".ectoscope-baseline"), "w").close()  # as `touch` leaves it
            for output, (status, errors) in self.gate(name, healthy).items():
                self.assertEqual(status, 0, (name, output, errors))
            for output, (status, errors) in self.gate(name, loop).items():
                self.assertEqual(status, 1 if output == gates else 0, (name, output, errors))
            log = os.path.join(self.folder, "pg", "postgresql.log")
            self.assertEqual(run([BINARY, "analyze", "--write-baseline=.ectoscope-baseline", log], self.folder).returncode, 0)
            for output, (status, errors) in self.gate(name, loop).items():
                self.assertEqual(status, 0, (name, output, errors))


class Postgres(Case):
    def setUp(self):
        real_postgres.skip_unless_installed()
        try:
            import psycopg
        except ImportError:
            self.skipTest("there is no python3-psycopg")
        self.psycopg = psycopg
        super().setUp()
        os.chmod(self.folder, 0o755)

    def test_its_log_is_enough_for_the_gate(self):
        port = real_postgres.free_port()
        data = os.path.join(self.folder, "pg")
        done = run([os.path.join(CI, "start-postgres"), "pg", str(port)], self.folder)
        self.addCleanup(self.stop, data)
        self.assertEqual(done.returncode, 0, done.stderr.decode() + done.stdout.decode())
        with self.psycopg.connect(f"host=127.0.0.1 port={port} user=postgres", autocommit=True,
                                  prepare_threshold=None) as connection:
            connection.execute("CREATE TABLE posts (id bigint PRIMARY KEY, user_id bigint)")
            for _ in range(5):  # a test: one transaction that is rolled back
                with connection.transaction(force_rollback=True):
                    for user in range(8):
                        connection.execute('SELECT p0.id FROM "posts" AS p0 WHERE p0.user_id = %s', [user])
        done = run([BINARY, "analyze", "--fail-on=warning", "pg/postgresql.log"], self.folder)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr.decode(), r"gate FAILED: 1 finding .*\n  n_plus_one_read-[0-9a-f]{16}  SELECT posts")

    def stop(self, data):
        with open(os.path.join(data, "data", "postmaster.pid")) as file:
            pid = int(file.readline())
        os.kill(pid, 3)  # immediate: it stops at once, and we started it
        real_postgres.wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "the server stops")


if __name__ == "__main__":
    unittest.main(verbosity=1)
