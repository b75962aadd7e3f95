"""A real PostgreSQL for tests: its own data folder, a free loopback port, gone with the test.

    with RealPostgres() as server:
        server.sql("CREATE TABLE posts (id bigint)")
        with server.connect() as connection:            # psycopg 3: parse, bind, execute as Ecto does
            connection.execute("SELECT %s::int", [1])
        server.log_path, server.dsn()

A test that can't have one skips itself: `skip_unless_installed()`.  PostgreSQL refuses to run as
root, so root gives itself up for the system's `postgres` user, who owns the folder then.
"""

import contextlib
import glob
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

# As in FACTS: what a good log shows.  `settings` of RealPostgres comes after and wins.
SETTINGS = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
    "shared_buffers": "32MB", "max_connections": "40", "autovacuum": "off",
    "shared_preload_libraries": "pg_stat_statements,auto_explain",
    "logging_collector": "on", "log_directory": "log", "log_filename": "postgresql.log",
    "log_file_mode": "0644", "log_destination": "jsonlog", "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d app=%a client=%r vx=%v sess=%c line=%l q=%Q ",
    "log_min_duration_statement": "0", "compute_query_id": "on", "log_statement": "none",
    "log_lock_waits": "on", "log_temp_files": "0", "log_connections": "on",
    "auto_explain.log_min_duration": "100ms", "auto_explain.log_format": "json",
    "auto_explain.log_analyze": "on", "auto_explain.log_timing": "on",
    "auto_explain.log_triggers": "on",
}
LOG_NAMES = {"stderr": "postgresql.log", "csvlog": "postgresql.csv", "jsonlog": "postgresql.json"}


def bin_folder():
    """PostgreSQL's own programs, of the newest version that is installed; None without one."""
    found = [os.path.dirname(path) for path in glob.glob("/usr/lib/postgresql/*/bin/postgres")]
    return max(found, key=lambda path: int(path.split("/")[4]), default=None)


def skip_unless_installed(hypopg=False):
    folder = bin_folder()
    if folder is None:
        raise unittest.SkipTest("no PostgreSQL server: apt-get install postgresql-15")
    version = folder.split("/")[4]
    if hypopg and not os.path.exists(f"/usr/share/postgresql/{version}/extension/hypopg.control"):
        raise unittest.SkipTest(f"no HypoPG: apt-get install postgresql-{version}-hypopg")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, what, seconds=20.0, step=0.02):
    """What `condition` returns once it is true; AssertionError with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(step)


class RealPostgres:
    """One server.  Its superuser is `postgres`, who needs no password; `hba` lines come before that.

    After stop(), kill() or crash() a start() goes on with the same data on the same port.
    """

    def __init__(self, settings=None, hba=()):
        self.bin = bin_folder()
        self.folder = tempfile.mkdtemp(prefix="ectoscope-pg-")
        self.data = os.path.join(self.folder, "data")
        self.port = free_port()
        self.settings = {**SETTINGS, **(settings or {})}
        self.hba = list(hba)
        self.process = None
        os.chmod(self.folder, 0o755)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)

    def __enter__(self):
        try:
            self.create()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    # -- its life

    def create(self):
        self._run(os.path.join(self.bin, "initdb"), "-D", self.data, "-U", "postgres", "-A", "trust",
                  "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "-g")
        self.configure()

    def configure(self, changed=None):
        """Writes the settings; they count from the next start() or reload().  What ALTER SYSTEM set
        stays, and wins."""
        self.settings.update(changed or {})
        lines = [f"{key} = '{value}'" for key, value in self.settings.items()]
        lines += [f"port = {self.port}", "listen_addresses = '127.0.0.1'",
                  f"unix_socket_directories = '{self.folder}'"]
        with open(os.path.join(self.data, "postgresql.conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        rules = [*self.hba, "local all all trust", "host all all 127.0.0.1/32 trust"]
        with open(os.path.join(self.data, "pg_hba.conf"), "w", encoding="utf-8") as file:
            file.write("\n".join(rules) + "\n")

    def start(self):
        with open(os.path.join(self.folder, "start.log"), "ab") as out:
            self.process = subprocess.Popen(
                [*self._as_owner(), os.path.join(self.bin, "postgres"), "-D", self.data],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=self.folder)
        wait_for(self._answers, "PostgreSQL answers", seconds=30)

    def stop(self):
        """As an administrator does: clients are cut off, the data is flushed."""
        self._end(signal.SIGINT)

    def crash(self):
        """Without a word to anyone; the next start() recovers from the WAL."""
        self._end(signal.SIGQUIT)

    def restart(self):
        self.stop()
        self.start()

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def close(self):
        if self.process is not None:
            self._end(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    # -- talking to it

    def sql(self, text, database="postgres", user="postgres"):
        """Runs it through psql; rows as lists of strings.  An error is an AssertionError."""
        done = self.psql("-At", "-F", "\x1f", "-c", text, database=database, user=user)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode())
        return [line.split("\x1f") for line in done.stdout.decode().splitlines()]

    def psql(self, *arguments, database="postgres", user="postgres", stdin=None, env=None):
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self.port),
                   "-U", user, "-d", database, *arguments]
        more = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        return subprocess.run(command, capture_output=True, timeout=120, check=False,
                              env={**os.environ, "PGOPTIONS": "", **(env or {})}, **more)

    def connect(self, database="postgres", user="postgres", application="shop", **more):
        """A psycopg 3 connection in autocommit; its statements are parsed, bound and executed."""
        try:
            import psycopg
        except ImportError as error:
            raise unittest.SkipTest("no psycopg: apt-get install python3-psycopg") from error
        return psycopg.connect(self.dsn(database, user), application_name=application, autocommit=True,
                               **more)

    def dsn(self, database="postgres", user="postgres"):
        return f"host=127.0.0.1 port={self.port} dbname={database} user={user}"

    @property
    def log_path(self):
        """The log in the first of its formats.  With jsonlog or csvlog only start-up lines go to the
        .log beside it."""
        first = self.settings["log_destination"].split(",")[0].strip()
        return os.path.join(self.data, "log", LOG_NAMES[first])

    # -- its own

    def _as_owner(self):
        if os.geteuid() != 0:
            return []
        return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]

    def _run(self, *command):
        done = subprocess.run([*self._as_owner(), *command], capture_output=True, cwd=self.folder,
                              timeout=120, check=False)
        if done.returncode != 0:
            raise AssertionError(done.stdout.decode() + done.stderr.decode())

    def _answers(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "start.log"), encoding="utf-8", errors="replace") as out:
                raise AssertionError("PostgreSQL did not start: " + out.read()[-2000:])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return self.psql("-c", "SELECT 1").returncode == 0
        return False

    def _end(self, how):
        process, self.process = self.process, None
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
