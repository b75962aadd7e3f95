#!/usr/bin/env python3
"""Counts the executions of a csvlog on its own, for comparison with ectoscope's.

usage: count_executions.py FILE.csv[.zst]
Prints one JSON object: executions, duration_us (their sum), slow (those of 100 ms and more) and
plans_alone (plans of sessions that log no statement).
It knows logs of log_min_duration_statement with the extended protocol and plans; not log_statement.
"""
import collections
import csv
import io
import json
import re
import subprocess
import sys

TIMED = re.compile(r"duration: (\d+)\.(\d{3}) ms  (?:(parse|bind|execute fetch from|execute) |"
                   r"(statement): |(plan):\n)(.*)", re.S)
PID, SESSION, SEVERITY, MESSAGE = 3, 5, 11, 13


def rows(path):
    if path.endswith(".zst"):
        text = subprocess.run(["zstdcat", path], check=True, capture_output=True).stdout
    else:
        with open(path, "rb") as file:
            text = file.read()
    csv.field_size_limit(1 << 30)
    return csv.reader(io.StringIO(text.decode("utf-8", "replace"), newline=""))


def main(path):
    runs = []
    plans = collections.Counter()  # by session
    speaking = set()  # sessions that log statements
    parses = collections.defaultdict(dict)  # session -> statement name -> microseconds
    binds = {}  # session -> (label, microseconds)
    for row in rows(path):
        session = (row[PID], row[SESSION])
        if row[SEVERITY] in ("ERROR", "FATAL", "PANIC"):
            binds.pop(session, None)
            parses[session].pop("<unnamed>", None)
            continue
        match = TIMED.match(row[MESSAGE])
        if not match:
            continue
        micros = int(match[1]) * 1000 + int(match[2])
        label = match[6].split(": ", 1)[0]
        statement = label.rsplit("/", 1)[0]
        kind = match[3] or match[4] or match[5]
        if kind == "plan":
            plans[session] += 1
            continue
        speaking.add(session)
        if kind == "parse":
            parses[session][label] = micros
        elif kind == "bind":
            binds[session] = (label, micros + parses[session].pop(statement, 0))
        elif kind == "execute":
            bound, before = binds.pop(session, (None, 0))
            runs.append(micros + (before if bound == label else 0))
        elif kind == "execute fetch from" or (kind == "statement" and match[6]):
            runs.append(micros)
    alone = sum(count for session, count in plans.items() if session not in speaking)
    print(json.dumps({"executions": len(runs), "duration_us": sum(runs),
                      "slow": sum(run >= 100_000 for run in runs), "plans_alone": alone}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
