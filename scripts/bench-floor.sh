#!/usr/bin/env bash
# What landing N trivial tasks costs with nothing but a shell, git and tmux: the floor that
# scripts/bench compares fleet with. Prints one JSON object; leaves nothing behind.
#
# Each task writes and commits one file in a worktree and tmux window of its own. Then, one after
# the other, each branch is merged, a trivial gate runs on the merged tree, and main takes it.
set -euo pipefail

files=10 tasks=20 repo='' work=''
usage() {
  echo "usage: bench-floor.sh [--files N] [--tasks N] [--repo DIR] [--work DIR]" >&2
  echo "       DIR as repository is changed; DIR to work in is left to the caller" >&2
  exit 2
}
while (($#)); do
  case $1 in
    --files) files=${2:?} ;;
    --tasks) tasks=${2:?} ;;
    --repo) repo=${2:?} ;;
    --work) work=${2:?} ;;
    *) usage ;;
  esac
  shift 2
done

temporary=
if [[ -z $work ]]; then
  temporary=$(mktemp -d "${TMPDIR:-/tmp}/floor.XXXXXX")
  work=$temporary
fi
tmux=(env -u TMUX -u TMUX_PANE tmux -f /dev/null -S "$work/tmux")
clean_up() {
  "${tmux[@]}" kill-server 2>/dev/null || true
  [[ -z $temporary ]] || rm -rf "$temporary"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=floor GIT_AUTHOR_EMAIL=floor@example.invalid
export GIT_COMMITTER_NAME=floor GIT_COMMITTER_EMAIL=floor@example.invalid

make_repo() { # DIR: a repository of $files files of 3 kB, 100 in a directory
  local i
  git init -q -b main "$1"
  for ((i = 0; i < files; i++)); do
    ((i % 100)) || mkdir "$1/d$((i / 100))"
    printf '%0*d\n' 3000 "$i" >"$1/d$((i / 100))/f$i"
  done
  git -C "$1" add -A && git -C "$1" commit -q -m start
}

spawn() { # I
  git -C "$repo" worktree add -q --no-track -b "task-$1" "$work/w$1" main
  "${tmux[@]}" new-window -d -t floor: -c "$work/w$1" \
    "echo x >file-$1; git add file-$1; git commit -q -m task-$1; exec tmux wait-for -S done-$1"
}

land() { # I
  "${tmux[@]}" wait-for "done-$1"
  git merge -q --no-ff --no-commit "task-$1" 2>"$work/said" || { cat "$work/said" >&2 && exit 1; }
  test -f "file-$1"
  git commit -q --no-edit
}

if [[ -z $repo ]]; then
  repo=$work/repo
  make_repo "$repo"
fi
cd "$repo"
"${tmux[@]}" new-session -d -s floor 'exec tail -f /dev/null'

began=$(date +%s%N)
for ((i = 1; i <= tasks; i++)); do spawn "$i"; done
for ((i = 1; i <= tasks; i++)); do land "$i"; done
ended=$(date +%s%N)

landed=$(git ls-files 'file-*' | wc -l)
printf '{"files": %d, "tasks": %d, "landed": %d, "seconds": %d.%03d}\n' "$(($(git ls-files | wc -l) - landed))" \
  "$tasks" "$landed" $(((ended - began) / 1000000000)) $(((ended - began) / 1000000 % 1000))
((landed == tasks))
