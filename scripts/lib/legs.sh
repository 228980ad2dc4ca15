# shellcheck shell=sh
# shellcheck disable=SC2034,SC2154  # shared with the script that sources this
# Sourced by test.sh: no part of the tests holds up the whole. Each runs with a limit of time, and all of them with a deadline.
#
#   legs_begin MINUTES                 the deadline of all legs, from now
#   leg NAME SECONDS COMMAND [ARG...]  runs the command, without stdin, for SECONDS at most and not beyond the deadline
#   legs_interrupted STATUS            ends the leg under way, shows what it printed, and exits
#
# `leg` sets leg_status, the exit status, and leg_problem: empty, or why the command has not come to its own end. What the command
# prints goes to $scratch/output, not to our stdout: a process that it leaves must not keep that open. Reads `repository`, `scratch`.

leg_process='' leg_problem='' leg_status=0

# Seconds on a clock that nobody sets, where there is one to read.
legs_clock() {
    if read -r legs_uptime _ 2>/dev/null < /proc/uptime; then printf '%s\n' "${legs_uptime%.*}"; else date +%s; fi
}

legs_begin() {
    legs_minutes=$1
    legs_deadline=$(($(legs_clock) + $1 * 60))
}

leg() {
    leg_name=$1 leg_limit=$2
    shift 2
    leg_problem='' leg_status=0
    : > "$scratch/output"
    leg_began=$(legs_clock)
    if [ "$leg_began" -ge "$legs_deadline" ]; then
        leg_problem="not run: the $legs_minutes minutes for all tests are over" leg_status=124
        return 0
    fi
    if [ "$leg_limit" -gt $((legs_deadline - leg_began)) ]; then leg_limit=$((legs_deadline - leg_began)); fi
    printf 'run   %s\n' "$leg_name"
    # In the background, so that a signal to this shell is handled before the command ends.
    timeout --foreground -k 60 "$leg_limit" sh "$repository/scripts/lib/leg.sh" "$@" </dev/null >"$scratch/output" 2>&1 &
    leg_process=$!
    wait "$leg_process" || leg_status=$?
    leg_process=''
    leg_seconds=$(($(legs_clock) - leg_began))
    case $leg_status in
        124 | 137)
            # The clock shows whole seconds.
            if [ $((leg_seconds + 1)) -ge "$leg_limit" ]; then leg_problem="ended at its limit of $leg_limit s"; fi
            ;;
    esac
}

legs_interrupted() {
    trap '' HUP INT TERM
    if [ -n "$leg_process" ]; then
        kill -TERM "$leg_process" 2>/dev/null || :
        wait "$leg_process" || :
        cat "$scratch/output"
        printf 'FAIL  %s: interrupted\n' "$leg_name"
    fi
    exit "$1"
}
