"""Puts logs into the envelopes that others put around them: for tests, and for tests/data/parsers/envelopes
(`envelopes.py REPOSITORY` writes those files anew from tests/data/parsers/mixed.*)."""

import csv
import datetime
import io
import json
import os
import re
import struct
import sys

SYSLOG_LIMIT = 900  # PG_SYSLOG_LIMIT
POSTMASTER = 4242
HEAD = re.compile(rb"^(\S+ \S+ UTC) \[(\d+)\] ")
PART = re.compile(rb"^\S+ \S+ UTC \[\d+\] .*?(DETAIL|HINT|CONTEXT|STATEMENT|QUERY|LOCATION):  ")


class Entry:
    """A record as stderr has it: all its lines, without the last line break."""

    def __init__(self, text):
        self.text = text
        stamp, pid = HEAD.match(text).groups()
        self.pid = int(pid)
        self.at = datetime.datetime.strptime(stamp.decode(), "%Y-%m-%d %H:%M:%S.%f UTC").replace(
            tzinfo=datetime.timezone.utc)

    def micros(self):
        return round(self.at.timestamp() * 1_000_000)


def entries(stderr):
    """Of a log with the prefix `%m [%p] ...`."""
    found = []
    for line in stderr.rstrip(b"\n").split(b"\n"):
        if line.startswith(b"\t") or (found and PART.match(line)):
            found[-1] += b"\n" + line
        else:
            found.append(line)
    return [Entry(text) for text in found]


def chunks(text):
    """As PostgreSQL's write_syslog() cuts it (UTF-8)."""
    if len(text) <= SYSLOG_LIMIT and b"\n" not in text:
        return [text]
    parts = []
    while text:
        if text.startswith(b"\n"):
            text = text[1:]
            continue
        line = text.split(b"\n", 1)[0]
        size = min(len(line), SYSLOG_LIMIT)
        while size < len(line) and line[size] & 0xC0 == 0x80:
            size -= 1
        if size < len(text) and not text[size:size + 1].isspace():
            blank = max((i for i in range(1, size) if line[i:i + 1].isspace()), default=0)
            size = blank or size
        parts.append(text[:size])
        text = text[size:]
    return parts


def numbered(log_entries):
    """(entry, text) in the order in which syslog gets them, those of different backends mixed."""
    queues = {}
    for number, entry in enumerate(log_entries, 5):
        parts = chunks(entry.text)
        for chunk, part in enumerate(parts, 1):
            mark = b"[%d-%d] " % (number, chunk) if len(parts) > 1 else b"[%d] " % number
            queues.setdefault(number, []).append((entry, mark + part))
    order = []
    waiting = []
    for number, entry in enumerate(log_entries, 5):
        for queue in [q for q in waiting if q[0][0].pid == entry.pid]:
            order.extend(queue)
            waiting.remove(queue)
        queue = queues[number]
        order.append(queue.pop(0))
        for other in waiting:
            order.append(other.pop(0))
        waiting = [q for q in waiting + [queue] if q]
    for queue in waiting:
        order.extend(queue)
    return order


def rsyslog_escaped(text):
    return re.sub(rb"[\x00-\x1f\x7f]", lambda m: b"#%03o" % m.group()[0], text)


def syslog_traditional(log_entries):
    return b"".join(
        entry.at.strftime("%b %e %H:%M:%S").encode() + b" db1 postgres[%d]: " % entry.pid + rsyslog_escaped(text) + b"\n"
        for entry, text in numbered(log_entries))


def syslog_file(log_entries):
    """Debian 12's: RFC 3339 stamps."""
    return b"".join(
        entry.at.isoformat(timespec="microseconds").encode() + b" db1 postgres[%d]: " % entry.pid + rsyslog_escaped(text) + b"\n"
        for entry, text in numbered(log_entries))


def syslog_5424(log_entries):
    return b"".join(
        b"<134>1 " + entry.at.isoformat(timespec="milliseconds").encode() +
        b' db1 postgres %d - [origin software="rsyslogd"] ' % entry.pid + rsyslog_escaped(text) + b"\n"
        for entry, text in numbered(log_entries))


def journal_fields(entry, text, pid):
    return [("__CURSOR", b"s=1;i=%x" % entry.micros()), ("__REALTIME_TIMESTAMP", b"%d" % entry.micros()), ("PRIORITY", b"6"),
            ("SYSLOG_IDENTIFIER", b"postgres"), ("_PID", b"%d" % pid), ("_COMM", b"postgres"), ("MESSAGE", text)]


def journal_export(log_entries):
    out = b""
    for entry, text in numbered(log_entries):
        for name, value in journal_fields(entry, text, entry.pid):
            if name == "MESSAGE" and any(c < 32 for c in value):
                out += name.encode() + b"\n" + struct.pack("<Q", len(value)) + value + b"\n"
            else:
                out += name.encode() + b"=" + value + b"\n"
        out += b"\n"
    return out


def journal_json(log_entries):
    """Of a server whose stderr the journal takes: each line is an entry of the postmaster's."""
    out = []
    for entry in log_entries:
        for line in entry.text.split(b"\n"):
            fields = dict(journal_fields(entry, line, POSTMASTER))
            try:
                values = {name: value.decode() for name, value in fields.items()}
            except UnicodeDecodeError:
                values = {name: value.decode("latin-1") for name, value in fields.items()}
                values["MESSAGE"] = list(line)
            out.append(json.dumps(values) + "\n")
    return "".join(out).encode()


