#!/bin/sh
# Colibri's rc script with the real programs, under stand-ins for rc.subr and daemon(8): start, health, reload, crash, stop.
# shellcheck disable=SC2016,SC2154,SC2317,SC2329  # functions are called through `check`; the sourced files set `repository`, `scratch`, `root`; text is quoted as it is
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/freebsd-root.sh
. "$(dirname -- "$0")/lib/freebsd-root.sh"

at_end() {
    for root in "$scratch"/root.*; do
        if [ -d "$root" ]; then end_root; fi
    done
}

# A socket's path may have 103 bytes at most: it must fit below the root.
install_colibri() {
    make_root
    ln "$COLIBRI_BIN_DIR/colibri" "$COLIBRI_BIN_DIR/colibri-test-agent" "$COLIBRI_BIN_DIR/colibri-daemon" "$root/usr/local/bin/" 2>/dev/null ||
        cp "$COLIBRI_BIN_DIR/colibri" "$COLIBRI_BIN_DIR/colibri-test-agent" "$COLIBRI_BIN_DIR/colibri-daemon" "$root/usr/local/bin/"
    socket=$root/var/run/colibri/colibri.sock
    log=$root/var/log/colibri/daemon.log
    rc_conf <<'CONF'
colibri_daemon_restart_delay=1
colibri_daemon_scheduler_interval=100ms
CONF
}

colibri() {
    "$root/usr/local/bin/colibri" --socket "$socket" "$@"
}

child() {
    cat "$root/var/run/colibri/daemon.pid"
}

supervisor() {
    cat "$root/var/run/colibri/supervisor.pid"
}

# The pid of whoever answers.
answering() {
    colibri --json status | sed -n 's/.*"pid":\([0-9]*\).*/\1/p'
}

answers() {
    colibri ping >/dev/null 2>&1
}

nothing_is_left() {
    same '' "$(find "$root/var/run" -not -type d)"
}

start() {
    service colibri_daemon start
    same '0 Starting colibri_daemon.' "$service_status $(said)"
}

life() {
    install_colibri
    service colibri_daemon status
    same '1 colibri_daemon is not running.' "$service_status $(said)"
    service colibri_daemon health
    same 1 "$service_status"
    same 1 "$(wc -l < "$root/said" | tr -d ' ')"

    start
    answers
    # The daemon itself, and not daemon(8).
    same "protect -p $(child)" "$(calls | grep '^protect')"
    service colibri_daemon status
    same "0 colibri_daemon is running as pid $(child)." "$service_status $(said)"
    same "$(child)" "$(answering)"
    service colibri_daemon health
    same 0 "$service_status"
    said | grep -qx 'colibri_daemon is healthy: the daemon at /var/run/colibri/colibri.sock answers, in [0-9.]* ms\.'
    service colibri_daemon start
    same "1 colibri_daemon already running?  (pid=$(child))." "$service_status $(said)"

    first=$(child) above=$(supervisor)
    service colibri_daemon restart
    same '0 Stopping colibri_daemon.
Starting colibri_daemon.' "$service_status $(said)"
    gone "$first"
    gone "$above"
    last=$(child) above=$(supervisor)
    service colibri_daemon stop
    same '0 Stopping colibri_daemon.' "$service_status $(said)"
    gone "$last"
    gone "$above"
    nothing_is_left
    service colibri_daemon stop
    same '1 colibri_daemon not running? (check /var/run/colibri/daemon.pid).' "$service_status $(said)"
    service colibri_daemon faststop
    same '0 ' "$service_status $(said)"
}

not_enabled() {
    install_colibri
    echo colibri_daemon_enable=NO | rc_conf
    service colibri_daemon onestart
    same 0 "$service_status"
    service colibri_daemon health
    same 0 "$service_status"
    service colibri_daemon onestop
    same 0 "$service_status"
    service colibri_daemon health
    same 1 "$service_status"
    nothing_is_left
}

hung() {
    install_colibri
    start
    pid=$(child)
    kill -STOP "$pid"
    service colibri_daemon health
    kill -CONT "$pid"
    same '1 colibri_daemon is not healthy: no answer within 5 s on /var/run/colibri/colibri.sock' "$service_status $(said)"
}

