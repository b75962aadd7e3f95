# Shared by the tools; sourced, not run.  Expects `set -eu`, sets $root and goes there.
# shellcheck shell=bash
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root" || exit

die() {
  echo "$(basename "$0"): $*" >&2
  exit 2
}

# install_packages NEED...: installs the packages of tools/packages.txt that are missing.
install_packages() {
  command -v dpkg-query >/dev/null || die "this needs Debian 12 or a system with its packages"
  local need package missing=()
  for need in "$@"; do
    for package in $(awk -v need="$need" '$1 == need {print $2}' tools/packages.txt); do
      dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -q '^installed$' ||
        missing+=("$package")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null ||
      die "not root and without sudo; ask an administrator for: apt-get install --no-install-recommends ${missing[*]}"
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends
    -o Dpkg::Use-Pty=0)
  local log
  log=$(mktemp)
  # The lists may be absent (a fresh machine) or old (a package moved on): then they are fetched.
  if ! "${as_root[@]}" "${apt[@]}" install "${missing[@]}" >"$log" 2>&1 &&
    ! { "${as_root[@]}" "${apt[@]}" update && "${as_root[@]}" "${apt[@]}" install "${missing[@]}"; } \
      >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    die "apt-get could not install what is missing"
  fi
  rm -f "$log"
}

# build_preset PRESET TARGET [cmake -D options]
build_preset() {
  local preset=$1 target=$2 log
  shift 2
  log=$(mktemp)
  if ! cmake --preset "$preset" "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "cmake --preset $preset failed"
  fi
  rm -f "$log"
  cmake --build --preset "$preset" --target "$target"
}