def journal_short(log_entries):
    return b"-- Journal begins at Sun 2026-11-01 00:00:00 UTC. --\n" + b"".join(
        entry.at.strftime("%b %d %H:%M:%S.%f").encode() + b" db1 postgres[%d]: " % entry.pid + text + b"\n"
        for entry, text in numbered(log_entries))


def cloudsql_object(entry, line, stamped=True):
    text = line.decode("utf-8", "replace")
    return {"insertId": "s=1;i=2", "logName": "projects/p/logs/cloudsql.googleapis.com%2Fpostgres.log",
            "receiveTimestamp": "2026-11-22T09:00:00.613169765Z",
            "resource": {"labels": {"database_id": "p:main", "project_id": "p"}, "type": "cloudsql_database"},
            "severity": "INFO", "textPayload": text if stamped else text.split(" UTC ", 1)[1],
            "timestamp": entry.at.isoformat(timespec="microseconds").replace("+00:00", "Z")}


def cloudsql(log_entries):
    return "".join(json.dumps(cloudsql_object(entry, line)) + "\n"
                   for entry in log_entries for line in entry.text.split(b"\n")).encode()


def cloudsql_array(log_entries):
    """As `gcloud logging read --format=json --order=asc` lays it out; a record in one payload."""
    return json.dumps([cloudsql_object(entry, entry.text) for entry in log_entries], indent=2).encode() + b"\n"


CNPG_COLUMNS = [
    "log_time", "user_name", "database_name", "process_id", "connection_from", "session_id", "session_line_num",
    "command_tag", "session_start_time", "virtual_transaction_id", "transaction_id", "error_severity", "sql_state_code",
    "message", "detail", "hint", "internal_query", "internal_query_pos", "context", "query", "query_pos", "location",
    "application_name", "backend_type", "leader_pid", "query_id"]


def cnpg(csv_text):
    """From csvlog: the columns are the same."""
    out = [{"level": "info", "ts": "2026-11-22T08:00:00Z", "logger": "instance-manager", "msg": "starting",
            "logging_pod": "shop-1", "controller": {"name": "x{"}}]
    for row in csv.reader(io.StringIO(csv_text)):
        record = {name: value for name, value in zip(CNPG_COLUMNS, row) if value}
        out.append({"level": "info", "ts": "2026-11-22T08:29:33.463Z", "logger": "postgres", "msg": "record",
                    "logging_pod": "shop-1", "record": record})
    # Go's encoder escapes what HTML would take for markup.
    text = "".join(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in out)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026").encode()


def rds(stderr, cut=False):
    """From a log with ecto_log's prefix."""
    out = re.sub(rb"(?m)^(\S+ \S+)\.\d+ UTC \[(\d+)\] (\S+)@(\S+) app=\S+ vxid=\S+ ",
                 rb"\1 UTC:10.0.0.7(4321):\3@\4:[\2]:", stderr)
    if cut:
        lines = out.split(b"\n")
        at = next(i for i, line in enumerate(lines) if b" execute " in line)
        lines[at] = lines[at][:-20] + b" [Your log message was truncated]"
        out = b"\n".join(lines)
    return out


def kubectl_stamped(stderr):
    return b"".join(b"2026-11-22T10:00:00.123456789Z " + line + b"\n" for line in stderr.rstrip(b"\n").split(b"\n"))


OF_ENTRIES = {
    "syslog_traditional.log": syslog_traditional, "syslog_file.log": syslog_file, "syslog_5424.log": syslog_5424,
    "journal.export": journal_export, "journal.json": journal_json, "journal_short.log": journal_short,
    "cloudsql.json": cloudsql, "cloudsql_array.json": cloudsql_array}


def main():
    data = os.path.join(sys.argv[1], "tests/data/parsers")
    with open(os.path.join(data, "mixed.log"), "rb") as file:
        log = entries(file.read())
    with open(os.path.join(data, "mixed.csv"), encoding="utf-8") as file:
        rows = list(csv.reader(file))
    # Some of each kind, the long and the folded ones above all.
    kept = [e for i, e in enumerate(log) if i < 4 or b"\n" in e.text or len(e.text) > SYSLOG_LIMIT][:24]
    wanted = {(e.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC", str(e.pid)) for e in kept}
    texts = {e.text for e in log if (e.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC", str(e.pid)) in wanted}
    kept = [e for e in log if e.text in texts]
    files = {name: wrap(kept) for name, wrap in OF_ENTRIES.items()}
    files["plain.log"] = b"".join(e.text + b"\n" for e in kept)
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(row for row in rows if (row[0], row[3]) in wanted)
    files["cnpg.json"] = cnpg(text.getvalue())
    files["kubectl_stamped.log"] = kubectl_stamped(files["plain.log"])
    folder = os.path.join(data, "envelopes")
    os.makedirs(folder, exist_ok=True)
    for name, content in files.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)
        print(f"{name}: {len(content)} bytes")


if __name__ == "__main__":
    main()
