# shellcheck shell=sh
# shellcheck disable=SC2154,SC2016  # shared with bench.sh, which sources this, or set by eval; and RESP has dollars of its own
# Sourced by bench.sh: the rows about the board, beside the same statements in C. As bench-rows.sh.

queued_request='{"cmd":"list-tasks","status":"queued","limit":50}'
create_request='{"cmd":"create-task","title":"mend the roof"}'

without_board_peer() { if [ "$has_board_peer" = no ]; then note 'skipped the peer: there is no SQLite with its headers here'; fi; }

# make_board FOLDER COUNT: a board as the daemon makes it, with COUNT queued tasks; their ids are in FOLDER/ids.
make_board() {
    start_server colibri "$1"
    stop_server "$server_pid"
    if [ "$2" -gt 0 ]; then "$tools/boardpeer" fill "$scratch/$1/board.sqlite" "$2" > "$scratch/$1.ids"; fi
}

row_create() {
    row create 'SQLite in C, group commit'
    metric rate more 'create-task, answered, 1/s' 'ratio 0.5'
    metric redis_rate more '  beside redis RPUSH, fsync' 'ratio 1.0'
    without_board_peer
    without_redis
    count=40000 clients=8 depth=16
    if [ "$quick" = yes ]; then count=8000; fi
    make_board create-peer 0
    round=1
    while [ "$round" -le "$rounds" ]; do
        start_server colibri create
        "$tools/loadclient" colibri "$server_socket" "$clients" "$depth" "$count" "$create_request" > "$scratch/figures"
        stop_server "$server_pid"
        take rate colibri "$round"
        take redis_rate colibri "$round" rate
        if [ "$has_board_peer" = yes ]; then
            "$tools/boardpeer" create "$scratch/create-peer/board.sqlite" "$count" $((clients * depth)) > "$scratch/figures"
            take rate peer "$round"
        fi
        if [ -n "$redis_server" ]; then
            start_server redis-always create-redis
            "$tools/loadclient" redis "$server_socket" "$clients" "$depth" "$count" "$(printf '*3\r\n$5\r\nRPUSH\r\n$5\r\ntasks\r\n$41\r\n{"title":"mend the roof","status":"q"...}\r')" ':' > "$scratch/figures"
            stop_server "$server_pid"
            take redis_rate peer "$round" rate
        fi
        round=$((round + 1))
    done
}

# cycle_rounds TAG TASKS ROUNDS: claim, start and done on a board of that many tasks.
cycle_rounds() {
    make_board "cycle-$1" "$2"
    cp "$scratch/cycle-$1/board.sqlite" "$scratch/cycle-peer.sqlite"
    cycles=2000 cycle_clients=8
    if [ "$quick" = yes ]; then cycles=400; fi
    round=1
    while [ "$round" -le "$3" ]; do
        start_server_on colibri "cycle-$1"
        sed -n "$(((round - 1) * cycles + 1)),$((round * cycles))p" "$scratch/cycle-$1.ids" > "$scratch/cycle.ids"
        "$tools/cycleclient" "$server_socket" "$cycle_clients" "$cycles" "$scratch/cycle.ids" > "$scratch/figures"
        stop_server "$server_pid"
        take "rate_$1" colibri "$round" rate
        "$tools/boardpeer" cycle "$scratch/cycle-peer.sqlite" "$cycles" "$cycle_clients" > "$scratch/figures"
        take "rate_$1" peer "$round" rate
        round=$((round + 1))
    done
    rm -rf "$scratch/cycle-$1" "$scratch/cycle-peer.sqlite" "$scratch/cycle-peer.sqlite-wal" "$scratch/cycle-peer.sqlite-shm"
}

row_cycle() {
    row cycle 'SQLite in C, group commit'
    if [ "$has_board_peer" = no ]; then
        note 'skipped: there is no SQLite with its headers here'
        return 0
    fi
    sizes='10000 100000'
    if [ "$growth" = yes ]; then sizes='20000 100000 300000 1000000'; fi
    if [ "$quick" = yes ]; then sizes=20000; fi
    for size in $sizes; do
        if [ "$size" = 100000 ]; then cycle_target='ratio 0.5'; else cycle_target=''; fi
        metric "rate_$size" more "claim, start, done of $size, 1/s" "$cycle_target"
        cycle_rounds "$size" "$size" "$few_rounds"
    done
}

row_list() {
    row list 'the same with 1,000 tasks'
    if [ "$has_board_peer" = no ]; then
        note 'skipped: there is no SQLite with its headers here'
        return 0
    fi
    sizes=1000000 requests=2000
    if [ "$growth" = yes ]; then sizes='10000 100000 300000 1000000'; fi
    if [ "$quick" = yes ]; then sizes=50000 requests=500; fi
    make_board list-small 1000
    start_server_on colibri list-small
    small_pid=$server_pid small_socket=$server_socket
    for size in $sizes; do
        metric "p99_$size" less "50 of $size queued, p99 us" 'ratio 1.5'
        make_board "list-$size" "$size"
        start_server_on colibri "list-$size"
        round=1
        while [ "$round" -le "$rounds" ]; do
            "$tools/pingclient" colibri "$server_socket" "$requests" 1 "$queued_request" > "$scratch/figures"
            take "p99_$size" colibri "$round" p99_us
            "$tools/pingclient" colibri "$small_socket" "$requests" 1 "$queued_request" > "$scratch/figures"
            take "p99_$size" peer "$round" p99_us
            round=$((round + 1))
        done
        stop_server "$server_pid"
        rm -rf "$scratch/list-$size"
    done
    stop_server "$small_pid"
}