in_log() {
    grep -q "$1" "$log"
}

rotated() {
    install_colibri
    start
    before=$(child)
    mv "$log" "$log.0"
    service colibri_daemon reload
    same '0 ' "$service_status $(said)"
    # What is logged goes to the new file, by the same daemon.
    eventually test -e "$log"
    colibri set-cost-mode fast >/dev/null
    eventually in_log fast
    same '' "$(grep fast "$log.0")"
    same "$before" "$(child)"
}

back_again() {
    [ "$(child 2>/dev/null)" != "$1" ] && answers
}

crash() {
    install_colibri
    start
    colibri create-task --title 'outlives its daemon' >/dev/null
    before=$(child) above=$(supervisor)
    kill -KILL "$before"
    eventually back_again "$before"
    same "$above" "$(supervisor)"
    colibri list-tasks | grep -q 'outlives its daemon'
    service colibri_daemon status
    same "0 colibri_daemon is running as pid $(child)." "$service_status $(said)"
}

between_restarts() {
    install_colibri
    echo colibri_daemon_restart_delay=60 | rc_conf
    start
    pid=$(child) above=$(supervisor)
    kill -KILL "$pid"
    eventually gone "$pid"
    service colibri_daemon start
    same "1 /usr/local/etc/rc.d/colibri_daemon: ERROR: daemon(8), pid $above, is about to start it again; see /var/log/colibri/daemon.log, or stop it first" \
        "$service_status $(said)"
    service colibri_daemon stop
    same '0 Stopping colibri_daemon.' "$service_status $(said)"
    gone "$above"
    same '' "$(find "$root/var/run/colibri" -name '*.pid')"
}

# An agent with a tool in a session of its own: daemon(8) waits until all that hold its pipe are gone.
agents_do_not_hold_the_log() {
    install_colibri
    printf 'colibri_daemon_agent_binary=%s/usr/local/bin/long\n' "$root" | rc_conf
    printf '#!/bin/sh\nsetsid sleep 300 & echo $! > %s/tool\nsleep 300\n' "$root" > "$root/usr/local/bin/long"
    chmod +x "$root/usr/local/bin/long"
    start
    colibri create-task --title 'takes its time' >/dev/null
    eventually test -s "$root/tool"
    before=$(child)
    kill -KILL "$before"
    eventually back_again "$before"
    service colibri_daemon stop
    same 0 "$service_status"
    eventually gone "$(cat "$root/tool")"
    nothing_is_left
}

supervisor_killed() {
    install_colibri
    start
    pid=$(child)
    kill -KILL "$(supervisor)"
    alone="daemon(8), which supervises it, is gone: nothing starts it again and its log is lost; type: service colibri_daemon restart"
    service colibri_daemon status
    same "0 colibri_daemon is running as pid $pid.
colibri_daemon: $alone" "$service_status $(said)"
    service colibri_daemon health
    same "1 colibri_daemon is not healthy: $alone" "$service_status $(said)"
    service colibri_daemon reload
    same "1 colibri_daemon: $alone" "$service_status $(said)"
    service colibri_daemon start
    same "1 /usr/local/etc/rc.d/colibri_daemon: ERROR: it runs as pid $pid, but $alone" "$service_status $(said)"
    service colibri_daemon restart
    same '0 Stopping colibri_daemon.
Starting colibri_daemon.' "$service_status $(said)"
    gone "$pid"
    pid=$(child)
    kill -KILL "$(supervisor)"
    service colibri_daemon stop
    same '0 Stopping colibri_daemon.' "$service_status $(said)"
    gone "$pid"
    nothing_is_left
}

