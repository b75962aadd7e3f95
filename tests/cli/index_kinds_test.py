#!/usr/bin/env python3
"""Indexes of every kind that is advised, built on a real PostgreSQL as they are printed: its planner takes them.

    index_kinds_test.py BINARY
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import real_postgres
from real_postgres import RealPostgres

BINARY = os.path.abspath(sys.argv.pop(1))

SCHEMA = """
CREATE TABLE rides (id bigserial PRIMARY KEY, code text, name text, email varchar(255), meta jsonb, tags text[],
                    words tsvector, span tstzrange, sent_at timestamp, done boolean, at timestamp,
                    fleet_id bigint);
CREATE TABLE fleets (id bigserial PRIMARY KEY, name text);
INSERT INTO fleets (name) SELECT 'fleet ' || i FROM generate_series(1, 3000) i;
INSERT INTO rides (code, name, email, meta, tags, words, span, sent_at, done, at, fleet_id)
  SELECT 'C' || i, 'rider ' || i, 'r' || i || '@x.io', jsonb_build_object('device', 'd' || i),
         ARRAY['t' || i, 'all'], to_tsvector('simple', 'word' || i || ' common'),
         tstzrange(timestamptz '2026-01-01' + i * interval '1 hour', timestamptz '2026-01-01' + (i + 1) * interval '1 hour'),
         CASE WHEN i % 9000 > 0 THEN now() END, i % 9000 > 0, timestamp '2026-01-01' + i * interval '1 minute',
         1 + i % 3000
    FROM generate_series(1, 30000) i;
CREATE TABLE pings (id bigserial, vehicle_no bigint, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE pings_2026_01 PARTITION OF pings FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE pings_2026_02 PARTITION OF pings FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO pings (vehicle_no, at) SELECT i, date '2026-01-01' + i % 59 FROM generate_series(1, 18000) i;
ANALYZE;
"""


def ride(condition, tail=""):
    return f'SELECT r0."id" FROM "rides" AS r0 WHERE ({condition}){tail}'


JSON = ['{"device": "d7"}']
# The statement, its values, the kind of the finding, and the statement as the fix has it where that changes.
CASES = {
    "a column": (ride('r0."code" = %s'), ["C7"], "missing_index", None),
    "a column and the order": (ride('r0."code" = %s', ' ORDER BY r0."at" DESC LIMIT 5'), ["C7"], "missing_index", None),
    "the first of many": ('SELECT r0."id" FROM "rides" AS r0 ORDER BY r0."at" DESC LIMIT 5', [], "missing_index", None),
    "nothing but IS NULL": (ride('r0."sent_at" IS NULL'), [], "missing_index", None),
    "nothing but a flag": (ride('NOT r0."done"', ' ORDER BY r0."at" LIMIT 9'), [], "missing_index", None),
    "a function": (ride('lower(r0."email") = %s'), ["r7@x.io"], "unindexable_predicate", None),
    "the middle of a text": (ride('r0."name" ILIKE %s'), ["%der 777%"], "unindexable_predicate", None),
    "two texts": (ride('(r0."name" ILIKE %s) OR (r0."email" ILIKE %s)'), ["%r 777%", "%r777%"],
                  "unindexable_predicate", None),
    "what jsonb contains": (ride('r0."meta" @> %s'), JSON, "missing_index", None),
    "a key of jsonb": (ride('r0."meta"->>\'device\' = %s'), ["d7"], "unindexable_predicate",
                       (ride('r0."meta" @> %s'), JSON)),
    "what an array contains": (ride('r0."tags" @> %s'), ["{t7}"], "missing_index", None),
    "an element": (ride('%s = ANY(r0."tags")'), ["t7"], "unindexable_predicate", (ride('r0."tags" @> %s'), ["{t7}"])),
    "a word": (ride("r0.\"words\" @@ to_tsquery('simple', %s)"), ["word7"], "missing_index", None),
    "a range": (ride('r0."span" && %s'), ["[2026-01-05 00:10+00,2026-01-05 00:20+00)"], "missing_index", None),
    "a join": ('SELECT r0."id" FROM "rides" AS r0 INNER JOIN "fleets" AS f1 ON f1."id" = r0."fleet_id" '
               'WHERE (f1."name" = %s)', ["fleet 7"], "missing_index", None),
    "partitions": ('SELECT p0."id" FROM "pings" AS p0 WHERE (p0."vehicle_no" = %s)', [7], "missing_index", None),
}


class IndexKinds(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        real_postgres.skip_unless_installed()
        cls.server = RealPostgres({"auto_explain.log_min_duration": "0"})
        cls.addClassCleanup(cls.server.close)
        cls.server.__enter__()
        cls.server.sql("CREATE DATABASE shop")
        cls.server.sql(SCHEMA, database="shop")
        with cls.server.connect("shop") as connection:
            for number, (sql, values, _, _) in enumerate(CASES.values()):
                connection.execute(cls.numbered(sql, number), values)
        cls.findings = cls.analyze()

    @classmethod
    def analyze(cls):
        quick = {"min_duration": "0ms"}
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
            json.dump({"detectors": {"missing_index": quick, "unindexable_predicate": quick}}, config)  # JSON is YAML
            config.flush()
            done = subprocess.run([BINARY, "analyze", "--output=json", "--database=shop", "--config.file", config.name,
                                   cls.server.log_path], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)["findings"]

    @staticmethod
    def numbered(sql, number):
        """So that its finding can be told from the others."""
        return sql.replace('."id"', f'."id" AS "case_{number}"', 1)

    def found(self, number, kind):
        found = [f for f in self.findings if f["kind"] == kind and f'"case_{number}"' in f["query"]["text"]]
        self.assertEqual(len(found), 1, [(f["kind"], f["query"]["text"]) for f in self.findings])
        return found[0]

    def plan(self, sql, values):
        with self.server.connect("shop") as connection:
            connection.execute("SET enable_seqscan = off")
            return "\n".join(row[0] for row in connection.execute("EXPLAIN " + sql, values))

    def test_each_is_taken(self):
        for number, (name, (sql, values, kind, changed)) in enumerate(CASES.items()):
            with self.subTest(name):
                fix = self.found(number, kind)["fix"]
                # Each by itself: in a transaction nothing is built concurrently.
                for statement in fix["sql"].split(";\n"):
                    done = self.server.psql("-c", statement, database="shop")
                    self.assertEqual(done.returncode, 0, statement + ": " + done.stderr.decode())
                index = fix["sql"].split(" INDEX ")[1].removeprefix("CONCURRENTLY ").split(" ")[0]
                plan = self.plan(*(changed or (sql, values)))
                parts = [index] + [f"pings_2026_0{month}_vehicle_no_index" for month in (1, 2)]
                self.assertTrue(any(part in plan for part in parts), f"{index} is not in\n{plan}")
                self.assertEqual("fragment" in fix["ecto"], changed is not None, fix["ecto"])
                self.server.sql(f"DROP INDEX {index}", database="shop")


if __name__ == "__main__":
    unittest.main(verbosity=2)
