#!/usr/bin/env python3
"""Runs tests/daemon/real_server_test.cpp against a PostgreSQL of its own.

    real_server_test.py BINARY      (daemon_tests is the program beside it)
"""

import os
import subprocess
import sys
import unittest

import real_postgres
from real_postgres import RealPostgres

BINARY = os.path.abspath(sys.argv.pop(1))
TESTS = os.path.join(os.path.dirname(BINARY), "daemon_tests")
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))

SCHEMA = """
CREATE ROLE shop LOGIN;
CREATE TABLE posts (id bigserial PRIMARY KEY, user_id bigint NOT NULL, title varchar(255),
                    inserted_at timestamp NOT NULL DEFAULT now(), deleted_at timestamp);
CREATE INDEX posts_lower_index ON posts (lower(title));
CREATE INDEX posts_user_index ON posts (user_id, inserted_at DESC) INCLUDE (title)
  WHERE deleted_at IS NULL;
CREATE TABLE comments (id bigserial PRIMARY KEY, post_id bigint NOT NULL REFERENCES posts, body text);
CREATE TABLE events (id bigserial PRIMARY KEY, workspace_id bigint NOT NULL, payload text);
CREATE SCHEMA tenant;
CREATE TABLE tenant.posts (id bigint);
INSERT INTO posts (user_id, title) SELECT i % 200, 'post ' || i FROM generate_series(1, 20000) i;
INSERT INTO comments (post_id, body) SELECT i % 20000 + 1, 'comment ' || i FROM generate_series(1, 60000) i;
INSERT INTO events (workspace_id, payload)
  SELECT CASE WHEN i % 100 < 95 THEN 1 ELSE i END, repeat('x', 40) FROM generate_series(1, 100000) i;
ANALYZE;
GRANT SELECT ON posts TO shop;
"""


class RealServer(unittest.TestCase):
    def test_what_is_asked_of_a_server(self):
        real_postgres.skip_unless_installed(hypopg=True)
        if not os.path.exists(TESTS):
            self.skipTest("daemon_tests is not built")
        with RealPostgres() as server:
            server.sql("CREATE DATABASE shop")
            server.sql(SCHEMA, database="shop")
            done = server.psql("-f", os.path.join(ROOT, "deploy", "postgresql", "role.sql"), database="shop")
            self.assertEqual(done.returncode, 0, done.stderr)
            server.sql("CREATE TABLE secrets (id int, owner int)", database="shop")
            done = subprocess.run(
                [TESTS, "--gtest_filter=RealServer.*:RealTrial.*:FrozenServer.*"], capture_output=True, timeout=120, check=False,
                env={**os.environ, "ECTOSCOPE_TEST_DSN": server.dsn("shop", "ectoscope"),
                     "ECTOSCOPE_TEST_APPLICATION_DSN": server.dsn("shop", "shop")})
        text = done.stdout.decode(errors="replace")
        self.assertEqual(done.returncode, 0, text)
        self.assertNotIn("SKIPPED", text)
        self.assertIn("[  PASSED  ]", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
