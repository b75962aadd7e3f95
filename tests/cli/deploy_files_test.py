#!/usr/bin/env python3
"""What deploy/container and deploy/kubernetes say: well formed, about files, options and ports that exist.

    deploy_files_test.py BINARY
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

BINARY = os.path.abspath(sys.argv.pop(1))
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONTAINER = os.path.join(SOURCE, "deploy/container")
KUBERNETES = os.path.join(SOURCE, "deploy/kubernetes")
RULES = os.path.join(SOURCE, "deploy/prometheus/ectoscope.rules.yml")
PORT = 9788


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def documents(name):
    return list(yaml.safe_load_all(read(KUBERNETES, name)))


def check_config(text):
    """What is wrong with it; empty when nothing is."""
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([BINARY, "check", "config", file.name], capture_output=True, text=True, check=False,
                              env={**os.environ, "POSTGRES_PASSWORD": "secret"})
    return "" if done.returncode == 0 else done.stdout + done.stderr


class CommandLines(unittest.TestCase):
    """Shared by what names one."""

    def assert_understood(self, arguments):
        text = subprocess.run([BINARY, arguments[0], "--help"], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r"^  (?:-h,)?(--[a-z][a-z.-]*)", text, re.M))
        self.assertTrue(options, arguments)
        for argument in arguments[1:]:
            self.assertIn(argument.split("=")[0], options)


class Container(CommandLines):
    def test_the_image(self):
        text = re.sub(r"\\\n", " ", read(CONTAINER, "Dockerfile"))
        stages = re.findall(r"^FROM (\S+)", text, re.M)
        self.assertEqual(stages, ["debian:12", "debian:12-slim"])
        # The packages are tools/packages.txt's by being read from it.
        (awk,) = re.findall(r"awk '(.*?)' tools/packages.txt", text)
        packages = subprocess.run(["awk", awk, os.path.join(SOURCE, "tools/packages.txt")], capture_output=True, text=True,
                                  check=True).stdout.split()
        listed = [line.split() for line in read(SOURCE, "tools/packages.txt").splitlines() if not line.startswith("#")]
        self.assertEqual(packages, [name for need, name in listed if need == "build"])
        self.assertLess(text.index("xargs apt-get install"), text.index("COPY . ."))
        self.assertIn("USER ectoscope", text)
        (command,) = re.findall(r'^CMD (\[.*\])$', text, re.M)
        (entry,) = re.findall(r'^ENTRYPOINT (\[.*\])$', text, re.M)
        self.assertEqual(yaml.safe_load(entry), ["/usr/bin/ectoscope"])
        self.assert_understood(yaml.safe_load(command))
        self.assertIn(f"EXPOSE {PORT}", text)

    def test_compose(self):
        compose = yaml.safe_load(read(CONTAINER, "compose.yaml"))
        self.assertEqual(set(compose["services"]), {"postgres", "ectoscope", "prometheus", "alertmanager"})
        for name, service in compose["services"].items():
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("../prometheus"):
                    continue  # the rules: Docker makes an empty folder where there are none
                if source.startswith("."):
                    self.assertTrue(os.path.exists(os.path.join(CONTAINER, source)), source)
                else:
                    self.assertIn(source, compose["volumes"], name)
            for port in service["ports"]:
                self.assertTrue(port.startswith("127.0.0.1:"), port)
            for other in service.get("depends_on", []):
                self.assertIn(other, compose["services"])
        build = compose["services"]["ectoscope"]["build"]
        self.assertTrue(os.path.exists(os.path.join(CONTAINER, build["context"], build["dockerfile"])))
        for config in compose["configs"].values():
            self.assertIn("include = '/etc/postgresql/ectoscope.conf'", config["content"])

    def test_what_they_mount(self):
        self.assertEqual(check_config(read(CONTAINER, "ectoscope.yaml")), "")
        prometheus = yaml.safe_load(read(CONTAINER, "prometheus.yml"))
        self.assertEqual(prometheus["scrape_configs"][0]["static_configs"][0]["targets"], [f"ectoscope:{PORT}"])
        self.assertEqual(yaml.safe_load(read(CONTAINER, "alertmanager.yml"))["route"]["receiver"], "nobody")
        for tool, arguments in (("promtool", ["check", "config", os.path.join(CONTAINER, "prometheus.yml")]),
                                ("amtool", ["check-config", os.path.join(CONTAINER, "alertmanager.yml")])):
            if shutil.which(tool):
                done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Kubernetes(CommandLines):
    def pods(self):
        for name in ("sidecar.yaml", "cloudnativepg.yaml"):
            for document in documents(name):
                if document["kind"] in ("StatefulSet", "DaemonSet"):
                    yield name, document, document["spec"]["template"]

    def test_kinds(self):
        for name, kinds in {"sidecar.yaml": ["ConfigMap", "Service", "StatefulSet"],
                            "cloudnativepg.yaml": ["Cluster", "ConfigMap", "Service", "DaemonSet"],
                            "servicemonitor.yaml": ["ServiceMonitor"], "networkpolicy.yaml": ["NetworkPolicy"]}.items():
            self.assertEqual([document["kind"] for document in documents(name)], kinds)
            for document in documents(name):
                self.assertLessEqual({"apiVersion", "kind", "metadata"}, set(document))

    def test_configurations(self):
        for name in ("sidecar.yaml", "cloudnativepg.yaml"):
            for document in documents(name):
                if document["kind"] != "ConfigMap":
                    continue
                text = document["data"]["ectoscope.yaml"]
                self.assertEqual(check_config(text), "", name)
                config = yaml.safe_load(text)
                self.assertEqual(config["web"]["listen_address"], f"0.0.0.0:{PORT}")
                self.logs_are_mounted(name, [log for server in config["servers"] for log in server["logs"]], config["state"]["directory"])

    def logs_are_mounted(self, name, logs, state):
        (template,) = [pod for file, _, pod in self.pods() if file == name]
        (container,) = [c for c in template["spec"]["containers"] if c["name"] == "ectoscope"]
        mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}
        for log in logs:
            (mount,) = [mount for path, mount in mounts.items() if log.startswith(path + "/")]
            self.assertTrue(mount["readOnly"], log)
        self.assertNotIn("readOnly", mounts[state])

    def test_pods(self):
        for name, document, template in self.pods():
            with self.subTest(file=name):
                labels = template["metadata"]["labels"]
                self.assertLessEqual(set(document["spec"]["selector"]["matchLabels"].items()), set(labels.items()))
                (container,) = [c for c in template["spec"]["containers"] if c["name"] == "ectoscope"]
                self.assert_understood(container["args"])
                self.assertEqual(container["ports"], [{"name": "http", "containerPort": PORT}])
                self.assertEqual(container["livenessProbe"]["httpGet"], {"path": "/-/healthy", "port": "http"})
                self.assertEqual(container["readinessProbe"]["httpGet"], {"path": "/-/ready", "port": "http"})
                security = container["securityContext"]
                self.assertTrue(security["readOnlyRootFilesystem"] and security["runAsUser"] > 0)
                self.assertFalse(security["allowPrivilegeEscalation"])
                volumes = {volume["name"] for volume in template["spec"]["volumes"]}
                volumes |= {claim["metadata"]["name"] for claim in document["spec"].get("volumeClaimTemplates", [])}
                for each in template["spec"]["containers"]:
                    self.assertLessEqual({mount["name"] for mount in each["volumeMounts"]}, volumes)
                self.assertGreaterEqual(template["spec"]["terminationGracePeriodSeconds"], 30)

    def test_who_finds_whom(self):
        (monitor,) = documents("servicemonitor.yaml")
        (policy,) = documents("networkpolicy.yaml")
        for name, _, template in self.pods():
            (service,) = [document for document in documents(name) if document["kind"] == "Service"]
            self.assertLessEqual(set(service["spec"]["selector"].items()), set(template["metadata"]["labels"].items()))
            self.assertLessEqual(set(monitor["spec"]["selector"]["matchLabels"].items()), set(service["metadata"]["labels"].items()))
            self.assertEqual(monitor["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"])
            selected = policy["spec"]["podSelector"]["matchLabels"]
            self.assertLessEqual(set(selected.items()), set(template["metadata"]["labels"].items()))
        self.assertEqual(monitor["spec"]["endpoints"][0]["path"], "/metrics")
        self.assertEqual(policy["spec"]["ingress"][0]["ports"], [{"protocol": "TCP", "port": PORT}])

    @unittest.skipUnless(os.path.exists(RULES), "there are no rules")
    def test_rules(self):
        done = subprocess.run([os.path.join(KUBERNETES, "prometheus-rule")], capture_output=True, text=True, check=True)
        rule = yaml.safe_load(done.stdout)
        self.assertEqual((rule["kind"], rule["metadata"]["name"]), ("PrometheusRule", "ectoscope"))
        self.assertEqual(rule["spec"], yaml.safe_load(read(RULES)))


if __name__ == "__main__":
    unittest.main()
