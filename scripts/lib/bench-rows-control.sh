# shellcheck shell=sh
# shellcheck disable=SC2154  # shared with bench.sh, which sources this, or set by eval
# Sourced by bench.sh: the rows about whole programs and about control. As bench-rows.sh.

row_cli_ping() {
    row cli-ping 'redis-cli ping'
    metric p50_us less 'colibri ping, whole, p50 us' 'ratio 1.5'
    count=200
    if [ "$quick" = yes ]; then count=50; fi
    if [ -z "$redis_server" ] || ! command -v redis-cli >/dev/null 2>&1; then note 'skipped the peer: there is no redis-cli here'; fi
    for side in $(sides); do
        start_server "$(kind_of "$side")" "cli-$side"
        eval "socket_$side=\$server_socket"
    done
    round=1
    while [ "$round" -le "$rounds" ]; do
        "$tools/runloop" "$count" "$bin/colibri" --socket "$socket_colibri" ping > "$scratch/figures"
        take p50_us colibri "$round"
        if [ -n "$redis_server" ] && command -v redis-cli >/dev/null 2>&1; then
            "$tools/runloop" "$count" redis-cli -s "$socket_peer" ping > "$scratch/figures"
            take p50_us peer "$round"
        fi
        round=$((round + 1))
    done
    stop_servers
}

row_sizes() {
    row sizes ''
    metric daemon less 'colibri-daemon, bytes' 'value 6291456'
    metric cli less 'colibri, bytes' 'value 4194304'
    metric mcp less 'colibri-mcp, bytes' 'value 10485760'
    metric web less 'colibri-web, bytes' 'value 10485760'
    metric agent less 'colibri-test-agent, bytes' 'value 2097152'
    for program in daemon:colibri-daemon cli:colibri mcp:colibri-mcp web:colibri-web agent:colibri-test-agent; do
        sample "${program%%:*}" colibri 1 "$(wc -c < "$bin/${program#*:}" | tr -d ' ')"
    done
}

# The daemon's start is the row cold-start, and that of `colibri` is cli-ping.
row_starts() {
    row starts ''
    metric mcp_ms less 'colibri-mcp to initialize, ms'
    metric web_ms less 'colibri-web to /healthz, ms'
    metric agent_us less 'colibri-test-agent, p50 us'
    start_server colibri starts
    round=1
    while [ "$round" -le $((rounds * few_rounds)) ]; do
        "$tools/stdiostart" '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}' \
            "$bin/colibri-mcp" --socket "$server_socket" > "$scratch/figures"
        take mcp_ms colibri "$round" ms
        "$tools/coldstart" http "$scratch/web-socket" "$bin/colibri-web" --listen "unix:$scratch/web-socket" --socket "$server_socket" > "$scratch/figures"
        take web_ms colibri "$round" ms
        rm -f "$scratch/web-socket"
        "$tools/runloop" 10 "$bin/colibri-test-agent" --turns 1 hello > "$scratch/figures"
        take agent_us colibri "$round" p50_us
        round=$((round + 1))
    done
    stop_servers
}

row_control() {
    row control "$supervisor_version"
    metric rate more 'status, one connection, 1/s' 'ratio 20'
    metric svstat_us less 'colibri ping, whole, p50 us'
    count=4000
    if [ "$quick" = yes ]; then count=500; fi
    start_server colibri control
    control_socket=$server_socket
    if [ -n "$supervisor_version" ]; then
        start_supervisord
        cat > "$scratch/call" <<END_OF_CALL
<?xml version='1.0'?><methodCall><methodName>supervisor.getState</methodName><params></params></methodCall>
END_OF_CALL
        {
            printf 'POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive\r\nContent-Type: text/xml\r\nContent-Length: %s\r\n\r\n' \
                "$(wc -c < "$scratch/call" | tr -d ' ')"
            cat "$scratch/call"
        } > "$scratch/request"
    else
        note 'skipped the peer: there is no supervisord here'
    fi
    start_s6
    if [ -z "$s6_service" ]; then note 'skipped s6-svstat: there is no s6 here'; else note 'the last line beside s6-svstat, which reads a file and asks nobody'; fi
    round=1
    while [ "$round" -le "$rounds" ]; do
        "$tools/pingclient" colibri "$control_socket" "$count" 1 '{"cmd":"status"}' > "$scratch/figures"
        take rate colibri "$round"
        if [ -n "$supervisor_version" ]; then
            "$tools/httploop" "$supervisor_socket" $((count / 10)) "$scratch/request" > "$scratch/figures"
            take rate peer "$round"
        fi
        "$tools/runloop" 50 "$bin/colibri" --socket "$control_socket" ping > "$scratch/figures"
        take svstat_us colibri "$round" p50_us
        if [ -n "$s6_service" ]; then
            "$tools/runloop" 50 s6-svstat "$s6_service" > "$scratch/figures"
            take svstat_us peer "$round" p50_us
        fi
        round=$((round + 1))
    done
    stop_servers
}
