# shellcheck shell=sh
# shellcheck disable=SC2154  # shared with bench.sh, which sources this
# Sourced by bench.sh: starts and ends the servers that are measured. Each gets a folder of its own under $scratch; whatever is still
# there at the end, stop_servers ends.
#
# Reads `scratch`, `bin` (our executables) and `tools` (the small programs of the benchmark).

running_servers=''

# What the daemon finds in its environment, and nothing of the caller's own settings.
daemon_environment() {
    mkdir -p "$1/sessions"
    env | sed -n 's/^\(COLIBRI_[A-Z_]*\)=.*/\1/p' > "$1/inherited"
    while IFS= read -r variable; do
        unset "$variable"
    done < "$1/inherited"
    COLIBRI_DAEMON_SOCKET=$1/socket COLIBRI_DB_PATH=$1/board.sqlite COLIBRI_SESSIONS_DIR=$1/sessions COLIBRI_MAX_AGENTS=1024
    export COLIBRI_DAEMON_SOCKET COLIBRI_DB_PATH COLIBRI_SESSIONS_DIR COLIBRI_MAX_AGENTS
    if [ -n "${bench_agent:-}" ]; then
        COLIBRI_AGENT_BINARY=$bench_agent
        export COLIBRI_AGENT_BINARY
    fi
}

# start_server KIND NAME: a daemon or a Redis that answers; sets server_pid and server_socket. KIND is colibri, redis, or redis-always
# for one that syncs every append. `bench_agent` names the daemon's agent.
start_server() {
    rm -rf "${scratch:?}/$2"
    mkdir "$scratch/$2"
    start_server_on "$1" "$2"
}

# The same on what an earlier one has left.
start_server_on() {
    server_folder=$scratch/$2
    server_socket=$server_folder/socket
    if [ "$1" = colibri ]; then
        (
            daemon_environment "$server_folder"
            exec "$bin/colibri-daemon"
        ) >"$server_folder/log" 2>&1 </dev/null &
    else
        if [ "$1" = redis-always ]; then set -- redis "$2" --appendonly yes --appendfsync always; else set -- redis "$2" --appendonly no; fi
        server_name=$2
        shift 2
        "$redis_server" --port 0 --unixsocket "$server_socket" --dir "$server_folder" --save '' "$@" \
            >"$server_folder/log" 2>&1 </dev/null &
        set -- redis "$server_name"
    fi
    server_pid=$!
    running_servers="$running_servers $server_pid"
    if ! "$tools/pingclient" "$1" "$server_socket" 1 1 >/dev/null; then
        tail -n 5 "$server_folder/log" >&2
        fail "$2 does not answer"
    fi
}

# Waits for a graceful end, which with a thousand agents takes a while, then for none.
stop_server() {
    kill "$1" 2>/dev/null || :
    stop_tries=0
    while kill -0 "$1" 2>/dev/null; do
        stop_tries=$((stop_tries + 1))
        if [ "$stop_tries" -eq 600 ]; then
            printf 'bench.sh: process %s does not end on SIGTERM within 60 s; killed\n' "$1" >&2
            kill -KILL "$1" 2>/dev/null || :
        fi
        sleep 0.1
    done
    wait "$1" 2>/dev/null || :
    running_servers=$(printf '%s' "$running_servers" | tr ' ' '\n' | grep -vx "$1" | tr '\n' ' ' || :)
}

stop_servers() {
    for server in $running_servers; do
        stop_server "$server"
    done
}

# Supervisord from its package's files, which are not installed: installing it would start a service. Sets supervisor_socket.
start_supervisord() {
    supervisor_folder=$scratch/supervisord
    rm -rf "$supervisor_folder"
    mkdir "$supervisor_folder"
    supervisor_socket=$supervisor_folder/socket
    cat > "$supervisor_folder/conf" <<END_OF_CONF
[supervisord]
nodaemon = true
logfile = $supervisor_folder/log
pidfile = $supervisor_folder/pid
[unix_http_server]
file = $supervisor_socket
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
END_OF_CONF
    PYTHONPATH=$supervisor_root/usr/lib/python3/dist-packages "$supervisor_python" "$supervisor_root/usr/bin/supervisord" -c "$supervisor_folder/conf" \
        >"$supervisor_folder/output" 2>&1 </dev/null &
    supervisor_pid=$!
    running_servers="$running_servers $supervisor_pid"
    await_socket "$supervisor_socket" supervisord
}

# A service under s6-supervise for s6-svstat to look at. Sets s6_service, empty where there is no s6.
start_s6() {
    s6_service=''
    command -v s6-supervise >/dev/null 2>&1 || return 0
    s6_service=$scratch/s6
    rm -rf "$s6_service"
    mkdir "$s6_service"
    printf '#!/bin/sh\nexec sleep 1000000\n' > "$s6_service/run"
    chmod +x "$s6_service/run"
    s6-supervise "$s6_service" >/dev/null 2>&1 </dev/null &
    running_servers="$running_servers $!"
    s6_tries=0
    until s6-svstat "$s6_service" >/dev/null 2>&1; do
        s6_tries=$((s6_tries + 1))
        if [ "$s6_tries" -eq 100 ]; then fail 's6-supervise does not come up'; fi
        sleep 0.1
    done
}

await_socket() {
    await_tries=0
    until [ -S "$1" ]; do
        await_tries=$((await_tries + 1))
        if [ "$await_tries" -eq 300 ]; then fail "$2 does not listen within 30 s"; fi
        sleep 0.1
    done
}

# "rss_kib", "pss_kib" and "threads" of a process, one a line; nothing where there is no /proc as Linux has it.
memory_of() {
    if [ -r "/proc/$1/smaps_rollup" ]; then
        awk '$1 == "VmRSS:" { print "rss_kib", $2 } $1 == "Threads:" { print "threads", $2 }' "/proc/$1/status"
        awk '$1 == "Pss:" { print "pss_kib", $2 } $1 == "Private_Dirty:" { print "dirty_kib", $2 }' "/proc/$1/smaps_rollup"
    fi
}
