# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # shared with bench.sh, which sources this, or set by eval
# Sourced by bench.sh: the rows about agents at work and at rest. As bench-rows.sh.

row_first_byte() {
    row first-byte 'posix_spawn and read, in C'
    metric p50_us less 'task to first event, p50 us' 'ratio 1.25'
    metric p99_us less '  p99 us'
    count=100
    if [ "$quick" = yes ]; then count=30; fi
    bench_agent=$tools/firstagent
    start_server colibri first-byte
    bench_agent=''
    round=1
    while [ "$round" -le "$rounds" ]; do
        "$tools/firstbyte" colibri "$count" "$server_socket" > "$scratch/figures"
        take p50_us colibri "$round"
        take p99_us colibri "$round"
        "$tools/firstbyte" peer "$count" "$tools/firstagent" > "$scratch/figures"
        take p50_us peer "$round"
        take p99_us peer "$round"
        round=$((round + 1))
    done
    stop_servers
}

# For each thread of a process the time it has run, in nanoseconds, and how often it has gone to sleep.
running_time() {
    for thread in /proc/"$1"/task/*; do
        awk -v thread="${thread##*/}" 'FNR == NR { time = $1; next } $1 == "voluntary_ctxt_switches:" { print thread, time, $2 }' \
            "$thread/schedstat" "$thread/status" 2>/dev/null || :
    done
}

spawn_many() {
    if [ "$1" -gt 0 ]; then "$tools/pingclient" colibri "$server_socket" "$1" 1 "$2" > /dev/null; fi
}

# Sleeps a second and percent of a core between two calls of running_time; what threads did that have ended in between is not known.
usage_between() {
    awk -v seconds="$3" 'FNR == NR { time[$1] = $2; waits[$1] = $3; next } { ran += $2 - time[$1]; slept += $3 - waits[$1] }
        END { printf "cpu %.4f\nwaits %.2f\n", ran / seconds / 1e7, slept / seconds }' "$1" "$2"
}

row_idle_cpu() {
    row idle-cpu ''
    if [ ! -r /proc/self/schedstat ]; then
        note 'skipped: there is no /proc/PID/schedstat here'
        return 0
    fi
    seconds=60 idle_agents=1000
    if [ "$quick" = yes ]; then seconds=5 idle_agents=100; fi
    for agents in 0 "$idle_agents"; do
        metric "cpu_$agents" less "$agents idle agents, % of a core" 'value 0.1'
        metric "waits_$agents" less '  wake-ups a second'
    done
    for agents in 0 "$idle_agents"; do
        start_server colibri "idle-cpu-$agents"
        spawn_many "$agents" "{\"cmd\":\"spawn-local\",\"path\":\"$tools/idleagent\"}"
        sleep 5
        running_time "$server_pid" > "$scratch/before"
        sleep "$seconds"
        running_time "$server_pid" > "$scratch/after"
        usage_between "$scratch/before" "$scratch/after" "$seconds" > "$scratch/figures"
        take "cpu_$agents" colibri 1 cpu
        take "waits_$agents" colibri 1 waits
        stop_servers
    done
}

row_streams() {
    row streams ''
    if [ ! -r /proc/self/schedstat ]; then
        note 'skipped: there is no /proc/PID/schedstat here'
        return 0
    fi
    sizes=1000 seconds=30
    if [ "$growth" = yes ]; then sizes='100 300 600 1000' seconds=15; fi
    if [ "$quick" = yes ]; then sizes=100 seconds=4; fi
    for agents in $sizes; do
        metric "cpu_$agents" less "$agents x 100 events/s, % of a core" "$(if [ "$agents" = 1000 ]; then echo 'value 50'; fi)"
        metric "p99_$agents" less '  event to subscriber, p99 us' "$(if [ "$agents" = 1000 ]; then echo 'value 20000'; fi)"
        metric "p50_$agents" less '  p50 us'
        metric "missed_$agents" less '  events the subscriber missed'
        metric "late_$agents" less '  how late the load was, at most us'
        metric "full_$agents" less '  events that found a pipe full'
        start_server colibri "streams-$agents"
        spawn_many "$agents" "{\"cmd\":\"spawn-local\",\"path\":\"$tools/idleagent\"}"
        # For longer than is measured: all of it is at work at the start and at the end.
        "$tools/streamload" "$server_pid" 100 "$((seconds + 4))" > "$scratch/load" &
        load=$!
        sleep 2
        running_time "$server_pid" > "$scratch/before"
        "$tools/panewatch" "$server_socket" "$seconds" > "$scratch/watched"
        running_time "$server_pid" > "$scratch/after"
        usage_between "$scratch/before" "$scratch/after" "$seconds" > "$scratch/figures"
        cat "$scratch/watched" >> "$scratch/figures"
        take "cpu_$agents" colibri 1 cpu
        take "p99_$agents" colibri 1 p99_us
        take "p50_$agents" colibri 1 p50_us
        take "missed_$agents" colibri 1 missed
        wait "$load"
        cat "$scratch/load" >> "$scratch/figures"
        take "late_$agents" colibri 1 late_us
        take "full_$agents" colibri 1 full
        stop_servers
    done
}
