#!/bin/sh
# Fails when a folder includes or links one that it may not see, or two headers define one name (the
# linker would take either's functions for both).  Run by ctest as `layering`.
#
#   layering.sh [ROOT]
set -eu
cd "${1:-$(dirname "$0")/..}"

folders="core platform ingest parsers traces detectors advice findings config outputs daemon"
allowed() {
  case $1 in
    core) echo core ;;
    outputs) echo core findings outputs ;;
    daemon) echo "$folders" ;;
    *) echo core "$1" ;;
  esac
}

bad=0
wrong() {
  echo "layering: $1"
  bad=1
}

for folder in $folders; do
  [ -d "$folder" ] || continue
  for seen in $(grep -rhoE '^ *# *include +"[^"]+"' "$folder" | sed 's/.*"\([^"]*\)"/\1/' | sort -u); do
    case $seen in
      */*) seen=${seen%%/*} ;;
      *) wrong "$folder/ includes \"$seen\" without its folder" ;;
    esac
    case " $(allowed "$folder") " in
      *" $seen "*) ;;
      *) wrong "$folder/ must not include $seen/: $(grep -rlE "include +\"$seen/" "$folder" | tr '\n' ' ')" ;;
    esac
  done
  [ -f "$folder/CMakeLists.txt" ] || { wrong "$folder/ has no CMakeLists.txt"; continue; }
  # The words inside target_link_libraries(FOLDER ...), over line breaks.
  for linked in $(tr '\n' ' ' <"$folder/CMakeLists.txt" |
    grep -oE 'target_link_libraries\([^)]*\)' | sed 's/target_link_libraries(//; s/)//'); do
    case " $folders " in *" $linked "*) ;; *) continue ;; esac
    case " $(allowed "$folder") " in
      *" $linked "*) ;;
      *) wrong "$folder/CMakeLists.txt must not link $linked" ;;
    esac
  done
done
# shellcheck disable=SC2086
for name in $(grep -rhoE --include='*.h' '^(struct|class|enum class|enum) [A-Za-z0-9_]+( final)?( : .*)? \{' $folders 2>/dev/null |
  sed -E 's/^(struct|class|enum class|enum) ([A-Za-z0-9_]+).*/\2/' | sort | uniq -d); do
  wrong "$name is defined in more than one header: $(grep -rlE --include='*.h' "^(struct|class|enum class|enum) $name( final)?( : .*)? \{" $folders 2>/dev/null | tr '\n' ' ')"
done
[ $bad = 0 ] && echo "layering: every folder sees only what it may"
exit $bad
