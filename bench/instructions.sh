#!/usr/bin/env bash
# Instructions per byte of log, by callgrind: the 40 MB run less the 20 MB run, so that start-up
# and the first sight of each shape cancel out.
#
#   bench/instructions.sh [ECTOSCOPE [MOST]]     fails when stderr costs more than MOST a byte
#
# Most shapes are still new there, which costs half as much again as later (docs/adr/0011).
# Unlike time this is the same on a busy machine.  MOST lies a little over what was reached.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
binary=${1:-$root/build/release/bin/ectoscope}
most=${2:-21.5}
command -v valgrind >/dev/null || { echo "skipped: valgrind is not installed"; exit 77; }

instructions() { # LOG
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$binary" analyze --output=json "$1" \
    2>&1 >/dev/null | sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

bad=0
(make_log stderr 1000 "$work/probe") || exit
for format in stderr csv json; do
  make_log "$format" 20000000 "$work/small"
  make_log "$format" 40000000 "$work/large"
  small=$(instructions "$work/small")
  large=$(instructions "$work/large")
  bytes=$(($(stat -c %s "$work/large") - $(stat -c %s "$work/small")))
  cost=$(awk -v n=$((large - small)) -v b=$bytes 'BEGIN {printf "%.2f", n / b}')
  echo "$format: $cost instructions a byte"
  if [ "$format" = stderr ] && awk -v a="$cost" -v b="$most" 'BEGIN {exit !(a > b)}'; then
    echo "stderr may cost $most instructions a byte"
    bad=1
  fi
done
exit $bad
