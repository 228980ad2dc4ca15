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

# watched_by WHO: the daemon's processor time, in percent of a core, while WHO looks on. What WHO itself takes, and what it writes, follow.
watched_by() {
    watcher=''
    : > "$scratch/screen"
    case $1 in
        top)
            # A terminal of 120 x 40, which script(1) reads as fast as it can.
            TERM=xterm-256color script -qfc "stty rows 40 cols 120; exec '$bin/colibri' --socket '$server_socket' top" "$scratch/screen" \
                < "$scratch/keys" > /dev/null 2>&1 &
            watcher=$!
            ;;
        web)
            "$bin/colibri-web" --listen 127.0.0.1:0 --socket "$server_socket" > "$scratch/web-log" 2>&1 &
            watcher=$!
            ;;
    esac
    if [ -n "$watcher" ]; then running_servers="$running_servers $watcher"; fi
    sleep 1
    page=''
    : > "$scratch/frames"
    if [ "$1" = web ] && [ "$has_browser" = yes ]; then
        node "$repository/tests/Colibri.Benchmarks/peers/pageframes.mjs" "$(awk '{ print $2; exit }' "$scratch/web-log")agents" "$seconds" > "$scratch/frames" &
        page=$!
    fi
    sleep 2
    looking=$watcher
    if [ "$1" = top ]; then looking=$(pgrep -P "$watcher" | head -n 1); fi
    running_time "$server_pid" > "$scratch/before"
    if [ -n "$looking" ]; then running_time "$looking" > "$scratch/before-looking"; fi
    written=$(wc -c < "$scratch/screen")
    sleep "$seconds"
    running_time "$server_pid" > "$scratch/after"
    usage_between "$scratch/before" "$scratch/after" "$seconds" > "$scratch/figures"
    if [ -n "$looking" ]; then
        running_time "$looking" > "$scratch/after-looking"
        usage_between "$scratch/before-looking" "$scratch/after-looking" "$seconds" | sed 's/^/own_/' >> "$scratch/figures"
        printf 'bytes %s\n' $((($(wc -c < "$scratch/screen") - written) / seconds)) >> "$scratch/figures"
    fi
    if [ -n "$page" ]; then wait "$page" || fail 'the page could not be counted'; fi
    cat "$scratch/frames" >> "$scratch/figures"
    if [ -n "$watcher" ]; then stop_server "$watcher"; fi
}

# work_for SECONDS AGENTS: a daemon whose agents say 100 events a second each for so long.
work_for() {
    start_server colibri "watched-$2"
    spawn_many "$2" "{\"cmd\":\"spawn-local\",\"path\":\"$tools/idleagent\"}"
    "$tools/streamload" "$server_pid" 100 "$1" > "$scratch/load" &
    running_servers="$running_servers $!"
}

# What it costs the daemon to be watched: the same load with nobody looking is the peer, in the same round.
row_watched() {
    row watched 'the same with nobody looking'
    if [ ! -r /proc/self/schedstat ] || ! command -v script >/dev/null 2>&1; then
        note 'skipped: there is no /proc/PID/schedstat or no script(1) here'
        return 0
    fi
    few=200 agents=1000 seconds=15 watched_rounds=$few_rounds
    if [ "$quick" = yes ]; then few=20 agents=100 seconds=4; fi
    metric few_own less "top with $few x 100 events/s, %" 'value 1'
    metric few_bytes less '  what it writes, bytes/s' 'value 2048'
    metric top less "daemon, $agents x 100, top, %" 'ratio 1.05'
    metric top_own less '  top itself, % of a core'
    metric web less '  daemon, colibri-web, %' 'ratio 1.05'
    metric web_own less '  colibri-web itself, %'
    metric page_frames more '  frames/s of its page of agents' 'value 30'
    metric page_gap less '  the longest gap, ms'
    has_browser=no
    if command -v node >/dev/null 2>&1 && [ -x "${CHROMIUM:-/usr/bin/chromium}" ]; then has_browser=yes; fi
    if [ "$has_browser" = no ]; then note 'skipped the page: there is no node or no chromium here'; fi
    mkfifo "$scratch/keys"
    exec 9<> "$scratch/keys"
    work_for $((seconds + 12)) "$few"
    watched_by top
    take few_own colibri 1 own_cpu
    take few_bytes colibri 1 bytes
    stop_servers
    work_for $((watched_rounds * 4 * (seconds + 8) + 5)) "$agents"
    round=1
    while [ "$round" -le "$watched_rounds" ]; do
        for who in top web; do
            watched_by nobody
            take "$who" peer "$round" cpu
            watched_by "$who"
            take "$who" colibri "$round" cpu
            take "${who}_own" colibri "$round" own_cpu
            if [ "$who" = web ] && [ "$has_browser" = yes ]; then
                take page_frames colibri "$round" frames_per_second
                take page_gap colibri "$round" longest_gap_ms
            fi
        done
        round=$((round + 1))
    done
    exec 9>&-
    stop_servers
}
