#!/usr/bin/env python3
"""Client CPU and memory of polling a server with 50,000 entries in pg_stat_statements.

    bench/statement_poll.py STATEMENT_POLL_BENCH [ENTRIES]

Ends with 1 when the best of the polls costs more than 150 ms, or when memory grows.
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "cli"))
from real_postgres import RealPostgres, skip_unless_installed  # noqa: E402

LIMIT_MS = 150
POLLS = 12


def statements(count):
    """So many statements of different shape: each selects its own subset of 16 columns and more."""
    for number in range(count):
        columns = [f"c{bit}" for bit in range(16) if number + 1 >> bit & 1]
        yield f"SELECT {', '.join(columns)} FROM wide WHERE c0 = {number};"


def main():
    skip_unless_installed()
    bench, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 50_000
    settings = {"pg_stat_statements.max": str(count + 1000), "log_min_duration_statement": "-1",
                "auto_explain.log_min_duration": "-1"}
    with RealPostgres(settings) as server:
        columns = ", ".join(f"c{bit} int" for bit in range(16))
        server.sql(f"CREATE EXTENSION pg_stat_statements; CREATE TABLE wide ({columns})")
        server.sql("CREATE ROLE ectoscope LOGIN IN ROLE pg_monitor")
        script = "\\o /dev/null\n" + "\n".join(statements(count))
        done = server.psql("-f", "-", stdin=script.encode())
        if done.returncode != 0:
            sys.exit(done.stderr.decode())
        out = subprocess.run([bench, server.dsn(user="ectoscope"), str(POLLS)], check=True,
                             stdout=subprocess.PIPE).stdout.decode()
    print(out, end="")
    polls = [(float(ms), float(mib)) for ms, mib in re.findall(r"([0-9.]+) ms CPU, ([0-9.]+) MiB", out)]
    best = min(ms for ms, _ in polls[1:])
    grown = polls[-1][1] - polls[2][1]
    print(f"best {best:.1f} ms (at most {LIMIT_MS}), memory grew by {grown:.1f} MiB after the third poll")
    sys.exit(1 if best > LIMIT_MS or grown > 2 else 0)


if __name__ == "__main__":
    main()
