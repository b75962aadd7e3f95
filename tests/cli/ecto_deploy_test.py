#!/usr/bin/env python3
"""deploy/ecto: compiles with Debian's elixir, returns the options that avoid the stale trap, and what it writes is read.

    ecto_deploy_test.py BINARY

Needs elixir; says so and skips when there is none.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import ecto_log

BINARY = os.path.abspath(sys.argv.pop(1))
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
SOURCE = os.path.join(ROOT, "deploy", "ecto", "ectoscope_comments.ex")
TRACE = "00-aebca918efde141641f87fb6feeae145-c4a97228537884cf-01"

SCRIPT = r'''
defmodule Shop.Repo do
  # As Ecto.Repo brings them: overridable.
  def default_options(_operation), do: []
  def prepare_query(_operation, query, opts), do: {query, opts}
  defoverridable default_options: 1, prepare_query: 3
  use Ectoscope.Comments
end

defmodule Shop.SampledRepo do
  use Ectoscope.Comments, sample: 0.25
end

defmodule Shop.NeverRepo do
  use Ectoscope.Comments, sample: 0.0
end

defmodule Shop.PlacedRepo do
  use Ectoscope.Comments, place: :shop
  def all, do: default_options(:all)
end

defmodule Shop.Users do
  def list do
    options = Shop.PlacedRepo.all()
    {:listed, options}
  end
end

:ok = :application.load({:application, :shop, [modules: [Shop.PlacedRepo, Shop.Users], vsn: '1']})
show = fn name, value -> IO.puts("#{name}\t#{inspect(value, limit: :infinity, printable_limit: :infinity)}") end
trace = "TRACE"
repo = Shop.Repo

show.("nothing known", repo.default_options(:all))
show.("nothing known, prepared", repo.prepare_query(:all, :query, [timeout: 1]))
Ectoscope.Comments.put(traceparent: trace, controller: ShopWeb.UserController, action: :index, request_id: "F1'*/--")
options = repo.default_options(:all)
show.("known", Enum.sort(options))
show.("transaction", repo.default_options(:transaction))
show.("twice", repo.prepare_query(:all, :query, options) == {:query, options})
show.("reads only", elem(repo.prepare_query(:all, :query, []), 1) |> Enum.sort() == Enum.sort(options))
show.("asked for named", repo.prepare_query(:all, :query, options ++ [] |> Keyword.put(:prepare, :named)))
show.("own comment", Enum.sort(elem(repo.prepare_query(:all, :query, comment: "mine"), 1)))
show.("no comment", repo.prepare_query(:all, :query, comment: nil))
task = Task.async(fn -> Enum.sort(repo.default_options(:insert)) end)
show.("in a task", Task.await(task) == Enum.sort(options))
nested = Task.async(fn -> Task.await(Task.async(fn -> repo.default_options(:insert) end)) end)
show.("in a task's task", Enum.sort(Task.await(nested)) == Enum.sort(options))
show.("in another process", (me = self(); spawn(fn -> send(me, repo.default_options(:all)) end); receive do it -> it end))
{:listed, placed} = Shop.Users.list()
show.("placed", placed[:comment])
show.("never", Shop.NeverRepo.default_options(:all))

sampled = for i <- 1..2000 do
  id = i |> Integer.to_string(16) |> String.downcase() |> String.pad_leading(32, "0")
  Ectoscope.Comments.put(traceparent: "00-#{id}-00000000000000ab-01")
  [one, two] = [Shop.SampledRepo.default_options(:all), Shop.SampledRepo.default_options(:insert)]
  true = Enum.sort(one) == Enum.sort(two)
  true = one == [] or one[:prepare] == :unnamed
  if one == [], do: 0, else: 1
end
show.("sampled", Enum.sum(sampled))
Ectoscope.Comments.put(job: "Shop.Mailer")
decided = for _ <- 1..50, uniq: true, do: Shop.SampledRepo.default_options(:all) == []
show.("sampled without an id, once", length(decided))
Ectoscope.Comments.put(traceparent: "00-zz-01", route: "/users/:id")
show.("bad traceparent", repo.default_options(:all)[:comment])
Ectoscope.Comments.clear()
Logger.metadata(request_id: "F2")
show.("request id of Logger", repo.default_options(:all)[:comment])
Logger.reset_metadata()
conn = %{private: %{phoenix_controller: ShopWeb.PostController, phoenix_action: :show}, req_headers: [{"traceparent", trace}]}
^conn = Ectoscope.Comments.call(conn, Ectoscope.Comments.init([]))
show.("plug", repo.default_options(:all)[:comment])
show.("application_name", Ectoscope.Comments.with_application_name([pool_size: 3], "Müller's shop"))
show.("application_name given", Ectoscope.Comments.with_application_name([parameters: [application_name: "x"]], "y"))

defmodule :otel_tracer do
  def current_span_ctx, do: {:span, 0xABC, 0xDEF}
end

defmodule :otel_span do
  def trace_id({:span, trace, _span}), do: trace
  def span_id({:span, _trace, span}), do: span
end

Ectoscope.Comments.clear()
show.("otel", repo.default_options(:all)[:comment])

n = 20_000
Ectoscope.Comments.put(traceparent: trace, controller: ShopWeb.UserController, action: :index)
{micros, _} = :timer.tc(fn -> for _ <- 1..n, do: repo.default_options(:all) end)
show.("micros", micros / n)
'''.replace("TRACE", TRACE)


@unittest.skipUnless(shutil.which("elixir"), "there is no elixir (package elixir)")
class EctoDeploy(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="ectoscope-ecto-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.environment = {"PATH": os.environ["PATH"], "HOME": cls.folder, "LANG": "C.UTF-8"}
        cls.compiled = subprocess.run(["elixirc", "--warnings-as-errors", "-o", cls.folder, SOURCE],
                                      capture_output=True, env=cls.environment, timeout=300, check=False)
        script = os.path.join(cls.folder, "users.exs")
        with open(script, "w") as file:
            file.write(SCRIPT)
        cls.ran = subprocess.run(["elixir", "-pa", cls.folder, script], capture_output=True, cwd=cls.folder,
                                 env=cls.environment, timeout=300, check=False)
        cls.shown = dict(line.split("\t", 1) for line in cls.ran.stdout.decode().splitlines() if "\t" in line)

    def test_compiles_without_a_warning_and_without_ecto(self):
        self.assertEqual(self.compiled.returncode, 0, self.compiled.stderr.decode())
        self.assertEqual(self.compiled.stderr, b"")
        self.assertEqual(self.ran.returncode, 0, self.ran.stderr.decode())

    COMMENT = ("action='index',controller='ShopWeb.UserController',request_id='F1%27%2A%2F--',"
               f"traceparent='{TRACE}'")

    def test_comment_only_with_unnamed(self):
        expected = {
            "nothing known": "[]",
            "nothing known, prepared": "{:query, [timeout: 1]}",
            "known": f'[comment: "{self.COMMENT}", prepare: :unnamed]',
            "transaction": "[]",
            "twice": "true",
            "reads only": "true",
            "asked for named": "{:query, [prepare: :named]}",
            "own comment": '[comment: "mine", prepare: :unnamed]',
            "no comment": "{:query, [comment: nil]}",
            "never": "[]",
        }
        for name, value in expected.items():
            self.assertEqual(self.shown.get(name), value, (name, self.ran.stderr.decode()))

    def test_tasks_work_for_the_request_and_strangers_do_not(self):
        for name, value in {"in a task": "true", "in a task's task": "true", "in another process": "[]"}.items():
            self.assertEqual(self.shown[name], value, name)

    def test_sampling_is_by_request(self):
        self.assertAlmostEqual(int(self.shown["sampled"]) / 2000, 0.25, delta=0.04)
        self.assertEqual(self.shown["sampled without an id, once"], "1")

    def test_sources(self):
        self.assertEqual(self.shown["bad traceparent"], '"route=\'%2Fusers%2F%3Aid\'"')
        self.assertEqual(self.shown["request id of Logger"], '"request_id=\'F2\'"')
        self.assertEqual(self.shown["plug"],
                         f'"action=\'show\',controller=\'ShopWeb.PostController\',traceparent=\'{TRACE}\'"')
        self.assertEqual(self.shown["otel"], f'"traceparent=\'00-{"abc":0>32}-{"def":0>16}-01\'"')

    def test_application_name(self):
        self.assertEqual(self.shown["application_name"], '[parameters: [application_name: "M?ller\'s shop"], pool_size: 3]')
        self.assertEqual(self.shown["application_name given"], '[parameters: [application_name: "x"]]')

    def test_is_cheap(self):
        self.assertLess(float(self.shown["micros"]), 1000, "µs a statement")

    def test_ectoscope_reads_what_it_writes(self):
        comment = json.loads(self.shown["placed"])
        line = SCRIPT.split("options = Shop.PlacedRepo.all()")[0].count("\n") + 1
        self.assertRegex(comment, rf"file='[^']*users.exs',line='{line}'")
        records = ecto_log.n_plus_one(requests=1, tagged=False)
        for record in records:
            record["message"] += f"/*{comment}*/"
        log = os.path.join(self.folder, "a.log")
        with open(log, "wb") as file:
            file.write(ecto_log.stderr(records))
        done = subprocess.run([BINARY, "analyze", "--output=json", log], capture_output=True, cwd=self.folder, check=True)
        finding, = json.loads(done.stdout)["findings"]
        self.assertEqual(finding["examples"][0]["trace_id"], TRACE.split("-")[1])
        self.assertEqual(finding["routes"][0]["route"], "ShopWeb.UserController.index")
        self.assertTrue(re.search(rf"users\.exs:{line}$", finding["places"][0]["place"]), finding["places"])


if __name__ == "__main__":
    unittest.main(verbosity=1)
