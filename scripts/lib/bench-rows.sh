# shellcheck shell=sh
# shellcheck disable=SC2154  # shared with bench.sh, which sources this, or set by eval
# Sourced by bench.sh: one function a row of docs/benchmarks.md, `row_` and its name. Each round measures Colibri and then the peer,
# so that both see the same machine.
#
# Reads `bin`, `tools`, `scratch`, `repository`, `quick`, `rounds`, and what bench-peers.sh sets.

sides() { if [ -n "$redis_server" ]; then printf 'colibri peer'; else printf 'colibri'; fi; }

without_redis() { if [ -z "$redis_server" ]; then note 'skipped the peer: there is no redis-server here'; fi; }

# Takes a metric out of the "name value" lines in $scratch/figures.
take() { sample "$1" "$2" "$3" "$(figure "$scratch/figures" "${4:-$1}")"; }

kind_of() { if [ "$1" = peer ]; then printf redis; else printf colibri; fi; }

# cold_daemon METRIC ROUND: one start in $scratch/cold-colibri, which keeps its board.
cold_daemon() {
    (
        daemon_environment "$scratch/cold-colibri"
        exec "$tools/coldstart" colibri "$scratch/cold-colibri/socket" "$bin/colibri-daemon"
    ) > "$scratch/figures"
    take "$1" colibri "$2" ms
}

row_cold_start() {
    row cold-start "$redis_version"
    metric ms less 'to first answered ping, ms' 'ratio 1.0'
    metric fresh_ms less '  where there was no board yet'
    without_redis
    round=1
    while [ "$round" -le $((rounds * few_rounds)) ]; do
        rm -rf "$scratch/cold-colibri" "$scratch/cold-peer"
        mkdir "$scratch/cold-colibri" "$scratch/cold-peer"
        cold_daemon fresh_ms "$round"
        cold_daemon ms "$round"
        if [ -n "$redis_server" ]; then
            "$tools/coldstart" redis "$scratch/cold-peer/socket" "$redis_server" --port 0 --unixsocket "$scratch/cold-peer/socket" \
                --dir "$scratch/cold-peer" --save '' --appendonly no > "$scratch/figures"
            take ms peer "$round"
        fi
        round=$((round + 1))
    done
}

row_idle_rss() {
    row idle-rss "$redis_version"
    if [ ! -r /proc/self/smaps_rollup ]; then
        note 'skipped: there is no /proc/PID/smaps_rollup here'
        return 0
    fi
    metric rss_kib less 'VmRSS, KiB' 'value 16384'
    metric pss_kib less 'Pss, KiB'
    metric dirty_kib less 'private dirty, KiB'
    metric threads less threads
    metric rss_after_kib less '  after 50,000 pings, KiB'
    if [ -n "$supervisor_version" ]; then metric supervisord_kib same 'VmRSS of supervisord, KiB'; fi
    without_redis
    round=1
    while [ "$round" -le "$few_rounds" ]; do
        for side in $(sides); do
            start_server "$(kind_of "$side")" "idle-$side"
            eval "pid_$side=\$server_pid socket_$side=\$server_socket"
        done
        sleep 3
        for side in $(sides); do
            eval "pid=\$pid_$side"
            memory_of "$pid" > "$scratch/figures"
            for name in rss_kib pss_kib dirty_kib threads; do take "$name" "$side" "$round"; done
            eval "socket=\$socket_$side"
            "$tools/pingclient" "$(kind_of "$side")" "$socket" 50000 1 >/dev/null
            memory_of "$pid" > "$scratch/figures"
            take rss_after_kib "$side" "$round" rss_kib
        done
        if [ -n "$supervisor_version" ]; then
            start_supervisord
            sleep 3
            memory_of "$supervisor_pid" > "$scratch/figures"
            take supervisord_kib colibri "$round" rss_kib
        fi
        stop_servers
        round=$((round + 1))
    done
}

