# Shared by the benchmarks; sourced.  Says where the generated logs come from.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
generator_source=${GEN_LOG:-$root/../shared/tools/gen_log.cpp}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# make_log FORMAT BYTES FILE [OPTIONS]; ends the script with 77 (skipped) where there is no generator.
make_log() {
  if [ ! -x "$work/gen_log" ]; then
    if [ ! -f "$generator_source" ]; then
      echo "skipped: no log generator at $generator_source (set GEN_LOG to its source)"
      exit 77
    fi
    g++ -std=c++20 -O2 -o "$work/gen_log" "$generator_source"
  fi
  "$work/gen_log" "$@" >/dev/null
}
