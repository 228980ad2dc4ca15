#!/bin/sh
# The native daemon started as no one would start it on purpose: each start works, or fails with one clear line.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

bin=${COLIBRI_BIN_DIR:-$repository/dist}
daemon=$bin/colibri-daemon
colibri=$bin/colibri
session=01a20277-20da-71a6-91a5-86a2cdaa149a
deadline=300 # tenths of a second

at_end() {
    if [ -e "$scratch/pids" ]; then
        while read -r left; do
            kill -9 "$left" 2>/dev/null
        done < "$scratch/pids"
    fi
    if [ -e "$scratch/disk" ]; then umount "$scratch/disk" 2>/dev/null; fi
}

# A folder of the check's own, and what the daemon is told of it.
fresh() {
    home=$scratch/$1
    mkdir "$home"
    socket=$home/d.sock
    set_path="PATH=$bin:/usr/bin:/bin" set_socket=COLIBRI_DAEMON_SOCKET=$socket set_board=COLIBRI_DB_PATH=$home/var/board.sqlite
}

# Waits for a condition.
until_true() {
    waited=0
    until "$@" >/dev/null 2>&1; do
        waited=$((waited + 1))
        if [ "$waited" -gt "$deadline" ]; then
            printf 'not within %s tenths of a second: %s\n' "$deadline" "$*"
            if [ -e "$home/log" ]; then tail -n 20 "$home/log"; fi
            return 1
        fi
        sleep 0.1
    done
}

# Takes the daemon just started in the background for the check's own, and waits until it answers.
started() {
    pid=$1
    printf '%s\n' "$pid" >> "$scratch/pids"
    until_true "$colibri" --socket "$socket" ping
}

stopped() {
    kill -TERM "$pid"
    until_true test ! -e "$socket"
    wait "$pid"
}

works() {
    "$colibri" --socket "$socket" create-task --title 'Say which day it is' >/dev/null
    "$colibri" --socket "$socket" append-session --session-id "$session" --kind user --text hello >/dev/null
    agent=$("$colibri" --socket "$socket" --json spawn-agent colibri-test-agent -- 'which day is it' | sed -n 's/.*"id":"\([^"]*\)".*/\1/p')
    until_true has_ended
}

has_ended() {
    "$colibri" --socket "$socket" --json snapshot | grep "$agent" | grep -q '"stopped"'
}

refused_in_one_line() {
    same 1 "$status"
    same 1 "$(wc -l < "$home/said")"
    for word in "$@"; do
        grep -q -e "$word" "$home/said" || { printf '%s is not in: %s\n' "$word" "$(cat "$home/said")"; return 1; }
    done
}

ignored_hangup() {
    fresh hup
    (trap '' HUP; exec env -i "$set_path" "$set_socket" "$set_board" "$daemon" 2>"$home/log") &
    started $!
    kill -HUP "$pid"
    until_true grep -q '\[104\]' "$home/log"
    "$colibri" --socket "$socket" ping >/dev/null
    stopped
}

ignored_terminate() {
    fresh term
    (trap '' TERM; exec env -i "$set_path" "$set_socket" "$set_board" "$daemon" 2>"$home/log") &
    started $!
    stopped
}

# 0, 1 and 2 must be neither file nor socket of the daemon's, or what is meant for a reader goes into them.
no_stray_streams() {
    for descriptor in 0 1 2; do
        case $(readlink "/proc/$pid/fd/$descriptor") in
            /dev/null | /dev/urandom | "$home"/log) ;;
            *) ls -l "/proc/$pid/fd"; return 1 ;;
        esac
    done
}

closed() {
    fresh "closed-$(printf '%s' "$1" | tr -cd 012)"
    (
        exec </dev/null >"$home/log" 2>"$home/log"
        for descriptor in $1; do
            eval "exec $descriptor<&-"
        done
        exec env -i "$set_path" "$set_socket" "$set_board" "$daemon"
    ) &
    started $!
    works
    no_stray_streams
    stopped
    same 'SQLite format 3' "$(head -c 15 "$home/var/board.sqlite")"
}