row_ping() {
    row ping "$redis_version"
    metric rate more 'one at a time, requests/s' 'ratio 1.2'
    metric p50_us less '  p50, us'
    metric p99_us less '  p99, us'
    metric rate16 more '16 at a time, requests/s' 'ratio 1.0'
    connection_counts=50
    if [ "$growth" = yes ]; then connection_counts='1 10 50 200'; fi
    for connections in $connection_counts; do
        metric "rate_of_$connections" more "$connections connections, requests/s" "$(if [ "$connections" = 50 ]; then echo 'ratio 1.0'; fi)"
    done
    without_redis
    count=30000
    if [ "$quick" = yes ]; then count=10000; fi
    for side in $(sides); do
        start_server "$(kind_of "$side")" "ping-$side"
        eval "socket_$side=\$server_socket"
    done
    round=1
    while [ "$round" -le "$rounds" ]; do
        for side in $(sides); do
            eval "socket=\$socket_$side"
            "$tools/pingclient" "$(kind_of "$side")" "$socket" "$count" 1 > "$scratch/figures"
            for name in rate p50_us p99_us; do take "$name" "$side" "$round"; done
        done
        for side in $(sides); do
            eval "socket=\$socket_$side"
            "$tools/pingclient" "$(kind_of "$side")" "$socket" $((count * 8)) 16 > "$scratch/figures"
            take rate16 "$side" "$round" rate
        done
        for connections in $connection_counts; do
            for side in $(sides); do
                eval "socket=\$socket_$side"
                "$tools/loadclient" "$(kind_of "$side")" "$socket" "$connections" 1 $((count * 2)) > "$scratch/figures"
                take "rate_of_$connections" "$side" "$round" rate
            done
        done
        round=$((round + 1))
    done
    stop_servers
}

# fold_metrics TAG WORDS RECORDING...
fold_recordings() {
    tag=$1 words=$2
    shift 2
    metric "gb_per_s_$tag" more "$words, GB/s" "ratio $fold_target"
    metric "ns_per_line_$tag" less '  ns a line'
    metric "bytes_per_line_$tag" less '  bytes allocated a line' 'value 0'
    megabytes=128 passes=2
    if [ "$quick" = yes ]; then megabytes=32 passes=1; fi
    round=1
    while [ "$round" -le "$rounds" ]; do
        "$tools/colibri-benchmarks" fold "$megabytes" "$passes" pi "$@" > "$scratch/figures"
        take "gb_per_s_$tag" colibri "$round" gb_per_s
        take "ns_per_line_$tag" colibri "$round" ns_per_line
        take "bytes_per_line_$tag" colibri "$round" bytes_per_line
        if [ "$has_simdjson" = yes ]; then
            cp "$scratch/figures" "$scratch/ours"
            "$tools/foldpeer" "$megabytes" "$passes" "$@" > "$scratch/figures"
            take "gb_per_s_$tag" peer "$round" gb_per_s
            # Two programs that read different things are no peers.
            for name in events turns input; do
                if [ "$(figure "$scratch/ours" "$name")" != "$(figure "$scratch/figures" "$name")" ]; then
                    fail "fold: $name is $(figure "$scratch/ours" "$name") here and $(figure "$scratch/figures" "$name") at the peer"
                fi
            done
        fi
        round=$((round + 1))
    done
}

row_fold() {
    row fold "$simdjson_version"
    if [ "$has_simdjson" = no ]; then note 'skipped the peer: there is no simdjson with its headers here'; fi
    recordings=$repository/tests/recordings
    # Not the run that was killed: its torn last line would run into the next recording's first.
    fold_target=1.5
    fold_recordings pi_1_5 'Pi 1.5.2' "$recordings/pi-1.5.2-json-tool.jsonl" "$recordings/pi-1.5.2-json-two.jsonl" \
        "$recordings/pi-1.5.2-json-think.jsonl" "$recordings/pi-1.5.2-json-retry.jsonl" "$recordings/pi-1.5.2-json-fail.jsonl" \
        "$recordings/pi-1.5.2-json-length.jsonl" "$recordings/pi-1.5.2-rpc-main.jsonl"
    fold_target=1.0
    fold_recordings pi_0_73 'Pi 0.73.1' "$recordings/pi-0.73.1-json-tool.jsonl" "$recordings/pi-0.73.1-json-retry.jsonl"
}

