#!/usr/bin/env bash
# A day's log (2 GB) that `serve` begins with: memory stays under 128 MiB, nothing of it is news.
#
#   bench/catch_up.sh [ECTOSCOPE] [BYTES]
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
binary=${1:-$root/build/release/bin/ectoscope}
bytes=${2:-2000000000}

make_log stderr "$bytes" "$work/pg.log"
cat >"$work/config.yaml" <<YAML
servers: [{name: main, logs: ["$work/pg.log"], start_at: beginning}]
state: {directory: "$work/state"}
web: {listen_address: "127.0.0.1:0"}
YAML
python3 - "$binary" "$work" <<'PYTHON'
import contextlib, json, os, re, sqlite3, subprocess, sys, time, urllib.request

binary, work = sys.argv[1:]
size = os.path.getsize(f"{work}/pg.log")
process = subprocess.Popen([binary, "serve", f"--config.file={work}/config.yaml", "--log.format=json"],
                           stderr=subprocess.PIPE, text=True)
try:
    url = json.loads(next(line for line in process.stderr if '"started"' in line))["url"]
    began = time.monotonic()
    while True:
        with urllib.request.urlopen(url + "metrics") as metrics:
            read = re.search(r"^ectoscope_log_bytes_read_total\S* (\S+)", metrics.read().decode(), re.M)
        if read and float(read[1]) >= size:
            break
        if time.monotonic() - began > 600:
            sys.exit("it did not catch up in ten minutes")
        time.sleep(0.5)
    seconds = time.monotonic() - began
    with open(f"/proc/{process.pid}/status", encoding="ascii") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+)", status.read())[1])
finally:
    process.terminate()
    process.wait(timeout=30)
with contextlib.closing(sqlite3.connect(f"{work}/state/ectoscope.db")) as store:
    findings, live = store.execute(
        "SELECT count(*), coalesce(sum(json_extract(life, '$.live')), 0) FROM finding").fetchone()
print(f"{size} bytes in {seconds:.1f} s: {peak // 1024} MiB, {findings} findings, {live} of them live")
sys.exit(peak > 131072 or live > 0 or findings == 0)
PYTHON
