#!/usr/bin/env python3
"""Who reaches the daemon's HTTP side, and who is refused or cut off.

    http_security_test.py BINARY
"""

import base64
import crypt
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest

BINARY = os.path.abspath(sys.argv.pop(1))
PATIENCE = 30  # seconds; a busy machine is slow
HASH = crypt.crypt("right", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))
OTHER_HASH = crypt.crypt("other", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16))


def wait_for(what, condition):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"not within {PATIENCE} s: {what}")


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


class Certificates:
    """An authority and what it signed, made by openssl's command line."""

    def __init__(self, folder):
        self.folder = folder
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-subj",
                     "/CN=test authority", "-days", "2")
        self.serial = 1

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, name, san, *when):
        self.serial += 1
        with open(self.path("extensions"), "w", encoding="utf-8") as file:
            file.write(f"subjectAltName={san}\n")
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", name + ".key", "-out", name + ".csr", "-subj",
                     "/CN=" + name)
        self.openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-out", name + ".pem",
                     "-extfile", "extensions", "-set_serial", str(self.serial), *(when or ("-days", "2")))

    def expired(self, name, san):
        self.make(name, san)
        os.makedirs(self.path("db"), exist_ok=True)
        for file, text in (("index.txt", ""), ("serial", "1000\n"),
                           ("ca.cnf", "[ca]\ndefault_ca=d\n[d]\ndatabase=db/index.txt\nserial=db/serial\nnew_certs_dir=db\n"
                                      "default_md=sha256\npolicy=p\nunique_subject=no\n[p]\ncommonName=supplied\n")):
            with open(self.path("db/" + file), "w", encoding="utf-8") as out:
                out.write(text)
        self.openssl("ca", "-batch", "-config", "db/ca.cnf", "-cert", "ca.pem", "-keyfile", "ca.key", "-in",
                     name + ".csr", "-out", name + ".pem", "-notext", "-extfile", "extensions", "-startdate",
                     "20200101000000Z", "-enddate", "20200102000000Z")


class Daemon:
    def __init__(self, folder, web_config):
        self.web_config = os.path.join(folder, "web.yml")
        self.write(web_config)
        config = os.path.join(folder, "ectoscope.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"servers: [{{name: a, logs: ['{folder}/*.log']}}]\nstate: {{directory: '{folder}/state'}}\n")
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [BINARY, "serve", f"--config.file={config}", "--web.listen-address=127.0.0.1:0", "--web.enable-lifecycle",
             f"--web.config.file={self.web_config}"], stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output)
        url = wait_for("the address", self._url)
        self.scheme, self.port = url[0], int(url[1])

    def write(self, text):
        with open(self.web_config + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(self.web_config + ".new", self.web_config)

    def said(self):
        self.output.seek(0)
        return self.output.read().decode()

    def _url(self):
        if self.process.poll() is not None:
            raise AssertionError(self.said())
        found = re.search(r"(https?)://127\.0\.0\.1:(\d+)/", self.said())
        return found and found.groups()

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=PATIENCE)
        self.output.close()
        return status