# Numbers that are somebody else's by now.
stale_pidfiles() {
    install_colibri
    sleep 300 &
    stranger=$!
    mkdir -p "$root/var/run/colibri"
    printf %s "$stranger" > "$root/var/run/colibri/daemon.pid"
    printf %s "$stranger" > "$root/var/run/colibri/supervisor.pid"
    service colibri_daemon stop
    same 1 "$service_status"
    alive "$stranger"
    printf %s "$stranger" > "$root/var/run/colibri/daemon.pid"
    printf %s "$stranger" > "$root/var/run/colibri/supervisor.pid"
    start
    answers
    service colibri_daemon stop
    same 0 "$service_status"
    alive "$stranger"
    kill "$stranger"
    nothing_is_left
}

will_not_end() {
    install_colibri
    echo colibri_daemon_stop_timeout=1 | rc_conf
    start
    pid=$(child)
    kill -STOP "$pid"
    service colibri_daemon stop
    same '0 Stopping colibri_daemon.
/usr/local/etc/rc.d/colibri_daemon: WARNING: not ended within 1 s, killed; agents that it leaves are ended at its next start' "$service_status $(said)"
    gone "$pid"
    # The socket is the daemon's to remove: the next one finds that nobody listens.
    [ -S "$socket" ]
    start
    answers
}

refuses_to_start() {
    install_colibri
    echo "$1" | rc_conf
    service colibri_daemon start
    same 1 "$service_status"
    said | grep -v '^Starting' > "$root/reason"
    same 1 "$(wc -l < "$root/reason" | tr -d ' ')"
    grep -F "$2" "$root/reason" || { cat "$root/reason"; return 1; }
    same '' "$(find "$root/var/run/colibri" -name '*.pid')"
}

wrong_setting() {
    refuses_to_start colibri_daemon_cost_mode=cheap 'ERROR: COLIBRI_COST_MODE=cheap cannot be used: use fast, smart, max'
    refuses_to_start "colibri_daemon_env='COLIBRI_STALL_AFTER=soon'" 'ERROR: COLIBRI_STALL_AFTER=soon cannot be used: use a duration'
    # Nothing was started that would end again and again.
    same '' "$(daemon_arguments)"
}

ends_at_once() {
    install_colibri
    mkdir -p "$root/var/db/colibri/colibri.sqlite"
    service colibri_daemon start
    same 1 "$service_status"
    said | grep -q 'ERROR: it ended at once: colibri-daemon: .*colibri.sqlite'
    nothing_is_left
    service colibri_daemon status
    same 1 "$service_status"
}

# A start without an end would take its whole time-out and leave the loop behind.
ends_at_once_in_time() {
    install_colibri
    printf 'colibri_daemon_restart_delay=5\ncolibri_daemon_start_timeout=30\n' | rc_conf
    mkdir -p "$root/var/db/colibri"
    printf 'this is no database, however long it may be. ' > "$root/var/db/colibri/colibri.sqlite"
    started=$(date +%s)
    service colibri_daemon start
    took=$(($(date +%s) - started))
    same 1 "$service_status"
    said | grep -q 'ERROR: it ended at once: colibri-daemon: .*is not a SQLite database'
    [ "$took" -lt 15 ] || { printf 'it took %s s\n' "$took"; return 1; }
    nothing_is_left
}

another_listens() {
    install_colibri
    start
    kill -KILL "$(supervisor)"
    rm -f "$root/var/run/colibri/daemon.pid" "$root/var/run/colibri/supervisor.pid"
    service colibri_daemon start
    same "1 /usr/local/etc/rc.d/colibri_daemon: ERROR: a daemon that is not this service's answers on /var/run/colibri/colibri.sock; end it first" \
        "$service_status $(said)"
    answers
    kill "$(answering)"
    eventually nothing_is_left >/dev/null
}

# membarrier and mlock as they are under linux64 in a jail without allow.mlock.
traced() {
    mv "$root/usr/local/bin/$1" "$root/usr/local/bin/$1.real"
    printf '#!/bin/sh\nexec %s -f -o /dev/null -e trace=membarrier,mlock -e inject=membarrier:error=ENOSYS -e inject=mlock:error=EPERM %s "$@"\n' \
        "$(command -v strace)" "$root/usr/local/bin/$1.real" > "$root/usr/local/bin/$1"
    chmod +x "$root/usr/local/bin/$1"
}

