#!/bin/sh
# Builds Colibri and shows its main job from end to end, in a private place that is gone afterwards.
set -eu

usage() {
    cat <<'END'
usage: demo.sh [--agent pi] [--keep] [--help]

Builds Colibri, makes a small repository with a test, starts a private daemon for
it in a temporary folder, and lets an agent work on a task there. The check fails
once, goes back to the agent, and passes. The change is looked at, and it lands.
Stops everything it started.

  --agent pi   let the pi on your PATH do it, with its own models and keys,
               instead of a script that needs no model
  --keep       leave the folder (repository, database, sessions, log) behind
  --help       this text
END
}

fail() {
    printf 'demo.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
agent=test keep=no
while [ $# -gt 0 ]; do
    case $1 in
        --agent)
            [ $# -ge 2 ] || fail '--agent needs a name: pi' 2
            agent=$2
            shift
            ;;
        --keep) keep=yes ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: demo.sh --help)" 2 ;;
    esac
    shift
done
case $agent in
    test) ;;
    pi) command -v pi >/dev/null 2>&1 || fail 'there is no pi on PATH: npm install -g @earendil-works/pi-coding-agent' ;;
    *) fail "--agent $agent: pi is the only other agent this demo knows" 2 ;;
esac
command -v git >/dev/null 2>&1 || fail 'there is no git on PATH: the demo works in a repository'
# shellcheck source=scripts/lib/story.sh
. "$repository/scripts/lib/story.sh"

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$1"; }

# The command as an operator would type it, then what it prints.
show() {
    typed "$@"
    "$@"
}

say 'Building (quiet; the first time takes some minutes)'
"$repository/scripts/build.sh"

binaries=$repository/dist
PATH=$binaries:$PATH
folder=$(mktemp -d /tmp/colibri-demo.XXXXXX)
daemon=''
finish() {
    status=$?
    trap - EXIT HUP INT TERM
    drop_daemon "$status"
    if [ "$keep" = yes ]; then printf '\nkept: %s\n' "$folder"; else rm -rf "$folder"; fi
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

begin_story "$folder"
if [ "$agent" = pi ]; then
    sed "s|^binary = .*agent.sh.*|binary = \"pi\"|" "$COLIBRI_CONFIG" > "$COLIBRI_CONFIG.new"
    mv "$COLIBRI_CONFIG.new" "$COLIBRI_CONFIG"
fi

say 'A repository with a test, and a daemon that knows it as the workspace "site"'
cat "$COLIBRI_CONFIG"
start_daemon
cd "$folder/site"

say 'A task is put on the board from where it is to be done'
show colibri add 'Greet by name at login' --agent pi --description 'Add login.sh, which greets its argument, and tests/login, which tests that.'

say 'Waiting for its verdict: a check that fails goes back to the agent'
show colibri wait 1 --timeout 600
show colibri get-task 1

say 'What waits for a person'
show colibri inbox

say 'The change, and its landing: the check runs on what was merged'
show colibri diff 1
show colibri land 1
show git log --oneline --graph
show sh test.sh

say 'Stopping'
end_daemon
printf 'The daemon is gone, with its socket, its pidfile and every agent.\n'
