#!/bin/sh
# Runs the executables for aarch64 for real: by the processor where it is one, under qemu-aarch64 on x86-64.
set -eu

usage() {
    cat <<'END'
usage: arm64-smoke.sh [--bin DIR] [--help]

Starts a private daemon for aarch64, lets it do a task to its end, stops and kills it,
and prints a line for each thing that passed; the first that does not ends the run.
On aarch64 the programs are run as they are, elsewhere under qemu-aarch64 (qemu-user).

  --bin DIR  where the executables are (default: dist/arm64 in the repository)
  --help     this text

Exit status: 0 all passed, 1 something did not, 2 wrong usage, 3 it cannot be tried here.
END
}

fail() {
    printf 'arm64-smoke.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
binaries=$repository/dist/arm64
while [ $# -gt 0 ]; do
    case $1 in
        --bin)
            if [ $# -lt 2 ] || [ -z "$2" ]; then fail "$1 needs a value (try: arm64-smoke.sh --help)" 2; fi
            binaries=$2
            shift
            ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: arm64-smoke.sh --help)" 2 ;;
    esac
    shift
done
case $binaries in
    /*) ;;
    *) binaries=$(pwd)/$binaries ;;
esac

# shellcheck source=scripts/lib/elf.sh
. "$repository/scripts/lib/elf.sh"
for program in colibri-daemon colibri colibri-web colibri-mcp colibri-test-agent; do
    [ -x "$binaries/$program" ] || fail "$binaries/$program is missing (try: scripts/build.sh --arch arm64 -o $binaries)" 3
    if ! elf_read "$binaries/$program" || [ "$ELF_MACHINE" != aarch64 ]; then fail "$binaries/$program is not for aarch64" 3; fi
done
emulator=''
if [ "$(uname -m)" != aarch64 ]; then
    command -v qemu-aarch64 >/dev/null 2>&1 || fail 'qemu-aarch64 is not installed (Debian: apt-get install qemu-user)' 3
    emulator='qemu-aarch64 -L /usr/aarch64-linux-gnu'
    if [ "$ELF_LINKAGE" = dynamic ] && [ ! -e /usr/aarch64-linux-gnu/lib/ld-linux-aarch64.so.1 ]; then
        fail 'the C library for aarch64 is not in /usr/aarch64-linux-gnu (Debian: apt-get install libc6-dev-arm64-cross)' 3
    fi
fi
command -v setsid >/dev/null 2>&1 || fail 'setsid is not installed' 3

folder=$(mktemp -d "${TMPDIR:-/tmp}/colibri-arm64.XXXXXX")
daemon=''
finish() {
    status=$?
    trap - EXIT HUP INT TERM
    # The programs of this run, by the process ids that they wrote here.
    if [ -n "$daemon" ]; then
        kill -TERM "$daemon" 2>/dev/null || :
        wait "$daemon" 2>/dev/null || :
    fi
    for left in "$folder"/*.pid; do
        if [ -s "$left" ]; then kill -KILL "$(cat "$left")" 2>/dev/null || :; fi
    done
    if [ "$status" -ne 0 ] && [ -s "$folder/daemon.log" ]; then
        printf 'arm64-smoke.sh: the last of the daemon log:\n' >&2
        tail -n 20 "$folder/daemon.log" >&2
    fi
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

passed() { printf 'ok    %s\n' "$1"; }

# Waits up to 60 s for a command to succeed.
until_true() {
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || return 1
        sleep 0.1
    done
}
is_started() { colibri get-task "$1" --json | grep -q '"status":"started"'; }
# Whoever adopted a process may not have reaped it yet: a zombie has ended.
is_gone() {
    case $(sed -n 's/^State:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null) in '' | Z*) return 0 ;; *) return 1 ;; esac
}

# The daemon starts its agent by path and knows of no emulator, so each program gets a script of its name. The agent's leaves a process
# behind in a session of its own; one of a task whose title says so never ends and ignores SIGTERM.
mkdir "$folder/bin" "$folder/home"
for program in colibri-daemon colibri; do
    printf '#!/bin/sh\nexec %s %s/%s "$@"\n' "$emulator" "$binaries" "$program" > "$folder/bin/$program"
done
cat > "$folder/bin/colibri-test-agent" <<END
#!/bin/sh
case "\$*" in *stubborn*) name=stubborn; set -- --stall --ignore-term "\$@" ;; *) name=good ;; esac
echo \$\$ > "$folder/\$name-agent.pid"
setsid sh -c 'echo \$\$ > "\$0"; exec sleep 600' "$folder/\$name-orphan.pid" </dev/null >/dev/null 2>&1 &
until [ -s "$folder/\$name-orphan.pid" ]; do sleep 0.05; done
exec $emulator $binaries/colibri-test-agent "\$@"
END
chmod 755 "$folder"/bin/*
colibri() { "$folder/bin/colibri" "$@"; }

HOME=$folder/home
COLIBRI_DAEMON_SOCKET=$folder/colibri.sock
COLIBRI_DB_PATH=$folder/colibri.sqlite
COLIBRI_SESSIONS_DIR=$folder/sessions
COLIBRI_SCHEDULER_INTERVAL=1s
COLIBRI_AGENT_BINARY=$folder/bin/colibri-test-agent
COLIBRI_AGENT_ARGS=--emit-usage
COLIBRI_PROVIDER_ENV=$folder/provider.env
export HOME COLIBRI_DAEMON_SOCKET COLIBRI_DB_PATH COLIBRI_SESSIONS_DIR COLIBRI_SCHEDULER_INTERVAL COLIBRI_AGENT_BINARY COLIBRI_AGENT_ARGS \
    COLIBRI_PROVIDER_ENV

start_daemon() {
    # shellcheck disable=SC2086  # the emulator and its options, or nothing
    $emulator "$binaries/colibri-daemon" --pidfile "$folder/daemon.pidfile" 2>>"$folder/daemon.log" &
    daemon=$!
    until_true answers || fail 'the daemon does not answer'
}
answers() { colibri ping || ! kill -0 "$daemon" 2>/dev/null; }

for program in colibri-daemon colibri colibri-web colibri-mcp colibri-test-agent; do
    # shellcheck disable=SC2086
    said=$($emulator "$binaries/$program" --version) || fail "$program --version ended with $?"
    case $said in "$program "[0-9]*) ;; *) fail "$program --version said: $said" ;; esac
done
passed 'each of the five programs prints its version'

# The mode and the owner come from struct stat, which is laid out otherwise than on x86-64.
printf 'EXAMPLE_API_KEY=none\n' > "$folder/provider.env"
chmod 644 "$folder/provider.env"
if said=$(timeout 60 "$folder/bin/colibri-daemon" 2>&1); then fail 'a daemon with keys that others may read ended with 0'; fi
case $said in *'its mode is 644'*) ;; *) fail "a file of keys of mode 644 was refused with: $said" ;; esac
passed 'a daemon whose file of keys others may read does not start'

chmod 600 "$folder/provider.env"
start_daemon
colibri ping >/dev/null || fail 'the daemon did not start'
passed 'the daemon starts and answers a ping'

id_of() { sed 's/.*"id":"\([^"]*\)".*/\1/'; }
good=$(colibri create-task --json --title 'Greet the operator' --capability os | id_of)
colibri wait "$good" --timeout 60 >/dev/null || fail "the task did not get done: $(colibri get-task "$good")"
passed 'a task is created, an agent works on it, and its verdict is done'

session=$(colibri get-task "$good" --json | sed 's/.*"session_id":"\([^"]*\)".*/\1/')
colibri get-session "$session" | grep -q 'run ended: done' || fail 'the session does not hold how the run ended'
passed 'its session is read'

is_gone "$(cat "$folder/good-orphan.pid")" || fail 'what the agent left in a session of its own outlived the task'
passed 'what the agent left in a session of its own has ended'

stubborn=$(colibri create-task --json --title 'Be stubborn' --capability os | id_of)
until_true test -s "$folder/stubborn-orphan.pid" || fail 'the second agent did not start'
colibri cancel-task "$stubborn" >/dev/null
until_true is_gone "$(cat "$folder/stubborn-agent.pid")" || fail 'the agent of a cancelled task goes on'
until_true is_gone "$(cat "$folder/stubborn-orphan.pid")" || fail 'what the agent of a cancelled task left goes on'
passed 'cancelling a task ends an agent that ignores SIGTERM, with all that it started'

rm -f "$folder"/stubborn-*.pid
stubborn=$(colibri create-task --json --title 'Be stubborn again' --capability os | id_of)
until_true test -s "$folder/stubborn-orphan.pid" || fail 'the third agent did not start'
left_agent=$(cat "$folder/stubborn-agent.pid") left_orphan=$(cat "$folder/stubborn-orphan.pid")
# Known as started before the kill: what the next daemon ends is what the board names.
until_true is_started "$stubborn" || fail 'the third task was not started'
kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || :
start_daemon
until_true is_gone "$left_agent" || fail 'the agent of a killed daemon goes on under the next one'
until_true is_gone "$left_orphan" || fail 'what the agent of a killed daemon left goes on under the next one'
colibri get-task "$good" --json | grep -q '"status":"done"' || fail 'the board lost a task that was done'
passed 'the daemon that follows a killed one ends what that left, and keeps its board'

kill -TERM "$daemon"
wait "$daemon" || fail "the daemon ended with $?"
daemon=''
if [ -e "$COLIBRI_DAEMON_SOCKET" ] || [ -e "$folder/daemon.pidfile" ]; then fail 'the daemon left its socket or pidfile behind'; fi
passed 'the daemon stops at SIGTERM and removes its socket and pidfile'
