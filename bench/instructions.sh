#!/usr/bin/env bash
# Instructions per byte of log, by callgrind: the 40 MB run less the 20 MB run, so that start-up
# and the first sight of each shape cancel out.
#
#   bench/instructions.sh [ECTOSCOPE]
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
binary=${1:-$root/build/release/bin/ectoscope}
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }

instructions() { # LOG
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" analyze --output=json "$1" \
    2>&1 >/dev/null | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

(make_log stderr 1000 "$work/probe") || exit
for format in stderr csv json; do
  make_log "$format" 20000000 "$work/small"
  make_log "$format" 40000000 "$work/large"
  small=$(instructions "$work/small")
  large=$(instructions "$work/large")
  bytes=$(($(stat -c %s "$work/large") - $(stat -c %s "$work/small")))
  awk -v f="$format" -v n=$((large - small)) -v b=$bytes 'BEGIN {printf "%s: %.2f instructions a byte\n", f, n / b}'
done