closed_and_refused() {
    fresh closed-refused
    status=0
    (exec 0<&- 1<&- 2<&-; exec env -i COLIBRI_DAEMON_SOCKET=relative "$daemon") || status=$?
    same 1 "$status"
}

# A user that may write nowhere.
as_nobody() {
    chmod 755 "$scratch"
    chmod 777 "$home"
    if [ "$(id -u)" -eq 0 ]; then setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; else "$@"; fi
}

nothing_in_the_environment() {
    fresh empty
    status=0
    as_nobody env -i "$daemon" 2>"$home/said" || status=$?
    refused_in_one_line COLIBRI_DB_PATH HOME
}

no_place_for_the_socket() {
    fresh no-socket
    status=0
    as_nobody env -i "$set_board" "$daemon" 2>"$home/said" || status=$?
    refused_in_one_line COLIBRI_DAEMON_SOCKET /var/run/colibri
}

paths_and_nothing_else() {
    fresh paths
    env -i "$set_socket" "$set_board" "$daemon" 2>"$home/log" &
    started $!
    works
    stopped
}

plain_on_a_terminal() {
    said=$(TERM=xterm script -qec "$COLIBRI_BIN_DIR/colibri-daemon --version" /dev/null | tr -d '\r')
    case $said in
        'colibri-daemon '[0-9]*) ;;
        *) printf '%s' "$said" | od -c; return 1 ;;
    esac
}

unwritable_directory() {
    fresh read-only
    (cd /proc && exec env -i "$set_path" "$set_socket" "$set_board" "$daemon" 2>"$home/log") &
    started $!
    works
    stopped
}

deleted_directory() {
    fresh deleted
    mkdir "$home/gone"
    (cd "$home/gone" && rmdir "$home/gone" && exec env -i "$set_path" "$set_socket" "$set_board" "$daemon" 2>"$home/log") &
    started $!
    works
    grep -q '\[109\]' "$home/log"
    stopped
}

modes_under() {
    fresh "umask-$1"
    # Directories that are missing, so that the daemon makes all of them.
    socket=$home/run/colibri/d.sock
    (
        umask "$1"
        exec env -i "$set_path" "COLIBRI_DAEMON_SOCKET=$socket" "$set_board" "$daemon" --pidfile "$home/pid" 2>"$home/log"
    ) &
    started $!
    "$colibri" --socket "$socket" append-session --session-id "$session" --kind user --text hello >/dev/null
    "$colibri" --socket "$socket" create-task --title 'Say which day it is' >/dev/null
    same "644 pid
770 run
770 run/colibri
770 run/colibri/d.sock
750 var
640 var/board.sqlite
640 var/board.sqlite-shm
640 var/board.sqlite-wal
640 var/board.sqlite.lock
750 var/sessions
750 var/sessions/$session
640 var/sessions/$session/0001.jsonl" "$(cd "$home" && find pid run var -printf '%m %p\n' | LC_ALL=C sort -k2)"
    stopped
}

fill_disk() {
    dd if=/dev/zero of="$scratch/disk/filling" bs=1k count=4096 2>/dev/null || :
}

full_disk_at_start() {
    fresh full-start
    fill_disk
    status=0
    env -i "$set_path" "$set_socket" "COLIBRI_DB_PATH=$scratch/disk/start/board.sqlite" "$daemon" 2>"$home/said" || status=$?
    refused_in_one_line "$scratch/disk/start/board.sqlite" 'free some space'
    rm "$scratch/disk/filling"
    [ ! -e "$socket" ]
}

refuses_tasks() {
    "$colibri" --socket "$socket" create-task --title "$(printf %0900d 0)" 2>&1 | grep -q '(unavailable)'
}

