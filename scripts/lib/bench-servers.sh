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
}

# start_server KIND NAME: a daemon or a Redis that answers; sets server_pid and server_socket.
start_server() {
    server_folder=$scratch/$2
    rm -rf "$server_folder"
    mkdir "$server_folder"
    server_socket=$server_folder/socket
    if [ "$1" = colibri ]; then
        (
            daemon_environment "$server_folder"
            exec "$bin/colibri-daemon"
        ) >"$server_folder/log" 2>&1 </dev/null &
    else
        "$redis_server" --port 0 --unixsocket "$server_socket" --dir "$server_folder" --save '' --appendonly no \
            >"$server_folder/log" 2>&1 </dev/null &
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

# "rss_kib", "pss_kib" and "threads" of a process, one a line; nothing where there is no /proc as Linux has it.
memory_of() {
    if [ -r "/proc/$1/smaps_rollup" ]; then
        awk '$1 == "VmRSS:" { print "rss_kib", $2 } $1 == "Threads:" { print "threads", $2 }' "/proc/$1/status"
        awk '$1 == "Pss:" { print "pss_kib", $2 } $1 == "Private_Dirty:" { print "dirty_kib", $2 }' "/proc/$1/smaps_rollup"
    fi
}
