#!/bin/sh
# Every detector has a test, a stanza in the example configuration and a page.  The folder is the
# list; run by ctest as `detectors_are_complete`.
set -eu
cd "${1:-$(dirname "$0")/..}"
bad=0
found=0
missing() {
  echo "detectors/$1.cpp has no $2"
  bad=1
}
for source in detectors/*.cpp; do
  name=$(basename "$source" .cpp)
  # What is no detector (a helper) has no make_NAME or entry of its own in the registry.
  grep -q "DetectorEntry" "$source" || continue
  found=$((found + 1))
  [ -s "tests/detectors/${name}_test.cpp" ] || missing "$name" "tests/detectors/${name}_test.cpp"
  [ -s "docs/detectors/$name.md" ] || missing "$name" "docs/detectors/$name.md"
  grep -qE "^  $name:" config/ectoscope.example.yaml || missing "$name" "stanza in config/ectoscope.example.yaml"
done
[ $found -gt 0 ] || { echo "no detector was found"; exit 1; }
[ $bad = 0 ] && echo "$found detectors, each with test, stanza and page"
exit $bad
