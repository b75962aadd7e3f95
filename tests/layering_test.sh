#!/bin/sh
# The layering test itself must fail on what it is there for.
set -eu
check=$(cd "$(dirname "$0")" && pwd)/layering.sh
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT

fresh() {
  rm -rf "${tree:?}"/*
  mkdir "$tree/core" "$tree/parsers" "$tree/outputs" "$tree/findings"
  for folder in core parsers outputs findings; do
    echo "add_library($folder a.cpp)" >"$tree/$folder/CMakeLists.txt"
    echo "target_link_libraries($folder PUBLIC core)" >>"$tree/$folder/CMakeLists.txt"
  done
  echo '#include "core/time.h"' >"$tree/parsers/a.cpp"
  echo '#include "findings/book.h"' >"$tree/outputs/a.cpp"
}

expect() { # good|bad WHAT
  if "$check" "$tree" >"$tree/said" 2>&1; then result=good; else result=bad; fi
  [ "$result" = "$1" ] || {
    echo "layering.sh called it $result: $2"
    cat "$tree/said"
    exit 1
  }
}

fresh
expect good "what is allowed"
echo '#include "detectors/registry.h"' >>"$tree/parsers/a.cpp"
expect bad "an include across"
fresh
echo '  #  include "outputs/json.h"' >"$tree/findings/a.h"
expect bad "an include with blanks"
fresh
echo '#include "time.h"' >"$tree/core/a.cpp"
expect bad "an include without its folder"
fresh
printf 'target_link_libraries(parsers PUBLIC core\n  PRIVATE traces\n)\n' >"$tree/parsers/CMakeLists.txt"
mkdir "$tree/traces"
echo 'add_library(traces a.cpp)' >"$tree/traces/CMakeLists.txt"
expect bad "a link across, on a second line"
fresh
rm "$tree/parsers/CMakeLists.txt"
expect bad "a folder that is no library"
fresh
printf 'struct Loop {\n};\n' >"$tree/parsers/a.h"
printf 'struct Loop;\n  struct Loop {\n' >"$tree/findings/a.h"
expect good "one definition, a declaration and a nested name"
printf 'class Loop final : public Other {\n' >"$tree/findings/a.h"
expect bad "one name, two types"