row_spawn() {
    row spawn 'posix_spawn with pipes, in C'
    metric rate more 'starts of /bin/true, 1/s' 'ratio 0.85'
    count=500
    if [ "$quick" = yes ]; then count=150; fi
    true_program=$(command -v true)
    for candidate in /bin/true /usr/bin/true; do
        if [ -x "$candidate" ]; then true_program=$candidate; break; fi
    done
    round=1
    while [ "$round" -le "$rounds" ]; do
        "$tools/colibri-benchmarks" spawn "$count" "$true_program" > "$scratch/figures"
        take rate colibri "$round"
        "$tools/spawnloop" "$count" "$true_program" > "$scratch/figures"
        take rate peer "$round"
        round=$((round + 1))
    done
}

row_idle_panes() {
    row idle-panes ''
    if [ ! -r /proc/self/smaps_rollup ]; then
        note 'skipped: there is no /proc/PID/smaps_rollup here'
        return 0
    fi
    sizes=1000
    if [ "$growth" = yes ]; then sizes='100 300 600 1000'; fi
    if [ "$quick" = yes ]; then sizes='100 300'; fi
    metric pss_0 less 'no pane: Pss, KiB'
    metric threads_0 same '  threads'
    for panes in $sizes; do
        metric "pss_per_pane_$panes" less "$panes panes: Pss a pane, KiB" "$(if [ "$panes" = 1000 ]; then echo 'value 16'; fi)"
        metric "dirty_per_pane_$panes" less "  private dirty, KiB"
        metric "threads_$panes" same '  threads'
    done
    pane_rounds=2
    if [ "$quick" = yes ]; then pane_rounds=1; fi
    round=1
    while [ "$round" -le "$pane_rounds" ]; do
        start_server colibri panes
        sleep 3
        memory_of "$server_pid" > "$scratch/none"
        sample pss_0 colibri "$round" "$(figure "$scratch/none" pss_kib)"
        sample threads_0 colibri "$round" "$(figure "$scratch/none" threads)"
        running=0
        for panes in $sizes; do
            "$tools/pingclient" colibri "$server_socket" $((panes - running)) 1 \
                "{\"cmd\":\"spawn-local\",\"path\":\"$tools/idleagent\"}" >/dev/null
            running=$panes
            sleep 3
            memory_of "$server_pid" > "$scratch/figures"
            for name in pss dirty; do
                sample "${name}_per_pane_$panes" colibri "$round" "$(awk -v name="${name}_kib" -v panes="$panes" '
                    $1 == name { if (FNR == NR) none = $2; else printf "%.2f", ($2 - none) / panes }' "$scratch/none" "$scratch/figures")"
            done
            sample "threads_$panes" colibri "$round" "$(figure "$scratch/figures" threads)"
        done
        stop_servers
        round=$((round + 1))
    done
}

row_append() {
    row append ''
    count=30000
    if [ "$quick" = yes ]; then count=10000; fi
    for mode in fast smart max; do
        metric "notes_$mode" more "notes in $mode, appends/s"
        metric "turns_$mode" more "turns in $mode, appends/s"
    done
    round=1
    while [ "$round" -le "$few_rounds" ]; do
        for mode in fast smart max; do
            rm -rf "$scratch/append"
            mkdir "$scratch/append"
            "$tools/colibri-benchmarks" append "$count" "$mode" "$scratch/append" > "$scratch/figures"
            take "notes_$mode" colibri "$round" notes
            take "turns_$mode" colibri "$round" turns
        done
        round=$((round + 1))
    done
}

row_sessions() {
    row sessions ''
    if [ ! -r /proc/self/status ]; then
        note 'skipped: there is no /proc/PID/status here'
        return 0
    fi
    count=10000
    if [ "$quick" = yes ]; then count=2000; fi
    metric managed less 'managed bytes a session'
    metric resident less 'resident bytes a session'
    round=1
    while [ "$round" -le "$few_rounds" ]; do
        rm -rf "$scratch/sessions"
        mkdir "$scratch/sessions"
        "$tools/colibri-benchmarks" sessions "$count" "$scratch/sessions" > "$scratch/figures"
        take managed colibri "$round"
        take resident colibri "$round"
        round=$((round + 1))
    done
}
