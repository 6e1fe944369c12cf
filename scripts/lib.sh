# Makes a checkout ready to run: `ready` returns once .venv, git and tmux are what fleet needs, or
# says what to type and exits with 1. Nothing is written outside the checkout but system packages.
# Sourced by the programs beside it; written for bash 3.2, which macOS still has.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
venv=$root/.venv
stamp=$venv/ready # written last: a set-up that was interrupted is begun again

readonly memory=/dev/shm memory_needed=2000000 # KiB
readonly git_needed=2.38 tmux_needed=3.2 pip_needed=25.1
readonly pythons="python3.13 python3.12 python3.11 python3"

# A person's own settings must not lead pip or Python out of .venv.
# Nor may they have every process of ours, of which tests start thousands, compile what it loads.
unset PYTHONDONTWRITEBYTECODE
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
export PIP_USER=0 PIP_NO_INPUT=1 PIP_DISABLE_PIP_VERSION_CHECK=1

ready() {
  is_ready && return
  need_programs
  exec 9<"$root" # two set-ups at once would build one .venv together: the second waits
  if command -v flock >/dev/null; then flock 9; fi
  is_ready || make_venv
  exec 9<&-
}

is_ready() {
  [[ -f $stamp && $(<"$stamp") == "$(fingerprint)" ]] && has_programs
}

# Have temporary files in memory where there is room and nobody said another place: tests make
# thousands of small ones, which takes some disks ten times as long.
work_in_memory() {
  local free=0
  [[ -z ${TMPDIR:-} && -d $memory && -w $memory ]] || return 0
  { read -r && read -r _ _ _ free _; } < <(df -Pk "$memory") || true
  ((free < memory_needed)) || ! runs_programs "$memory" || export TMPDIR=$memory
}

runs_programs() { # DIRECTORY, which may be mounted so that it does not
  local program verdict=0
  program=$(mktemp "$1/fleet.XXXXXX") || return
  printf '#!/bin/sh\n' >"$program" && chmod u+x "$program"
  "$program" 2>/dev/null || verdict=1
  rm "$program"
  return $verdict
}

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

fail() {
  say "$1"
  printf '       %s\n' "${@:2}" >&2
  exit 1
}

# --- git and tmux ---------------------------------------------------------------------------

# The first "major.minor" in the words given, or 0.0 ("tmux next-3.4" counts as 3.4).
version_in() {
  if [[ $* =~ ([0-9]+)\.([0-9]+) ]]; then echo "${BASH_REMATCH[0]}"; else echo 0.0; fi
}

at_least() { # NEEDED FOUND
  local needed=$1 found=$2
  ((${found%.*} > ${needed%.*} || (${found%.*} == ${needed%.*} && ${found#*.} >= ${needed#*.})))
}

has_programs() { [[ -z $(missing_programs) ]]; }

missing_programs() {
  at_least "$git_needed" "$(version_in "$(git --version 2>/dev/null)")" || echo git
  at_least "$tmux_needed" "$(version_in "$(tmux -V 2>/dev/null)")" || echo tmux
}

need_programs() {
  local missing
  missing=$(missing_programs)
  [[ -n $missing ]] || return 0
  # shellcheck disable=SC2086 # one word a package
  install_packages $missing
  missing=$(missing_programs)
  [[ -z $missing ]] || fail "too old even now: ${missing//$'\n'/ }" \
    "fleet needs git $git_needed and tmux $tmux_needed or newer"
}

package_manager() {
  local manager
  for manager in apt-get dnf pacman apk brew; do
    if command -v "$manager" >/dev/null; then echo "$manager" && return; fi
  done
}

# Install the packages named, where this user may; otherwise say what to type.
install_packages() {
  local install
  case $(package_manager) in
    apt-get) install="apt-get install -y" ;;
    dnf) install="dnf install -y" ;;
    pacman) install="pacman -S --noconfirm --needed" ;;
    apk) install="apk add" ;;
    brew) install="brew install" ;;
    *) fail "missing: $*" "install it with your system's package manager" ;;
  esac
  [[ $install == brew* || $(id -u) == 0 ]] || install="sudo $install"
  if [[ $install == sudo* ]] && ! sudo -n true 2>/dev/null; then
    fail "missing: $*" "type: $install $*"
  fi
  export DEBIAN_FRONTEND=noninteractive
  say "installing $*"
  # shellcheck disable=SC2086 # a command of several words; an old list names files that are gone
  if [[ $install == *apt-get* ]]; then ${install%install*}update -qq </dev/null >&2 || true; fi
  # shellcheck disable=SC2086
  $install "$@" </dev/null >&2 || fail "could not install: $*" "type: $install $*"
}

# --- Python ---------------------------------------------------------------------------------

# What .venv was made from: the checkout's place, its requirements and the interpreter as it is
# now, which an upgrade of the system may have exchanged under it.
fingerprint() {
  printf '%s\n' "$root" "${PYTHON:-}" "$(cksum <"$root/pyproject.toml")"
  "$venv/bin/python" -I -S -c 'import sys; print(sys.base_prefix, sys.version)' 2>/dev/null
}

# Print the real path of a Python >= 3.11. Every place in PATH is tried, because the first may be
# a shim for a version that is not installed.
find_python() {
  local name candidate found
  for name in ${PYTHON:-$pythons}; do
    while read -r candidate; do
      found=$("$candidate" -I -c 'import sys; sys.version_info >= (3, 11) and print(sys.executable)' \
        2>/dev/null </dev/null) || true
      if [[ -n $found ]]; then echo "$found" && return; fi
    done < <(type -ap "$name")
  done
  return 1
}

make_venv() {
  local python
  python=$(find_python) || fail "no Python 3.11 or newer in PATH" \
    "install one, or name it: PYTHON=/path/to/python3 $0"
  say "making .venv with $python"
  need_venv_module "$python"
  remove_venv
  mkdir "$venv" && : >"$venv/making"
  "$python" -m venv "$venv" >&2 || fail "$python -m venv failed"
  install_fleet
  fingerprint >"$stamp"
  rm "$venv/making"
}

# Nothing but an environment is removed, and what tells that it is one goes last: a removal that was
# interrupted can be taken up again.
remove_venv() {
  rmdir "$venv" 2>/dev/null || true # all that is left of an interrupted one
  [[ ! -e $venv || -L $venv || -e $venv/pyvenv.cfg || -e $venv/making ]] ||
    fail "$venv is there and is no virtual environment" "move it away"
  [[ -L $venv || ! -e $venv ]] ||
    find "$venv" -mindepth 1 -maxdepth 1 ! -name pyvenv.cfg ! -name making -exec rm -rf {} +
  rm -rf "$venv"
}

# Debian ships Python without the module that puts pip into a virtual environment.
need_venv_module() { # PYTHON
  "$1" -I -c 'import ensurepip, venv' 2>/dev/null && return
  if [[ $(package_manager) == apt-get ]]; then
    install_packages "$("$1" -I -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  fi
  "$1" -I -c 'import ensurepip, venv' 2>/dev/null ||
    fail "$1 cannot make virtual environments" "name another one: PYTHON=/path/to/python3 $0"
}

install_fleet() {
  [[ -n ${PIP_CACHE_DIR:-} ]] || export PIP_NO_CACHE_DIR=1 # pip's own choice would be in HOME
  say "installing fleet and its development tools into .venv"
  in_venv --upgrade "pip>=$pip_needed"
  in_venv --editable "$root" --group "$root/pyproject.toml:dev"
}

in_venv() {
  "$venv/bin/python" -m pip install --quiet "$@" >&2 ||
    fail "pip could not install what pyproject.toml names" "see its message above"
}
