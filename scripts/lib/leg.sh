#!/bin/sh
# Runs one command. On SIGTERM (its limit), SIGINT or SIGHUP it names the processes of that command, and ends them all.
#
#   timeout --foreground -k 60 LIMIT sh scripts/lib/leg.sh COMMAND [ARGUMENT...]
#
# The exit status is the command's, or 124 when it was ended. The command has a process group of its own. A process of it that
# left the group is found as a descendant, and on Linux also by a variable in its environment.
set -u

scratch=$(mktemp -d) || exit 125
trap 'rm -rf "$scratch"' EXIT
: > "$scratch/seen"
marker=COLIBRI_TEST_LEG=$$.$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')

# The processes with our marker in their environment. A process can make its own terabytes long: what it was started with had 6 MiB at most.
marked() {
    [ "$(uname -s)" = Linux ] || return 0
    # shellcheck disable=SC2016  # for the inner shell
    timeout 10 sh -c 'for process in /proc/[0-9]*; do
        if head -c 6291456 "$process/environ" 2>/dev/null | grep -qzx "$0"; then printf "marked %s\n" "${process#/proc/}"; fi
    done' "$marker" 2>/dev/null || :
}

# The processes of the command, a line each: pid, start time in five words, command line. A zombie is none.
processes() {
    {
        marked
        ps -axww -o pid= -o ppid= -o stat= -o lstart= -o args=
    } | awk -v root="$command" '
        $1 == "marked" { member[$2] = 1; next }
        { line[$1] = $0; parent[$1] = $2; state[$1] = $3 }
        END {
            member[root] = 1
            do {
                more = 0
                for (pid in parent) if (!(pid in member) && (parent[pid] in member)) { member[pid] = 1; more = 1 }
            } while (more)
            for (pid in member) if (pid in line && state[pid] !~ /^Z/) {
                $0 = line[pid]
                text = $1
                for (i = 4; i <= NF; i++) text = text " " $i
                print text
            }
        }'
}

# What was a process of the command once is one for good, under the same number and start time: its parent may have ended.
living() {
    processes > "$scratch/now"
    ps -axww -o pid= -o stat= -o lstart= | awk '$2 !~ /^Z/ { print $1, $3, $4, $5, $6, $7 }' > "$scratch/all"
    awk 'FILENAME == ARGV[1] { alive[$1 " " $2 " " $3 " " $4 " " $5 " " $6] = 1; next }
        ($1 " " $2 " " $3 " " $4 " " $5 " " $6) in alive && !($1 in told) { told[$1] = 1; print }' \
        "$scratch/all" "$scratch/now" "$scratch/seen" > "$scratch/living"
    cat "$scratch/living" >> "$scratch/seen"
    [ -s "$scratch/living" ]
}

signal_living() {
    while read -r pid rest; do
        kill "-$1" "$pid" 2>/dev/null || :
    done < "$scratch/living"
}

# Two seconds to end after SIGTERM, and SIGKILL until none is left.
end_all() {
    trap '' HUP INT TERM
    if living; then
        printf 'still running:\n'
        sort -n "$scratch/living" | awk '{ text = ""; for (i = 7; i <= NF; i++) text = text " " $i; printf "  %s since %s%s\n", $1, $5, substr(text, 1, 200) }'
        signal_living TERM
        sleep 2
    fi
    rounds=0
    while living && [ "$rounds" -lt 20 ]; do
        signal_living KILL
        sleep 0.1
        rounds=$((rounds + 1))
    done
    exit 124
}
command=''
trap 'if [ -n "$command" ]; then end_all; else exit 124; fi' HUP INT TERM

# timeout(1) for its group, and because the shell would have a command in the background ignore SIGINT.
env "$marker" timeout 0 "$@" &
command=$!
wait "$command"
