"""Logs as PostgreSQL writes them of an Ecto application, in its three formats: for tests of the binary."""

import datetime
import itertools
import json

START = datetime.datetime(2026, 3, 1, 9, 0, 0, tzinfo=datetime.timezone.utc)
PREFIX = "%m [%p] %q%u@%d app=%a vxid=%v "
CSV_COLUMNS = 26
_transactions = itertools.count(2)  # outside of transactions each statement has its own


def n_plus_one(requests=3, children=10, tagged=True, value=lambda i: str(i), table="posts"):
    """Records of `requests` that load users and then, one by one, each one's rows of `table`."""
    records = []
    at = 0.0
    key = 0
    for request in range(requests):
        tag = f"/*traceparent='00-{request + 1:032x}-{request + 1:016x}-01'*/" if tagged else ""
        records.append(execute(at, 100, f'SELECT u0."id" FROM "users" AS u0{tag}', []))
        for child in range(children):
            at += 1.5
            key += 1
            sql = f'SELECT p0."id", p0."title" FROM "{table}" AS p0 WHERE (p0."user_id" = $1){tag}'
            records.append(execute(at, 101 + child % 5, sql, [value(key)]))
        at += 5000
    return records


def execute(at_ms, pid, sql, parameters, duration_ms=0.4):
    detail = ", ".join(f"${i} = '{value}'" for i, value in enumerate(parameters, 1))
    return record(
        at_ms, pid, f"duration: {duration_ms:.3f} ms  execute <unnamed>: {sql}",
        detail=f"parameters: {detail}" if detail else "")


def with_binds(records):
    """The same with a bind before each execute, as the server logs it when it leaves nothing out."""
    full = []
    for r in records:
        if "  execute " in r["message"]:
            sql = r["message"].split(": ", 2)[2]
            full.append({**r, "message": f"duration: 0.050 ms  bind <unnamed>: {sql}"})
        full.append(r)
    return full


def record(at_ms, pid, message, detail="", severity="LOG", statement="", sqlstate="00000", hint="", context=""):
    return {"vxid": f"{pid}/{next(_transactions)}", "at": START + datetime.timedelta(milliseconds=at_ms), "pid": pid, "message": message,
            "detail": detail, "severity": severity, "statement": statement, "sqlstate": sqlstate,
            "hint": hint, "context": context}


def stamp(record):
    return record["at"].strftime("%Y-%m-%d %H:%M:%S.") + f"{record['at'].microsecond // 1000:03d} UTC"


def stderr(records):
    lines = []
    for r in records:
        prefix = f"{stamp(r)} [{r['pid']}] postgres@shop app=shop vxid={r['vxid']} "
        parts = [(r["severity"], r["message"]), ("DETAIL", r["detail"]), ("HINT", r["hint"]),
                 ("CONTEXT", r["context"]), ("STATEMENT", r["statement"])]
        for name, text in parts:
            if text:
                lines.append(f"{prefix}{name}:  " + text.replace("\n", "\n\t") + "\n")
    return "".join(lines).encode()


def csvlog(records):
    def text(value):  # the server quotes all text that is there, and nothing else
        return '"' + value.replace('"', '""') + '"' if value else ""

    lines = []
    for r in records:
        row = [""] * CSV_COLUMNS
        row[0] = stamp(r)
        row[1:4] = [text("postgres"), text("shop"), str(r["pid"])]
        row[4:7] = [text("127.0.0.1:5000"), f"6b02a7ed.{r['pid']:x}", "1"]
        row[7:13] = [text("SELECT"), START.strftime("%Y-%m-%d %H:%M:%S UTC"), r["vxid"], "0",
                     r["severity"], r["sqlstate"]]
        row[13:16] = [text(r["message"]), text(r["detail"]), text(r["hint"])]
        row[18:20] = [text(r["context"]), text(r["statement"])]
        row[22:26] = [text("shop"), text("client backend"), "", "0"]
        lines.append(",".join(row) + "\n")
    return "".join(lines).encode()


def jsonlog(records):
    lines = []
    for r in records:
        entry = {"timestamp": stamp(r), "user": "postgres", "dbname": "shop", "pid": r["pid"],
                 "remote_host": "127.0.0.1", "remote_port": 5000, "session_id": f"6b02a7ed.{r['pid']:x}",
                 "line_num": 1, "ps": "SELECT", "session_start": START.strftime("%Y-%m-%d %H:%M:%S UTC"),
                 "vxid": r["vxid"], "txid": 0, "error_severity": r["severity"],
                 "message": r["message"], "application_name": "shop", "backend_type": "client backend",
                 "query_id": 0}
        for name in ("detail", "hint", "context", "statement"):
            if r[name]:
                entry[name] = r[name]
        lines.append(json.dumps(entry, ensure_ascii=False) + "\n")
    return "".join(lines).encode()


FORMATS = {"stderr": stderr, "csvlog": csvlog, "jsonlog": jsonlog}
