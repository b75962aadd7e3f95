#!/usr/bin/env python3
"""The Debian package, its unit, its manual page and its completion; and what the daemon tells systemd.

    package_test.py BINARY
"""

import configparser
import grp
import json
import os
import re
import shlex
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from real_postgres import wait_for

BINARY = os.path.abspath(sys.argv.pop(1))
BUILD = os.path.dirname(os.path.dirname(BINARY))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = os.path.join(SOURCE, "deploy/systemd/ectoscope.service")
COMMANDS = [["analyze"], ["serve"], ["demo"], ["doctor"], ["check"], ["check", "config"], ["check", "ignore"],
            ["check", "web-config"], ["version"]]


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise AssertionError(f"{shlex.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def help_options(command):
    return set(re.findall(r"^  (?:-h,)?(--[a-z][a-z.-]*)", run(BINARY, *command, "--help"), re.M))


def unit_settings():
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str
    unit.read(UNIT)
    return dict(unit["Service"])


class Manual(unittest.TestCase):
    def test_every_option_and_no_other(self):
        with open(os.path.join(SOURCE, "deploy/man/ectoscope.1"), encoding="utf-8") as file:
            text = file.read().replace("\\-", "-")
        sections = dict(re.findall(r"^\.SS (\w+)\n(.*?)(?=^\.S[SH] |\Z)", text, re.M | re.S))
        for command in COMMANDS:
            if command == ["version"]:
                continue
            told = set(re.findall(r"^\.BI? (--[a-z][a-z.-]*)", sections[command[0]], re.M))
            there = help_options(command) - {"--help"}
            if command[0] == "check":
                self.assertLessEqual(there, told, command)
            else:
                self.assertEqual(told, there, command)
            synopsis = text.split(".SH DESCRIPTION")[0]
            if command != ["check"]:
                self.assertIn("ectoscope " + " ".join(command), synopsis)
        for status in range(4):
            self.assertIn(f".B {status}\n", text)

    @unittest.skipUnless(shutil.which("groff"), "there is no groff")
    def test_it_is_well_formed(self):
        done = subprocess.run(["groff", "-man", "-ww", "-Tutf8", os.path.join(SOURCE, "deploy/man/ectoscope.1")],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stderr, "")


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = ('PATH=$1:$PATH; . "$2"; shift 2; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ectoscope; '
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        out = run("bash", "-c", script, "-", os.path.dirname(BINARY), os.path.join(SOURCE, "deploy/completion/ectoscope.bash"),
                  "ectoscope", *words)
        return set(out.split())

    def test_commands(self):
        self.assertEqual(self.complete(""), {c[0] for c in COMMANDS})
        self.assertEqual(self.complete("check", ""), {c[1] for c in COMMANDS if c[1:]})
        self.assertEqual(self.complete("an"), {"analyze"})

    def test_options_are_those_of_the_help(self):
        for command in COMMANDS:
            self.assertEqual(self.complete(*command, "--"), help_options(command), command)

    def test_values_are_accepted_by_the_command(self):
        for command, option, wrong in (("analyze", "--format", "x"), ("analyze", "--output", "x"), ("analyze", "--fail-on", "x"),
                                       ("serve", "--log.format", "x"), ("serve", "--log.level", "x")):
            values = self.complete(command, option, "=", "")
            done = subprocess.run([BINARY, command, f"{option}={wrong}", "-"], capture_output=True, text=True, check=False)
            listed = re.findall(r"[a-z0-9]+", done.stderr.split("one of")[1].split("\n")[0])
            self.assertEqual(values, {word for word in listed if word != "or"}, option)


class Unit(unittest.TestCase):
    def test_hardening(self):
        settings = unit_settings()
        for key, value in {
                "Type": "notify", "User": "ectoscope", "SupplementaryGroups": "adm", "StateDirectory": "ectoscope",
                "ExecReload": "/bin/kill -HUP $MAINPID", "NoNewPrivileges": "yes", "ProtectSystem": "strict",
                "ProtectHome": "yes", "PrivateTmp": "yes", "PrivateDevices": "yes", "ProtectKernelModules": "yes",
                "ProtectKernelTunables": "yes", "ProtectKernelLogs": "yes", "ProtectControlGroups": "yes", "ProtectClock": "yes",
                "RestrictNamespaces": "yes", "RestrictRealtime": "yes", "RestrictSUIDSGID": "yes", "LockPersonality": "yes",
                "MemoryDenyWriteExecute": "yes", "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
                "SystemCallArchitectures": "native", "CapabilityBoundingSet": "", "AmbientCapabilities": ""}.items():
            self.assertEqual(settings.get(key), value, key)
        for key in ("WatchdogSec", "MemoryMax", "SystemCallFilter", "TimeoutStopSec"):
            self.assertIn(key, settings)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_systemd_finds_little_exposed(self):
        out = run("systemd-analyze", "security", "--offline=true", "--no-pager", UNIT)
        exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", out).group(1))
        print(f"systemd-analyze security: {exposure} of 10")
        self.assertLess(exposure, 2.0)


class Service:
    """The daemon with systemd's end of its socket."""

    def __init__(self, command, folder, **more):
        self.path = os.path.join(folder, "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o777)
        self.socket.settimeout(30)
        self.heard = []
        self.log = open(os.path.join(folder, "service.log"), "w+b")
        environment = {"NOTIFY_SOCKET": self.path, "WATCHDOG_USEC": "400000", "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=self.log, **more)

    def wait_heard(self, message, after=0):
        """The number of what was heard with it."""
        while message not in self.heard[after:]:
            try:
                self.heard.append(self.socket.recv(4096).decode())
            except TimeoutError:
                raise AssertionError(f"no {message}: {self.heard}\n{self.said()}") from None
        return len(self.heard)

    def said(self):
        self.log.flush()
        with open(self.log.name, encoding="utf-8") as file:
            return file.read()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.socket.close()
        self.log.close()


class Notifications(unittest.TestCase):
    def test_a_life(self):
        with tempfile.TemporaryDirectory(prefix="ectoscope-notify-") as folder:
            config = os.path.join(folder, "config.yaml")
            with open(config, "w", encoding="utf-8") as file:
                json.dump({"servers": [{"name": "main", "logs": [f"{folder}/*.log"]}], "state": {"directory": folder},
                           "web": {"listen_address": "127.0.0.1:0"}}, file)
            service = Service([BINARY, "serve", f"--config.file={config}"], folder)
            self.addCleanup(service.close)
            service.wait_heard("READY=1")
            service.wait_heard("WATCHDOG=1")
            self.assertTrue(any(line.startswith("STATUS=findings: 0") for line in service.heard), service.heard)
            before = len(service.heard)
            service.process.send_signal(1)  # SIGHUP
            at = service.wait_heard("RELOADING=1", before)
            service.wait_heard("READY=1", at)
            service.wait_heard("WATCHDOG=1", at)
            service.process.terminate()
            service.wait_heard("STOPPING=1")
            self.assertEqual(service.process.wait(30), 0)


@unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "there is no dpkg-dev")
class Package(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-package-")
        os.chmod(cls.folder, 0o755)
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        run("cpack", "-G", "DEB", "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", os.path.join(cls.folder, "cpack"))
        (cls.deb,) = [os.path.join(cls.folder, "cpack", name) for name in os.listdir(os.path.join(cls.folder, "cpack"))
                      if name.endswith(".deb")]

    def control(self, name):
        return run("dpkg-deb", "--info", self.deb, name)

    def test_control(self):
        fields = dict(re.findall(r"^([A-Z][\w-]*): (.*)", self.control("control"), re.M))
        self.assertEqual(fields["Package"], "ectoscope")
        self.assertEqual(fields["Version"], run(BINARY, "version").split()[1])
        for library in ("libc6", "libpq5", r"libpqxx-6\.4", "libsqlite3-0", "libssl3", "passwd"):
            self.assertRegex(fields["Depends"], rf"\b{library}\b")
        self.assertEqual(self.control("conffiles").split(), ["/etc/ectoscope/ectoscope.yaml"])
        for script in ("postinst", "prerm", "postrm"):
            run("sh", "-n", "-c", self.control(script))

    def test_contents(self):
        listing = run("dpkg-deb", "--contents", self.deb)
        files = {line.split()[5][1:]: line.split()[0] for line in listing.splitlines() if not line.startswith("d")}
        for path in ("/usr/bin/ectoscope", "/lib/systemd/system/ectoscope.service", "/etc/ectoscope/ectoscope.yaml",
                     "/usr/share/man/man1/ectoscope.1.gz", "/usr/share/bash-completion/completions/ectoscope",
                     "/usr/share/doc/ectoscope/examples/ecto/ectoscope_comments.ex",
                     "/usr/share/doc/ectoscope/examples/ci/README.md"):
            self.assertIn(path, files)
        self.assertTrue(any(path.startswith("/usr/share/ectoscope/recordings/") for path in files), files)
        self.assertFalse([path for path, mode in files.items() if mode[8] == "w" or "s" in mode])
        self.assertFalse([path for path in files if not path.startswith(("/usr/", "/etc/ectoscope/", "/lib/systemd/"))])
        self.assertTrue(all(" root/root " in line for line in listing.splitlines()), listing)

    @unittest.skipUnless(os.geteuid() == 0, "only root installs packages")
    def test_installed_run_and_purged(self):
        root = os.path.join(self.folder, "root")
        for folder in ("etc", "var/lib/dpkg/info", "var/lib/dpkg/updates"):
            os.makedirs(os.path.join(root, folder))
        for name, text in {"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/shadow": "", "etc/gshadow": "",
                           "etc/group": f"root:x:0:\nadm:x:{grp.getgrnam('adm').gr_gid}:\n", "var/lib/dpkg/status": ""}.items():
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        dpkg = ["dpkg", f"--root={root}", "--force-script-chrootless", "--force-depends", "--log=/dev/null"]
        run(*dpkg, "--install", self.deb)
        user = self.entry(root, "passwd")
        uid, gid = int(user[2]), int(user[3])
        self.assertEqual(user[6], "/usr/sbin/nologin")
        self.assertIn("ectoscope", self.entry(root, "group", "adm")[3].split(","))
        state = os.stat(os.path.join(root, "var/lib/ectoscope"))
        self.assertEqual((state.st_uid, stat.S_IMODE(state.st_mode)), (uid, 0o750))
        config = os.path.join(root, "etc/ectoscope/ectoscope.yaml")
        facts = os.stat(config)
        self.assertEqual((facts.st_uid, facts.st_gid, stat.S_IMODE(facts.st_mode)), (0, gid, 0o640))
        run(os.path.join(root, "usr/bin/ectoscope"), "check", "config", config)
        self.serve(root, uid, gid)
        run(*dpkg, "--install", self.deb)  # an upgrade
        run(*dpkg, "--purge", "ectoscope")
        left = [os.path.join(folder, name) for folder, folders, files in os.walk(root) for name in folders + files
                if "ectoscope" in name and "/var/lib/dpkg/" not in folder + "/"]
        self.assertEqual(left, [])
        for name in ("passwd", "group", "shadow"):
            with open(os.path.join(root, "etc", name), encoding="utf-8") as file:
                self.assertNotIn("ectoscope", file.read())

    def serve(self, root, uid, gid):
        """By the unit's command line, as the unit's user; with the paths of the test's root."""
        log = os.path.join(root, "var/log/postgresql")
        os.makedirs(log)
        shutil.copy(os.path.join(SOURCE, "tests/data/parsers/mixed.log"), os.path.join(log, "postgresql-15-main.log"))
        os.chmod(os.path.join(log, "postgresql-15-main.log"), 0o640)
        adm = grp.getgrnam("adm").gr_gid
        os.chown(os.path.join(log, "postgresql-15-main.log"), 0, adm)
        config = os.path.join(root, "etc/ectoscope/ectoscope.yaml")
        with open(config, encoding="utf-8") as file:
            text = file.read()
        with open(config, "w", encoding="utf-8") as file:
            file.write(text.replace(" /var/", f" {root}/var/").replace("127.0.0.1:9788", "127.0.0.1:0"))
        command = shlex.split(unit_settings()["ExecStart"].replace("/usr/bin/", f"{root}/usr/bin/").replace("/etc/", f"{root}/etc/"))
        folder = tempfile.mkdtemp(dir=self.folder)
        os.chmod(folder, 0o755)
        service = Service(command, folder, user=uid, group=gid, extra_groups=[adm], umask=int(unit_settings()["UMask"], 8))
        self.addCleanup(service.close)
        service.wait_heard("READY=1")
        url = re.search(r'url="?(http[^" \n]+)', service.said()).group(1).rstrip("/")
        wait_for(lambda: urllib.request.urlopen(f"{url}/-/ready", timeout=30).status == 200, "ready", 30)
        with urllib.request.urlopen(f"{url}/api/v1/sources", timeout=30) as answer:
            (source,) = json.load(answer)["sources"]
        self.assertTrue(source["up"], source)
        service.process.terminate()
        self.assertEqual(service.process.wait(30), 0)
        self.assertIn("ectoscope.db", os.listdir(os.path.join(root, "var/lib/ectoscope")))
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)

    @staticmethod
    def entry(root, file, name="ectoscope"):
        with open(os.path.join(root, "etc", file), encoding="utf-8") as lines:
            return next(line.rstrip("\n").split(":") for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    unittest.main()
