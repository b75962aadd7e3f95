#!/usr/bin/env bash
# CPU of reading a log as a multiple of `wc -l` on the same file, in the same run.
#
#   bench/ratio.sh [ECTOSCOPE [MOST]]     fails when stderr costs more than MOST (15) times `wc -l`
#
# Each is run in turn five times and the least CPU taken: other load only ever adds.
set -euo pipefail
# shellcheck source=bench/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
binary=${1:-$root/build/release/bin/ectoscope}
most=${2:-15}
size=300000000  # `wc` has to take more than a few ticks of the clock

cpu() { # COMMAND...: user + system seconds
  local TIMEFORMAT='%U %S'
  { time "$@" >/dev/null 2>"$work/err"; } 2>&1 | awk '{printf "%.3f\n", $1 + $2}'
}

bad=0
(make_log stderr 1000 "$work/probe") || exit
for format in stderr csv json; do
  log=$work/bench.$format
  make_log "$format" "$size" "$log"
  least_wc=999 least=999
  for _ in 1 2 3 4 5; do
    least_wc=$(printf '%s\n' "$least_wc" "$(cpu wc -l "$log")" | sort -g | head -n 1)
    least=$(printf '%s\n' "$least" "$(cpu "$binary" analyze --output=json "$log")" | sort -g | head -n 1)
  done
  ratio=$(awk -v a="$least" -v b="$least_wc" 'BEGIN {printf "%.1f", a / (b > 0 ? b : 0.001)}')
  echo "$format: $ratio x wc -l ($least s for $((size / 1000000)) MB, wc $least_wc s)"
  if [ "$format" = stderr ] && awk -v a="$ratio" -v b="$most" 'BEGIN {exit !(a > b)}'; then
    echo "stderr may cost $most x wc -l"
    bad=1
  fi
  rm -f "$log"
done
exit $bad
