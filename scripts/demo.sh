#!/bin/sh
# Builds Colibri and shows its main job from end to end, in a private place that is gone afterwards.
set -eu

usage() {
    cat <<'END'
usage: demo.sh [--agent pi] [--keep] [--help]

Builds Colibri, starts a private daemon in a temporary folder, puts a task on the
board, and shows what an operator sees while an agent works on it and after.
Stops everything it started.

  --agent pi   let the pi on your PATH do it, with its own models and keys,
               instead of the test agent that needs no model
  --keep       leave the folder (database, session log, daemon's log) behind
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

say() { printf '\n\033[1m%s\033[0m\n' "$1"; }
[ -t 1 ] || say() { printf '\n== %s\n' "$1"; }

# The command as an operator would type it, then what it prints.
show() {
    printf '$ colibri'
    for word in "$@"; do
        case $word in *[!A-Za-z0-9_./=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
    colibri "$@"
}

say 'Building (quiet; the first time takes some minutes)'
"$repository/scripts/build.sh"

PATH=$repository/dist:$PATH
folder=$(mktemp -d /tmp/colibri-demo.XXXXXX)
daemon=''
finish() {
    status=$?
    trap - EXIT HUP INT TERM
    if [ -n "$daemon" ]; then
        kill -TERM "$daemon" 2>/dev/null || :
        wait "$daemon" 2>/dev/null || :
    fi
    if [ "$status" -ne 0 ] && [ -s "$folder/daemon.log" ]; then
        printf '\ndemo.sh: the last of the daemon log:\n' >&2
        tail -n 20 "$folder/daemon.log" >&2
    fi
    if [ "$keep" = yes ]; then printf '\nkept: %s\n' "$folder"; else rm -rf "$folder"; fi
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

COLIBRI_DAEMON_SOCKET=$folder/colibri.sock
COLIBRI_DB_PATH=$folder/colibri.sqlite
COLIBRI_SESSIONS_DIR=$folder/sessions
COLIBRI_SCHEDULER_INTERVAL=1s
export COLIBRI_DAEMON_SOCKET COLIBRI_DB_PATH COLIBRI_SESSIONS_DIR COLIBRI_SCHEDULER_INTERVAL
if [ "$agent" = pi ]; then
    COLIBRI_AGENT_BINARY=pi
    COLIBRI_AGENT_ARGS='--mode json --no-session'
    title='Say which operating system this is'
    description='Run uname with the bash tool and answer in one sentence.'
else
    COLIBRI_AGENT_BINARY=$repository/dist/colibri-test-agent
    COLIBRI_AGENT_ARGS='--emit-usage --step-ms 60'
    title='Greet the operator'
    description='Say hello, and say what Colibri is for.'
fi
export COLIBRI_AGENT_BINARY COLIBRI_AGENT_ARGS

say 'A daemon of its own'
colibri-daemon --pidfile "$folder/colibri.pid" 2>"$folder/daemon.log" &
daemon=$!
tries=0
until colibri ping >/dev/null 2>&1; do
    kill -0 "$daemon" 2>/dev/null || fail 'the daemon did not start'
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || fail 'the daemon does not answer'
    sleep 0.05
done
show status

say 'A task goes onto the board; the scheduler starts an agent on it at once'
show create-task --title "$title" --description "$description"
task=$(colibri list-tasks --json | sed 's/.*"id":"\([^"]*\)".*/\1/')
show list-tasks
show snapshot

say 'Waiting for its verdict'
show wait "$task" --timeout 300
show get-task "$task"

say 'The pane of the agent that did it, and what was said'
show snapshot
session=$(colibri get-task "$task" --json | sed 's/.*"session_id":"\([^"]*\)".*/\1/')
show get-session "$session"

say 'Stopping'
kill -TERM "$daemon"
wait "$daemon" || fail "the daemon ended with $?"
daemon=''
if [ -e "$COLIBRI_DAEMON_SOCKET" ] || [ -e "$folder/colibri.pid" ]; then
    fail 'the daemon left its socket or pidfile behind'
fi
printf 'The daemon is gone, with its socket, its pidfile and every agent.\n'
