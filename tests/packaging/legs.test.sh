#!/bin/sh
# The limits of test.sh: a part that hangs is ended with all that it started, has failed by its name, and the next one runs.
# shellcheck disable=SC2154,SC2317,SC2329  # set by legs.sh; functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=scripts/lib/legs.sh
. "$repository/scripts/lib/legs.sh"

# Whether a process runs: a zombie does not.
runs() {
    case $(ps -o stat= -p "$1" 2>/dev/null) in '' | Z*) return 1 ;; esac
}

gone() {
    tries=0
    while runs "$1"; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ] || { printf 'process %s still runs\n' "$1"; return 1; }
        sleep 0.1
    done
}

# Deaf to SIGTERM, with a child in a session of its own and an orphan of init's; says their pids, then waits for ever.
hanging() {
    cat > "$scratch/hanging" <<'END_HANGING'
#!/bin/sh
trap '' TERM
setsid sleep 1001 &
echo "$!" > "$1/child"
(setsid sleep 1002 & echo "$!" > "$1/orphan")
echo "$$" > "$1/self"
echo 'it hangs'
while :; do sleep 1003; done
END_HANGING
    chmod +x "$scratch/hanging"
}

comes_to_its_end() {
    legs_begin 1
    leg 'a quick one' 20 sh -c 'echo said; echo complained >&2; exit 7'
    same 7 "$leg_status"
    same '' "$leg_problem"
    same 'said
complained' "$(cat "$scratch/output")"
    leg 'a sound one' 20 true
    same '0 ' "$leg_status $leg_problem"
}

own_status_is_no_limit() {
    legs_begin 1
    leg 'one with a limit of its own' 20 timeout 1 sleep 30
    same '124 ' "$leg_status $leg_problem"
}

hang_is_ended() {
    legs_begin 1
    hanging
    leg 'one that hangs' 2 "$scratch/hanging" "$scratch"
    same 'ended at its limit of 2 s' "$leg_problem"
    grep -q '^it hangs$' "$scratch/output"
    grep -q '^still running:$' "$scratch/output"
    grep -q "^  $(cat "$scratch/self") since .*hanging" "$scratch/output"
    grep -q "^  $(cat "$scratch/child") since .* sleep 1001$" "$scratch/output"
    for one in self child; do gone "$(cat "$scratch/$one")"; done
    # Only Linux shows the environment by which it is found.
    if [ "$(uname -s)" = Linux ]; then gone "$(cat "$scratch/orphan")"; else kill -KILL "$(cat "$scratch/orphan")"; fi
    leg 'the next one' 20 true
    same '0 ' "$leg_status $leg_problem"
}

deadline_holds() {
    legs_begin 0
    leg 'one too late' 20 sh -c 'echo it ran'
    same 'not run: the 0 minutes for all tests are over' "$leg_problem"
    [ "$leg_status" -ne 0 ]
    same '' "$(cat "$scratch/output")"
    legs_begin 1
    legs_deadline=$(($(legs_clock) + 2))
    leg 'one beyond the deadline' 600 sleep 30
    case $leg_problem in 'ended at its limit of '[12]' s') ;; *) printf 'found: %s\n' "$leg_problem"; return 1 ;; esac
}

interrupt_ends_all() {
    hanging
    rm -f "$scratch/self"
    # shellcheck disable=SC2016  # for the inner shell
    sh -c 'repository=$1 scratch=$2
        . "$repository/scripts/lib/legs.sh"
        trap "legs_interrupted 143" TERM
        legs_begin 5
        leg "one that hangs" 200 "$scratch/hanging" "$scratch"' sh "$repository" "$scratch" > "$scratch/said" 2>&1 &
    legs=$!
    tries=0
    until [ -s "$scratch/self" ]; do
        tries=$((tries + 1))
        [ "$tries" -lt 100 ]
        sleep 0.1
    done
    kill -TERM "$legs"
    interrupted=0
    wait "$legs" || interrupted=$?
    same 143 "$interrupted"
    grep -q '^FAIL  one that hangs: interrupted$' "$scratch/said"
    for one in self child; do gone "$(cat "$scratch/$one")"; done
}

# What reads our output to its end must not wait for a process that a test left.
leftover_holds_nothing() {
    # shellcheck disable=SC2016  # for the inner shell
    timeout 20 sh -c 'sh -c "repository=\$1 scratch=\$2
        . \"\$repository/scripts/lib/legs.sh\"
        legs_begin 1
        leg one 20 sh -c \"setsid sleep 1004 & echo \\\$! > \\\"\\\$0\\\"\" \"\$scratch/left\"" sh "$1" "$2" | cat > /dev/null' sh "$repository" "$scratch"
    kill -KILL "$(cat "$scratch/left")"
}

# A shell has what it starts in the background ignore SIGINT, and tests send it.
sigint_is_not_ignored() {
    legs_begin 1
    # shellcheck disable=SC2016  # for the inner shell
    leg 'one interrupted' 20 sh -c 'kill -INT "$$"; echo it went on'
    same '' "$(cat "$scratch/output")"
    same 130 "$leg_status"
}

check 'a command that ends is shown with its status and what it printed' comes_to_its_end
check 'a command that ends with the status of timeout(1) has not hit the limit' own_status_is_no_limit
check 'a command that hangs is named and ended with all it started, and the next one runs' hang_is_ended
check 'no command runs beyond the deadline of all, and none begins after it' deadline_holds
check 'an interrupt ends the command under way' interrupt_ends_all
check 'a process that a command leaves does not keep our output open' leftover_holds_nothing
check 'SIGINT has its default action in a command' sigint_is_not_ignored
tap_done