full_disk_while_running() {
    fresh full
    env -i "$set_path" "$set_socket" "COLIBRI_DB_PATH=$scratch/disk/run/board.sqlite" "$daemon" 2>"$home/log" &
    started $!
    "$colibri" --socket "$socket" create-task --title 'There was room' >/dev/null
    fill_disk
    until_true refuses_tasks
    "$colibri" --socket "$socket" ping >/dev/null
    "$colibri" --socket "$socket" list-tasks --limit 1 >/dev/null
    grep -q '\[303\]' "$home/log"
    # What writes nothing succeeds on a full disk as well, and is no sign that there is room.
    "$colibri" --socket "$socket" heartbeat --agent-id 01a20277-20c6-7afd-a350-a40e300b83fd >/dev/null 2>&1 || :
    same 0 "$(grep -c '\[304\]' "$home/log")"
    rm "$scratch/disk/filling"
    "$colibri" --socket "$socket" create-task --title 'There is room again' >/dev/null
    grep -q '\[304\]' "$home/log"
    stopped
}

# A path of so many bytes below the check's folder.
long_path() {
    long_rest=$(($1 - ${#home} - 1))
    printf '%s/%s\n' "$home" "$(printf "%0${long_rest}d" 0)"
}

longest_socket_path() {
    fresh path-103
    socket=$(long_path 103)
    env -i "$set_path" "COLIBRI_DAEMON_SOCKET=$socket" "$set_board" "$daemon" 2>"$home/log" &
    started $!
    works
    stopped
}

too_long_socket_path() {
    fresh "path-$1"
    socket=$(long_path "$1")
    status=0
    env -i "$set_path" "COLIBRI_DAEMON_SOCKET=$socket" "$set_board" "$daemon" 2>"$home/said" || status=$?
    refused_in_one_line "$socket" "$1 bytes" 'limit is 103' COLIBRI_DAEMON_SOCKET
    [ ! -e "$home/var" ]
}

check 'started with HUP ignored, it answers HUP' ignored_hangup
check 'started with TERM ignored, it ends at TERM' ignored_terminate
for streams in 0 1 2 '0 1' '0 2' '1 2' '0 1 2'; do
    check "started without descriptor $streams, it works, and no file or socket takes the number" closed "$streams"
done
check 'started without descriptors and with a wrong setting, it exits 1' closed_and_refused
check 'an empty environment is refused in one line' nothing_in_the_environment
check 'a user without a place for the socket is told in one line' no_place_for_the_socket
check 'two paths are all the environment it needs' paths_and_nothing_else
if command -v script >/dev/null 2>&1; then
    check 'a terminal gets the words and no control sequence' plain_on_a_terminal
else
    skip 'a terminal gets the words and no control sequence' 'there is no script(1) here'
fi
check 'a working directory that cannot be written does not matter' unwritable_directory
check 'started in a directory that is gone, it says so and works' deleted_directory
check 'umask 077 takes nothing from the modes' modes_under 077
check 'umask 000 adds nothing to the modes' modes_under 000
mkdir "$scratch/disk"
if [ "$(id -u)" -ne 0 ]; then
    skip 'a full disk at start is told in one line' 'only root can mount a small disk'
    skip 'a full disk refuses writes for as long as it is full, and nothing else' 'only root can mount a small disk'
elif ! mount -t tmpfs -o size=1m colibri-test "$scratch/disk" 2>"$scratch/mount"; then
    skip 'a full disk at start is told in one line' "$(head -n 1 "$scratch/mount")"
    skip 'a full disk refuses writes for as long as it is full, and nothing else' "$(head -n 1 "$scratch/mount")"
else
    check 'a full disk at start is told in one line' full_disk_at_start
    check 'a full disk refuses writes for as long as it is full, and nothing else' full_disk_while_running
fi
check 'a socket path of 103 bytes works' longest_socket_path
for bytes in 104 200; do
    check "a socket path of $bytes bytes is refused in one line before anything is made" too_long_socket_path "$bytes"
done
tap_done