def answer_of(stream, path="/metrics", method="GET", body="", **headers):
    """Status and text of one request over an open stream."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    stream.sendall(("\r\n".join(lines) + "\r\n\r\n" + body).encode())
    received = b""
    while True:
        try:
            part = stream.recv(65536)
        except OSError:
            break
        if not part:
            break
        received += part
    stream.close()
    text = received.decode(errors="replace")
    return (int(text.split(" ")[1]) if text.startswith("HTTP/1.") else 0), text


class SecurityTest(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="ectoscope-security-")
        self.addCleanup(holder.cleanup)
        self.folder = holder.name
        self.daemon = None

    def start(self, web_config):
        self.daemon = Daemon(self.folder, web_config)
        self.addCleanup(lambda: self.assertEqual(self.daemon.stop(), 0))

    def ask(self, path="/metrics", method="GET", body="", **headers):
        return answer_of(self.daemon.socket(), path, method, body, **headers)


class Passwords(SecurityTest):
    def setUp(self):
        super().setUp()
        self.start(f"basic_auth_users: {{ada: {HASH}}}\n")

    def test_every_path_asks(self):
        for path in ("/", "/metrics", "/-/healthy", "/-/ready", "/api/v1/findings", "/static/app.js", "/nothing"):
            status, text = self.ask(path)
            self.assertEqual(status, 401, path)
            self.assertIn('WWW-Authenticate: Basic realm="ectoscope"', text)
            self.assertIn("frame-ancestors 'none'", text)
        self.assertEqual(self.ask(**basic("ada", "wrong"))[0], 401)
        self.assertEqual(self.ask(**basic("eve", "right"))[0], 401)
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 200)
        self.assertEqual(self.ask("/-/reload", "POST")[0], 401)
        self.assertEqual(self.ask("/-/reload", "POST", Origin="http://evil.example", **basic("ada", "right"))[0], 403)
        self.assertEqual(self.ask("/-/reload", "POST", **basic("ada", "right"))[0], 200)

    def test_guessing_ends_and_who_is_known_goes_on(self):
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 200)
        statuses = [self.ask(**basic("ada", f"guess {i}"))[0] for i in range(20)]
        self.assertEqual(set(statuses), {401, 429})
        self.assertGreaterEqual(statuses.count(401), 10)
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 200)
        text = self.ask(**basic("ada", "right"))[1]
        self.assertIn('ectoscope_http_clients_cut_total{reason="wrong_password"} ', text)
        self.assertIn('ectoscope_http_clients_cut_total{reason="too_many_passwords"} ', text)

    def test_guesses_hold_nobody_up(self):
        dear = crypt.crypt("x", crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=1 << 12))
        self.daemon.write(f"basic_auth_users: {{ada: {HASH}, eve: {dear}}}\n")
        wait_for("the file", lambda: "the web configuration was read again" in self.daemon.said())
        self.assertEqual(self.ask(**basic("eve", "x"))[0], 200)
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 200)
        guesses = []
        for number in range(8):
            guesses.append(self.daemon.socket())
            secret = basic("eve", f"guess {number}")["Authorization"]
            guesses[-1].sendall(f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: {secret}\r\n\r\n".encode())
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 200)
        answered, _, _ = select.select(guesses, [], [], 0)
        self.assertLess(len(answered), len(guesses), "who is known did not wait for the guesses")
        for stream in guesses:
            stream.close()

    def test_a_changed_file_counts_at_once_and_a_bad_one_does_not(self):
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 200)
        self.daemon.write("basic_auth_users: {ada: not a hash}\nother: 1\n")
        wait_for("the complaint", lambda: "2 problems; the running configuration stays" in self.daemon.said())
        self.assertIn("web.yml:1:25: basic_auth_users.ada", self.daemon.said())
        self.assertNotIn("not a hash", self.daemon.said())
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 200)
        self.assertEqual(self.ask()[0], 401)
        self.assertIn("web.yml:2:1", self.ask("/", **basic("ada", "right"))[1])
        self.daemon.write(f"basic_auth_users: {{ada: {OTHER_HASH}}}\n"
                          "http_server_config: {headers: {X-Frame-Options: sameorigin}}\n")
        wait_for("the new password", lambda: self.ask(**basic("ada", "other"))[0] == 200)
        self.assertEqual(self.ask(**basic("ada", "right"))[0], 401)
        text = self.ask("/", **basic("ada", "other"))[1]
        self.assertIn("X-Frame-Options: sameorigin\r\n", text)
        self.assertNotIn("X-Frame-Options: DENY", text)
        self.assertNotIn("web.yml:", text)


class Tls(SecurityTest):
    @classmethod
    def setUpClass(cls):
        cls.holder = tempfile.TemporaryDirectory(prefix="ectoscope-tls-")
        cls.certificates = Certificates(cls.holder.name)
        cls.certificates.make("server", "DNS:localhost")
        cls.certificates.make("client", "DNS:prometheus.example")
        cls.certificates.make("stranger", "DNS:other.example")
        cls.certificates.expired("late", "DNS:localhost,DNS:prometheus.example")

    @classmethod
    def tearDownClass(cls):
        cls.holder.cleanup()

    def config(self, server="server", more=""):
        path = self.certificates.path
        return (f"tls_server_config:\n  cert_file: {path(server + '.pem')}\n  key_file: {path(server + '.key')}\n" + more)

    def connect(self, client=None, verify=True, highest=None, **how):
        """A TLS stream; its handshake may fail only when it is read, as TLS 1.3 has it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(self.certificates.path("ca.pem"))
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if highest:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = highest
        if client:
            context.load_cert_chain(self.certificates.path(client + ".pem"), self.certificates.path(client + ".key"))
        return context.wrap_socket(self.daemon.socket(), server_hostname="localhost", **how)

    def status(self, path="/metrics", headers=None, **how):
        try:
            return answer_of(self.connect(**how), path, **(headers or {}))[0]
        except OSError:  # SSLError too
            return 0

    def test_versions_and_plain_http(self):
        self.start(self.config())
        self.assertEqual(self.daemon.scheme, "https")
        self.assertEqual(self.status(), 200)
        self.assertEqual(self.status(highest=ssl.TLSVersion.TLSv1_2), 200)
        self.assertEqual(self.status(highest=ssl.TLSVersion.TLSv1_1), 0)
        status, text = answer_of(self.daemon.socket())
        self.assertEqual(status, 400)
        self.assertIn("This port speaks HTTPS", text)

    def test_older_versions_only_where_asked_for(self):
        self.start(self.config(more="  min_version: TLS11\n"))
        self.assertEqual(self.status(highest=ssl.TLSVersion.TLSv1_1), 200)
        self.assertEqual(self.status(), 200)

    def test_suites_and_curves(self):
        self.start(self.config(more="  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384]\n"
                                    "  curve_preferences: [CurveP384]\n"))
        stream = self.connect()
        self.assertEqual((stream.version(), stream.cipher()[0]), ("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"))
        self.assertEqual(answer_of(stream)[0], 200)

    def test_clients_with_certificates(self):
        ca = self.certificates.path("ca.pem")
        self.start(self.config(more="  client_auth_type: RequireAndVerifyClientCert\n"
                                    f"  client_ca_file: {ca}\n  client_allowed_sans: [prometheus.example]\n"))
        self.assertEqual(self.status(client="client"), 200)
        self.assertEqual(self.status(client="client", highest=ssl.TLSVersion.TLSv1_2), 200)
        for how in ({}, {"client": "late"}, {"client": "stranger"}):
            self.assertEqual(self.status(**how), 0, how)
            self.assertEqual(self.status(highest=ssl.TLSVersion.TLSv1_2, **how), 0, how)
        self.assertEqual(self.status(client="client"), 200)

    def test_our_own_expired_certificate_and_its_successor(self):
        self.start(self.config("late"))
        self.assertIn("the certificate expired at 2020-01-02T00:00:00", self.daemon.said())
        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "certificate has expired"):
            self.connect()
        self.assertEqual(self.status(verify=False), 200)
        self.daemon.write(self.config())
        wait_for("the new certificate", lambda: self.status() == 200)

    def test_renewed_files_count_at_once(self):
        self.certificates.make("renewed", "DNS:localhost")
        self.start(self.config("renewed"))
        before = self.connect().getpeercert()["serialNumber"]
        self.certificates.make("renewed", "DNS:localhost")
        wait_for("the renewed certificate", lambda: self.connect().getpeercert()["serialNumber"] != before)
        self.daemon.write("basic_auth_users: {}\n")
        wait_for("the complaint", lambda: "TLS is turned on or off at a start only" in self.daemon.said())
        self.assertEqual(self.status(), 200)

    def test_many_idle_and_a_flood_of_headers(self):
        self.start(self.config(more=f"basic_auth_users: {{ada: {HASH}}}\n"))
        known = basic("ada", "right")
        self.assertEqual(self.status(headers=known), 200)
        idle = []
        for number in range(500):
            idle.append(self.daemon.socket())
            if number % 2:
                idle[-1].sendall(b"\x16\x03\x01")  # begins to greet, and stops
        for _ in range(5):
            began = time.monotonic()
            self.assertEqual(self.status(headers=known), 200)
            took = time.monotonic() - began
            if took < 1:
                break
        self.assertLess(took, 1, "the best of five")
        flood = self.connect()
        try:
            flood.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: " + b"a" * (1 << 20))
        except OSError:
            pass  # cut before it has said all
        self.assertEqual(self.status(headers=known), 200)
        self.assertEqual(flood.recv(12), b"HTTP/1.1 431")
        flood.close()
        for stream in idle:
            stream.close()