no_locked_memory() {
    install_colibri
    traced colibri-daemon
    cp "$1" "$root/usr/local/bin/colibri-daemon.real.new"
    mv "$root/usr/local/bin/colibri-daemon.real.new" "$root/usr/local/bin/colibri-daemon.real"
    # The program itself says nothing: that is what there is to explain.
    silent=0
    "$root/usr/local/bin/colibri-daemon" --version > "$root/silence" 2>&1 || silent=$?
    same '255 ' "$silent $(cat "$root/silence")"

    : > "$root/jailed"
    service colibri_daemon start
    same '1 /usr/local/etc/rc.d/colibri_daemon: ERROR: /usr/local/bin/colibri-daemon ends with 255 and no word, for want of locked memory: this jail lacks allow.mlock; on the host: jail -m name=NAME allow.mlock, and allow.mlock in jail.conf(5)' \
        "$service_status $(said)"
    rm "$root/jailed"
    echo "colibri_daemon_limits='-l 0'" | rc_conf
    service colibri_daemon start
    same '1 /usr/local/etc/rc.d/colibri_daemon: ERROR: /usr/local/bin/colibri-daemon ends with 255 and no word, for want of locked memory: the limit of locked memory is 0; set colibri_daemon_limits="-l 64m", or memorylocked of the login class daemon in login.conf(5)' \
        "$service_status $(said)"
    same '' "$(daemon_arguments)"
    nothing_is_left
}

no_locked_memory_for_the_client() {
    install_colibri
    start
    traced colibri
    : > "$root/jailed"
    service colibri_daemon health
    same '1 colibri_daemon is not healthy: /usr/local/bin/colibri ends with 255 and no word, for want of locked memory: this jail lacks allow.mlock; on the host: jail -m name=NAME allow.mlock, and allow.mlock in jail.conf(5)' \
        "$service_status $(said)"
}

if [ -z "${COLIBRI_BIN_DIR:-}" ]; then
    skip 'the service lives and leaves nothing behind' 'COLIBRI_BIN_DIR is not set: no programs to run'
    tap_done
fi
check 'the service starts, answers, restarts, stops and leaves nothing behind' life
check 'health is answered whether or not the service is enabled' not_enabled
check 'a daemon that hangs is not healthy' hung
check 'reload has the log opened anew and leaves the daemon alone' rotated
check 'a daemon that crashes is started again and has its tasks' crash
check 'between two starts the service is not started twice, and can be stopped' between_restarts
check 'agents and their tools do not hold up a restart or a stop' agents_do_not_hold_the_log
check 'a daemon without its supervisor is stopped' supervisor_killed
check 'pids in stale files are left alone' stale_pidfiles
check 'a daemon that will not end is killed, and its socket left to the next' will_not_end
check 'a setting that the daemon refuses is said by start, and nothing started' wrong_setting
check 'a daemon that ends at once is no start, and is not tried again' ends_at_once
check 'a damaged board is said at once, and nothing is left running' ends_at_once_in_time
check 'a live daemon keeps its socket' another_listens
if strace -f -o /dev/null -e trace=mlock -e inject=mlock:error=EPERM true 2>/dev/null; then
    check 'without membarrier and mlock start gives the reason instead of silence' no_locked_memory "$COLIBRI_BIN_DIR/colibri-daemon"
    if [ -n "${COLIBRI_STATIC_BIN_DIR:-}" ]; then
        check 'so it does for the static program' no_locked_memory "$COLIBRI_STATIC_BIN_DIR/colibri-daemon"
    else
        skip 'so it does for the static program' 'COLIBRI_STATIC_BIN_DIR is not set'
    fi
    check 'without membarrier and mlock health gives the reason instead of silence' no_locked_memory_for_the_client
else
    skip 'without membarrier and mlock start gives the reason instead of silence' 'strace is not installed, or may not trace'
    skip 'so it does for the static program' 'strace is not installed, or may not trace'
    skip 'without membarrier and mlock health gives the reason instead of silence' 'strace is not installed, or may not trace'
fi
tap_done
