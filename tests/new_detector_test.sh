#!/usr/bin/env bash
# tools/new-detector in a copy of the tree: all four files come, edit no other, and the test fails
# until the detector is written.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

fail() {
  echo "new-detector: $*"
  exit 1
}

tar -C "$root" --exclude=./build --exclude=./.git --exclude=./data -cf - . | tar -C "$tree" -xf -
cd "$tree"
find . -type f -exec sha256sum {} + | sort -k 2 >"$tree.before"
tools/new-detector m_test_of_the_tool >/dev/null
find . -type f -exec sha256sum {} + | sort -k 2 >"$tree.after"
changed=$({ diff "$tree.before" "$tree.after" || true; } | sed -n 's/^> [0-9a-f]*  //p' | tr '\n' ' ')
rm -f "$tree.before" "$tree.after"
[ "$changed" = "./config/ectoscope.example.yaml ./detectors/m_test_of_the_tool.cpp \
./docs/detectors/m_test_of_the_tool.md ./tests/detectors/m_test_of_the_tool_test.cpp " ] ||
  fail "it changed $changed"

keys=$(awk '/^detectors:/ {inside = 1} inside && /^  [a-z0-9_]+:/ {print $1}' config/ectoscope.example.yaml)
[ "$keys" = "$(LC_ALL=C sort <<<"$keys")" ] || fail "the stanzas are not in order: $keys"
tests/layering.sh >/dev/null || fail "the layering is broken"

if tools/new-detector m_test_of_the_tool >/dev/null 2>&1; then fail "it wrote over a detector"; fi
if tools/new-detector Bad-Name >/dev/null 2>&1; then fail "it took a bad name"; fi

build() {
  cmake -S . -B build -G Ninja -DECTOSCOPE_BENCH=OFF && cmake --build build --target detectors_tests
}
if ! build >"$tree/log" 2>&1; then
  tail -n 30 "$tree/log"
  fail "it does not build"
fi
if build/bin/detectors_tests --gtest_filter='MTestOfTheTool.*' >"$tree/log" 2>&1; then
  fail "the test of an unwritten detector passes"
fi
grep -q 'at the threshold' "$tree/log" || fail "the test fails for another reason: $(tail -n 5 "$tree/log")"
