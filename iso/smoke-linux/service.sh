#!/bin/sh
# The service of the Linux smoke image, colibri-service there, whose only other program is busybox: a supervisor that starts the daemon again when it dies.
# SMOKE_ROOT, SMOKE_USER, SMOKE_RESTART_DELAY and SMOKE_TICK let the tests run it elsewhere.
set -u

root=${SMOKE_ROOT:-}
user=${SMOKE_USER:-colibri}
delay=${SMOKE_RESTART_DELAY:-5}
bin=$root/usr/local/bin
run=$root/var/run/colibri
log=$root/var/log/colibri
COLIBRI_DAEMON_SOCKET=$run/colibri.sock
COLIBRI_DB_PATH=$root/var/db/colibri/colibri.sqlite
COLIBRI_SCHEDULER_INTERVAL=${SMOKE_TICK:-2s}
export COLIBRI_DAEMON_SOCKET COLIBRI_DB_PATH COLIBRI_SCHEDULER_INTERVAL
umask 027
cd /

as_user() {
    if [ "$(id -un)" = "$user" ]; then exec "$@"; fi
    exec su -s /bin/sh "$user" -c "exec $*"
}

lives() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null; }

supervise() {
    # In one step: whoever finds the file finds the pid in it.
    printf '%s\n' $$ > "$run/supervisor.pid.new"
    mv "$run/supervisor.pid.new" "$run/supervisor.pid"
    stopping=no child=''
    trap 'stopping=yes; [ -z "$child" ] || kill -TERM "$child" 2>/dev/null' TERM
    while [ "$stopping" = no ]; do
        (as_user "$bin/colibri-daemon" --pidfile "$run/daemon.pid") &
        child=$!
        # A signal ends the wait, not the child.
        while kill -0 "$child" 2>/dev/null; do wait "$child"; done
        if [ "$stopping" = yes ]; then break; fi
        # In the background: a signal waits for the end of what runs in front.
        sleep "$delay" &
        child=$!
        wait "$child"
    done
    rm -f "$run/supervisor.pid"
}

start() {
    if lives "$run/supervisor.pid"; then
        printf 'colibri-service: it runs already, pid %s\n' "$(cat "$run/supervisor.pid")" >&2
        return 1
    fi
    for directory in "$root/var/db/colibri" "$run" "$log"; do
        mkdir -p "$directory"
        chmod 0750 "$directory"
        if [ "$(id -un)" != "$user" ]; then chown "$user:$user" "$directory"; fi
    done
    setsid "$0" supervise </dev/null >>"$log/daemon.log" 2>&1 &
    tries=0
    until lives "$run/supervisor.pid"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || return 1
        sleep 0.1
    done
}

stop() {
    lives "$run/supervisor.pid" || return 0
    kill -TERM "$(cat "$run/supervisor.pid")"
    tries=0
    while lives "$run/supervisor.pid"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ] || return 1
        sleep 0.1
    done
}

case ${1:-} in
    start) start ;;
    stop) stop ;;
    status) lives "$run/supervisor.pid" && lives "$run/daemon.pid" ;;
    health) "$bin/colibri" ping ;;
    reload) lives "$run/daemon.pid" && kill -HUP "$(cat "$run/daemon.pid")" ;;
    supervise) supervise ;;
    *)
        printf 'usage: colibri-service start | stop | status | health | reload\n' >&2
        exit 2
        ;;
esac
