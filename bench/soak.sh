#!/usr/bin/env bash
# A 1 GB log, also with 200,000 distinct statements (twice what is kept): memory stays under 128 MiB.
#
#   bench/soak.sh [ECTOSCOPE]
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
binary=${1:-$root/build/release/bin/ectoscope}
limit_kib=131072

peak() { # FILE: of a run over it, in KiB
  python3 - "$binary" "$1" <<'EOF'
import resource, subprocess, sys
done = subprocess.run([sys.argv[1], "analyze", "--output=json", sys.argv[2]], stdout=subprocess.DEVNULL)
if done.returncode != 0:
    sys.exit(f"analyze ended with {done.returncode}")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
EOF
}

(make_log stderr 1000 "$work/probe") || exit
bad=0
for case in "many bytes:200" "many statements:200000"; do
  make_log stderr 1000000000 "$work/soak.log" --distinct "${case#*:}"
  kib=$(peak "$work/soak.log")
  echo "${case%%:*}: $((kib / 1024)) MiB"
  [ "$kib" -le $limit_kib ] || { echo "more than $((limit_kib / 1024)) MiB"; bad=1; }
done
exit $bad