class CheckWebConfig(SecurityTest):
    def check(self, text):
        path = os.path.join(self.folder, "web.yml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        done = subprocess.run([BINARY, "check", "web-config", path], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_says_all_or_nothing(self):
        self.assertEqual(self.check(f"basic_auth_users: {{ada: {HASH}}}\n"),
                         (0, f"{self.folder}/web.yml: no problems; no TLS, 1 user\n"))
        status, said = self.check("tls_server_config:\n  cert_file: none.pem\n  min_version: TLS1\n")
        self.assertEqual(status, 2)
        self.assertIn(f"web.yml:2:3: tls_server_config.cert_file: {self.folder}/none.pem: No such file", said)
        self.assertIn("web.yml:1:1: tls_server_config.key_file: our own certificate's key is missing", said)
        self.assertIn("web.yml:3:16: tls_server_config.min_version: 'TLS1' is not one of", said)

    def test_serve_does_not_start_with_a_bad_one(self):
        config = os.path.join(self.folder, "a.yaml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f"servers: [{{name: a, logs: ['{self.folder}/*.log']}}]\nstate: {{directory: '{self.folder}/s'}}\n")
        self.check("users: {}\n")
        done = subprocess.run([BINARY, "serve", f"--config.file={config}", "--web.listen-address=127.0.0.1:0",
                               f"--web.config.file={self.folder}/web.yml"], capture_output=True, text=True, check=False,
                              timeout=PATIENCE)
        self.assertEqual(done.returncode, 2)
        self.assertIn("web.yml:1:1: users: no such setting", done.stderr)


if __name__ == "__main__":
    unittest.main()
