#!/bin/sh
# An external MCP server at its worst: sh worst-server.sh HOW STARTED. What it starts goes into the file STARTED, a pid and a start time each line.
how=$1 started=$2

# In a group and session of its own; the second one without the environment that it could be known by.
note() {
    printf '%s %s\n' "$1" "$(sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20)" >>"$started"
}
litter() {
    setsid sleep 1000 >/dev/null 2>&1 &
    note $!
    env -i setsid sleep 1000 >/dev/null 2>&1 &
    note $!
    # Its parent ends at once, so that it is an orphan from the beginning.
    (env -i setsid sleep 1000 >/dev/null 2>&1 & note $!)
}
forever() {
    while :; do sleep 1000; done
}

note $$
case $how in
    mute)
        litter
        forever
        ;;
    flood) exec yes 'this is no message' ;;
    endless) exec tr '\0' x </dev/zero ;;
esac
while read -r line; do
    id=$(printf '%s\n' "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
    case $line in
        *'"server/discover"'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"no such method"}}\n' "$id" ;;
        *'"initialize"'*) printf '{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"worst","version":"1"}}}\n' "$id" ;;
        *'"tools/call"'*)
            case $how in
                hang)
                    litter
                    forever
                    ;;
                deaf)
                    trap '' TERM HUP INT
                    litter
                    forever
                    ;;
                die)
                    litter
                    exit 3
                    ;;
                noise)
                    litter
                    printf 'garbage\n\n{"jsonrpc":\n[]\n{"jsonrpc":"2.0","id":9999,"result":{}}\n'
                    yes 'a secret' | head -c 10000000 >&2
                    ;;
            esac
            printf '{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":"answered"}]}}\n' "$id"
            ;;
    esac
done
