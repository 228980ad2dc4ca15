#!/bin/sh
# The acceptance of an installed Colibri: docs/ISO-ACCEPTANCE-RUNBOOK.md as a program, run on the booted system.
# Nothing but what FreeBSD's base system and busybox have both: no jq, no GNU options.
set -eu

usage() {
    cat <<'END'
usage: acceptance.sh [--json FILE] [--keep-running | --force] [--restart-delay SECONDS]
                     [--deadline SECONDS] [--service-command PROGRAM] [--root DIR]
                     [--user NAME] [--group NAME] [--list] [--help]

Checks an installed Colibri on the system it runs on, as root: files, service, board,
agent, log, crash, stop. Prints a line a step (TAP). A step that cannot be made here is
skipped and says why; so is one that stands on another that failed.

The daemon is killed once and stopped once, and left as it was found. What the run puts
on the board no configured agent takes; it is cancelled, and stays as a record.

  --json FILE           also write the result as clawdie.iso.validation.v1;
                        -: on standard output, between two marker lines
  --keep-running        for a machine in use: leave out what interrupts the service
  --force               interrupt it even while agents work
  --restart-delay N     seconds the supervisor waits before it starts a daemon that died
                        (what rc.conf says, or 5)
  --deadline N          seconds a service command or an agent's run may take (60)
  --service-command P   P start|stop|status|health|reload in place of service(8) or systemctl
  --root DIR            the installation lies below DIR
  --user, --group NAME  who the service runs as (colibri, and the same)
  --list                print the steps and do nothing
  --help                this text

Exit status: 0 no step failed, 1 a step failed, 2 wrong usage, 3 the steps cannot be
made here (the line on standard error says why) or were interrupted.
END
}

fail() {
    printf 'acceptance.sh: %s\n' "$1" >&2
    exit "${2:-3}"
}

root='' user='' group='' json='' service_command='' keep_running=no force=no list=no restart_delay='' deadline=60
while [ $# -gt 0 ]; do
    case $1 in
        --json | --restart-delay | --deadline | --service-command | --root | --user | --group)
            if [ $# -lt 2 ] || [ -z "$2" ]; then
                fail "$1 needs a value (try: acceptance.sh --help)" 2
            fi
            case $1 in
                --json) json=$2 ;;
                --restart-delay) restart_delay=$2 ;;
                --deadline) deadline=$2 ;;
                --service-command) service_command=$2 ;;
                --root) root=${2%/} ;;
                --user) user=$2 ;;
                --group) group=$2 ;;
            esac
            shift
            ;;
        --keep-running) keep_running=yes ;;
        --force) force=yes ;;
        --list) list=yes ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: acceptance.sh --help)" 2 ;;
    esac
    shift
done
for seconds in ${restart_delay:+"$restart_delay"} "$deadline"; do
    case $seconds in
        *[!0-9]* | ?????*) fail "$seconds: not a number of seconds below 10000 (try: acceptance.sh --help)" 2 ;;
    esac
done
if [ "$deadline" -eq 0 ]; then fail '--deadline 0: at least 1 second' 2; fi
if [ "$keep_running" = yes ] && [ "$force" = yes ]; then
    fail '--keep-running leaves out what --force would do: give one of them' 2
fi

# --- The steps: a name, and the function below that makes it. The runbook has the same names in the same order.

steps() {
    step 'the service has a user and a group of its own' service_user
    step 'files, modes and owners are those of the manifest' manifest
    step 'the executables run and are of one version' versions
    step 'the service is enabled at boot' enabled_at_boot
    step 'the service starts' service_starts
    step 'status says that it runs' service_status
    step 'health says that it answers' service_health
    step 'its directories are closed to others' directories
    step 'colibri status shows this daemon' daemon_status
    step 'create puts a task on the board' create_task
    step 'list shows the task' list_task
    step 'intake is taken in' intake_task
    step 'intake becomes queued after a tick' intake_queued
    step 'list shows both tasks' list_both
    step 'the test agent does its task and is stopped' agent_run
    step 'the cost mode changes and changes back' cost_mode
    step 'the log tells what happened' log_written
    step 'the log rotates, and the new one is written' log_rotated
    step 'reload keeps the daemon' service_reload
    step 'a killed daemon is started again' daemon_crash
    step 'no task is lost by the crash' tasks_kept
    step 'tasks are cancelled, the cost mode is as before' tidy_up
    step 'the service stops' service_stops
    step 'no process is left' no_process
    step 'no socket is left' no_socket
    step 'no pidfile is left' no_pidfile
    step 'the service is as it was found' as_found
    step 'hermes without a configuration says so and does not start' hermes_unconfigured
    step 'hermes starts, answers and stops' hermes_life
}

count=0
step() {
    count=$((count + 1))
    if [ "$list" = yes ]; then printf '%s - %s\n' "$count" "$1"; fi
}
steps
if [ "$list" = yes ]; then exit 0; fi
total=$count count=0

# --- Where things are

system=$(uname -s)
unit='colibri-daemon.service'
one=''
if [ -n "$service_command" ]; then
    manager='command'
    case $service_command in */*) [ -x "$service_command" ] || fail "--service-command $service_command: not a program" 2 ;; esac
elif [ "$system" = FreeBSD ]; then
    manager=rc
elif command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
    manager=systemd
else
    fail 'neither rc(8) nor systemd is at work here: name a program that starts and stops the service, --service-command PROGRAM'
fi
if [ "$manager" != command ] && [ "$(id -u)" -ne 0 ]; then
    fail 'this starts, kills and stops the service: run it as root'
fi

# A setting of rc.conf, or what holds without one.
rc_setting() {
    rc_value=''
    if [ "$manager" = rc ]; then rc_value=$(sysrc -n -q "$1" 2>/dev/null || :); fi
    printf '%s\n' "${rc_value:-$2}"
}

bin=$root/usr/local/bin
daemon=$bin/colibri-daemon
if [ ! -e "$daemon" ] && [ -e "$root/usr/sbin/colibri-daemon" ]; then
    bin=$root/usr/bin
    daemon=$root/usr/sbin/colibri-daemon
fi
colibri=$bin/colibri
test_agent=$bin/colibri-test-agent
manifest_file=$root/usr/local/share/colibri/manifest.json
run_dir=$root/var/run/colibri
if [ "$manager" = systemd ]; then
    run_dir=/run/colibri state_dir=/var/lib/colibri log_dir='' log=''
else
    state_dir=$(rc_setting colibri_daemon_db "$root/var/db/colibri/colibri.sqlite")
    state_dir=${state_dir%/*}
    log=$(rc_setting colibri_daemon_log "$root/var/log/colibri/daemon.log")
    log_dir=${log%/*}
fi
socket=$(rc_setting colibri_daemon_socket "$run_dir/colibri.sock")
pidfile=$run_dir/daemon.pid
supervisor_pidfile=$run_dir/supervisor.pid
user=${user:-$(rc_setting colibri_daemon_user colibri)}
group=${group:-$(rc_setting colibri_daemon_group "$user")}
restart_delay=${restart_delay:-$(rc_setting colibri_daemon_restart_delay 5)}
hermes_home=$(rc_setting hermes_daemon_home "$root/var/db/hermes")
hermes_rc=$root/usr/local/etc/rc.d/hermes_daemon

scratch=$(mktemp -d "${TMPDIR:-/tmp}/colibri-acceptance.XXXXXX")
: > "$scratch/out"
: > "$scratch/err"
cd /
pause=1
if sleep 0.1 2>/dev/null; then pause=0.1; fi

# --- Tools

# Sets `now`, in milliseconds; by the shell alone where there is a /proc: emulated machines start programs slowly.
clock() {
    if [ -r /proc/uptime ]; then
        read -r now _ < /proc/uptime
        now=${now%.*}${now#*.}0
    else
        now=$(date +%s%N)
        # Not every date(1) knows nanoseconds.
        case $now in
            *[!0-9]* | ??????????) now=$(date +%s)000 ;;
            *) now=${now%??????} ;;
        esac
    fi
}

# within SECONDS COMMAND...: runs a command; 124 where it took longer. What it prints is in files: a daemon that inherits a pipe would hold its
# reader up. Not timeout(1): FreeBSD's waits for every descendant, and ends the daemon that `service start` leaves.
within() {
    clock
    within_end=$((now + $1 * 1000))
    shift
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null &
    within_pid=$!
    while kill -0 "$within_pid" 2>/dev/null; do
        clock
        if [ "$now" -ge "$within_end" ]; then
            kill -TERM "$within_pid" 2>/dev/null || :
            sleep 1
            kill -KILL "$within_pid" 2>/dev/null || :
            wait "$within_pid" 2>/dev/null || :
            return 124
        fi
        sleep "$pause"
    done
    within_status=0
    wait "$within_pid" || within_status=$?
    return "$within_status"
}

# until_true SECONDS COMMAND...: asks again until the command succeeds; 1 where it never did.
until_true() {
    clock
    until_end=$((now + $1 * 1000))
    shift
    until "$@"; do
        clock
        if [ "$now" -ge "$until_end" ]; then return 1; fi
        sleep "$pause"
    done
}

# The last line of what the last command said, for a person.
said() {
    said_line=$(cat "$scratch/out" "$scratch/err" | tr -d '\r' | sed '/^[[:space:]]*$/d' | tail -n 1)
    printf '%s\n' "${said_line:-nothing was printed}"
}

# tried NAME STATUS: the sentence about a command that failed.
tried() {
    if [ "$2" -eq 124 ]; then
        why="$1 took more than $deadline s; last it said: $(said)"
    else
        why="$1 returned $2: $(said)"
    fi
}

# field KEY [PAST]: the first value of KEY in the answer, behind the text PAST if that is given; nothing where there is none.
field() {
    awk -v key="\"$1\":" -v past="${2:-}" '
        { text = text $0 }
        END {
            if (past != "") {
                at = index(text, past)
                if (!at) exit
                text = substr(text, at + length(past))
            }
            at = index(text, key)
            if (!at) exit
            text = substr(text, at + length(key))
            sub(/^ */, "", text)
            if (substr(text, 1, 1) == "\"") { text = substr(text, 2); sub(/".*/, "", text) } else sub(/[],} ].*/, "", text)
            print text
        }' "$scratch/out"
}

# The CLI gives up after 30 s by itself.
ask() {
    within 35 "$colibri" --socket "$socket" "$@"
}

control() {
    case $manager in
        command) within "$deadline" "$service_command" "$1" ;;
        rc) within "$deadline" service colibri_daemon "$one$1" ;;
        systemd)
            case $1 in
                status) within "$deadline" systemctl is-active "$unit" ;;
                health) ask ping ;;
                *) within "$deadline" systemctl "$1" "$unit" ;;
            esac
            ;;
    esac
}

answers() { ask ping; }

# The daemon's pid by its own word; nothing where it does not answer.
daemon_pid() {
    if ask status --json; then field pid; fi
}

process_gone() { ! kill -0 "$1" 2>/dev/null; }

read_pid() {
    read_pid_text=$(head -n 1 "$1" 2>/dev/null | tr -cd '0-9') || :
    printf '%s\n' "$read_pid_text"
}

mode_and_owner() {
    if [ "$system" = FreeBSD ]; then stat -f '%Lp %Su:%Sg' "$1"; else stat -c '%a %U:%G' "$1"; fi
}

inode() {
    # shellcheck disable=SC2012  # one file whose name is known
    ls -di "$1" 2>/dev/null | awk '{ print $1 }'
}

size_of() {
    if [ -f "$1" ]; then wc -c < "$1" | tr -d ' '; else printf '0\n'; fi
}

sha256_of() {
    if [ "$system" = FreeBSD ]; then sha256 -q "$1"; else sha256sum "$1" | cut -d ' ' -f 1; fi
}

# Processes of this installation's daemon and of the test agent; on FreeBSD also of daemon(8), which is titled by the service.
installed_processes() {
    if [ "$system" = FreeBSD ]; then
        # shellcheck disable=SC2009  # what pgrep -f matches against differs
        ps -axww -o pid= -o command= | awk -v program="$daemon" -v agent="$test_agent" -v title='daemon: colibri_daemon[' '
            (index($0, program) || index($0, agent) || index($0, title)) && !index($0, "awk -v") { print $1 }'
    else
        # shellcheck disable=SC2012  # names of /proc are numbers
        ls -l /proc/[0-9]*/exe 2>/dev/null | awk -v program=" -> $daemon" -v agent=" -> $test_agent" '
            index($0, program) || index($0, agent) { sub(/^.*\/proc\//, ""); sub(/\/.*/, ""); print }'
    fi
}

# --- Telling

json_text() {
    printf '%s' "$1" | tr '\t\r\n' '   ' | tr -d '\000-\037' | sed -e 's/\\/\\\\/g' -e 's/"/\\"/g'
}

passed=0 failed=0 skipped=0
step() {
    count=$((count + 1))
    why=''
    : > "$scratch/out"
    : > "$scratch/err"
    clock
    step_began=$now step_status=0
    "$2" || step_status=$?
    clock
    step_ms=$((now - step_began))
    # A clock that was set meanwhile makes no negative time.
    if [ "$step_ms" -lt 0 ]; then step_ms=0; fi
    case $step_status in
        0)
            printf 'ok %s - %s\n' "$count" "$1"
            passed=$((passed + 1)) step_result=passed
            ;;
        77)
            printf 'ok %s - %s # SKIP %s\n' "$count" "$1" "$why"
            skipped=$((skipped + 1)) step_result=skipped
            ;;
        *)
            printf 'not ok %s - %s\n' "$count" "$1"
            failed=$((failed + 1)) step_result=failed
            why=${why:-$(said)}
            ;;
    esac
    if [ -n "$why" ] && [ "$step_result" != skipped ]; then printf '# %s\n' "$why"; fi
    {
        if [ "$count" -gt 1 ]; then printf ',\n'; fi
        printf '    {"n": %s, "name": "%s", "result": "%s", ' "$count" "$(json_text "$1")" "$step_result"
        if [ -n "$why" ] && [ "$step_result" != passed ]; then printf '"reason": "%s", ' "$(json_text "$why")"; fi
        printf '"ms": %s}' "$step_ms"
    } >> "$scratch/steps"
}

# skip REASON, and then return: the step cannot be made here. A number that no command of a step returns.
skip() {
    why=$1
    return 77
}

# needs VALUE REASON: the step stands on an earlier one, which must have made VALUE.
needs() {
    [ -n "$1" ] || skip "$2"
}

interrupts() {
    [ "$keep_running" = no ] || skip '--keep-running leaves out what interrupts the service'
}

write_json() {
    printf '{\n  "schema": "clawdie.iso.validation.v1",\n  "host": "%s",\n  "os": "%s",\n  "version": "%s",\n  "commit": "%s",\n  "started_at": "%s",\n' \
        "$(json_text "$host")" "$(json_text "$os")" "$(json_text "$version")" "$(json_text "${commit:-unknown}")" "$started_at"
    printf '  "steps": [\n'
    cat "$scratch/steps"
    printf '\n  ],\n  "passed": %s,\n  "failed": %s,\n  "skipped": %s\n}\n' "$passed" "$failed" "$skipped"
}

# --- The installation

service_user() {
    found=$(id -gn "$user" 2>/dev/null) || { why="there is no user $user, whom staging or the first start makes"; return 1; }
    if [ "$found" != "$group" ]; then
        why="the group of $user is $found, not $group"
        return 1
    fi
}

manifest() {
    if [ ! -f "$manifest_file" ]; then
        skip "there is no ${manifest_file#"$root"}: this was not staged as an image"
        return
    fi
    cp "$manifest_file" "$scratch/out"
    if [ "$(field schema)" != clawdie.iso.build.v1 ]; then
        why="${manifest_file#"$root"} is not of schema clawdie.iso.build.v1"
        return 1
    fi
    # path, mode, owner, size and hash of an entry a line; "-" where the manifest does not say.
    awk '
        function value(key,   at, rest) {
            at = index(entry, "\"" key "\"")
            if (!at) return "-"
            rest = substr(entry, at + length(key) + 2)
            sub(/^[ \t]*:[ \t]*/, "", rest)
            if (substr(rest, 1, 1) == "\"") { rest = substr(rest, 2); sub(/".*/, "", rest) } else sub(/[],} \t].*/, "", rest)
            return rest == "" || rest == "null" ? "-" : rest
        }
        { text = text " " $0 }
        END {
            entries = split(text, parts, "{")
            for (i = 2; i <= entries; i++) {
                entry = parts[i]
                if (value("path") == "-") continue
                owner = value("owner")
                if (owner != "-" && !index(owner, ":") && value("group") != "-") owner = owner ":" value("group")
                print value("mode"), owner, value("size"), value("sha256"), value("path")
            }
        }' "$manifest_file" > "$scratch/manifest"
    if [ ! -s "$scratch/manifest" ]; then
        why="${manifest_file#"$root"} lists no file"
        return 1
    fi
    while read -r mode owner size sha path; do
        compare "$root/${path#/}" "$mode" "$owner" "$size" "$sha" || return 1
    done < "$scratch/manifest"
}

compare() {
    if [ ! -e "$1" ]; then
        # Where /var/run is memory, the start makes what belongs there; a later step looks at it.
        case $1 in "$run_dir") return 0 ;; esac
        why="$1 is missing"
        return 1
    fi
    found=$(mode_and_owner "$1")
    mode=$(printf '%s\n' "$2" | sed 's/^0*\(.\)/\1/')
    if [ "$2" != - ] && [ "${found%% *}" != "$mode" ]; then
        why="$1 has mode ${found%% *}, the manifest says $2"
        return 1
    fi
    owner_found=${found#* }
    case $3 in
        -) ;;
        *:*) [ "$owner_found" = "$3" ] || { why="$1 belongs to $owner_found, the manifest says $3"; return 1; } ;;
        *) [ "${owner_found%%:*}" = "$3" ] || { why="$1 belongs to ${owner_found%%:*}, the manifest says $3"; return 1; } ;;
    esac
    if [ ! -f "$1" ]; then return 0; fi
    if [ "$4" != - ] && [ "$(size_of "$1")" != "$4" ]; then
        why="$1 has $(size_of "$1") bytes, the manifest says $4"
        return 1
    fi
    if [ "$5" != - ] && [ "$(sha256_of "$1")" != "$5" ]; then
        why="$1 is not the file of the manifest: its SHA-256 differs"
        return 1
    fi
}

program_version() {
    version_status=0
    within "$deadline" "$1" --version || version_status=$?
    if [ "$version_status" -eq 255 ] && [ ! -s "$scratch/out" ] && [ ! -s "$scratch/err" ]; then
        why="$1 exits 255 without a word: memory may not be locked (limits -l, or a jail without allow.mlock)"
        return 1
    fi
    if [ "$version_status" -ne 0 ]; then
        tried "$1 --version" "$version_status"
        return 1
    fi
    # A build outside a git checkout names no commit.
    program_commit=$(sed -n '1s/^[^ ]* [^ +]*+\([0-9a-f]*\).*/\1/p' "$scratch/out")
    program_version=$(sed -n '1s/^[^ ]* \([^ +]*\).*/\1/p' "$scratch/out")
}

versions() {
    for program in "$daemon" "$colibri" "$bin/colibri-web" "$bin/colibri-mcp" "$test_agent"; do
        # What else there is need not be installed.
        case $program in
            "$daemon" | "$colibri") ;;
            *) [ -e "$program" ] || continue ;;
        esac
        program_version "$program" || return 1
        version=${version:-$program_version}
        if [ "$program_version" != "$version" ]; then
            why="${program##*/} is version $program_version, colibri-daemon is $version"
            return 1
        fi
        if [ "$program" = "$daemon" ]; then commit=$program_commit; fi
        if [ "$program_commit" != "$commit" ]; then
            why="${program##*/} is built from commit ${program_commit:-unknown}, colibri-daemon from ${commit:-unknown}"
            return 1
        fi
    done
}

is_yes() {
    case $1 in [Yy][Ee][Ss] | [Tt][Rr][Uu][Ee] | [Oo][Nn] | 1) ;; *) return 1 ;; esac
}

enabled_at_boot() {
    case $manager in
        command) skip 'here it is started by --service-command, not at boot'; return ;;
        systemd)
            within "$deadline" systemctl is-enabled "$unit" || { why="$unit is $(said) (try: systemctl enable $unit)"; return 1; }
            return 0
            ;;
    esac
    # A variable that every rc.conf(5) has: without it, sysrc(8) itself is what fails.
    if ! within "$deadline" sysrc -n rc_debug; then
        one=one
        why="sysrc failed: $(said)"
        return 1
    fi
    if ! is_yes "$(rc_setting colibri_daemon_enable NO)"; then
        # The rest can be checked all the same.
        one=one
        why='rc.conf does not enable it (try: sysrc colibri_daemon_enable=YES)'
        return 1
    fi
    # 9 is FreeBSD's brand; a Linux binary has another one.
    if [ "$(od -An -tu1 -j7 -N1 "$daemon" | tr -d ' ')" != 9 ] && ! is_yes "$(rc_setting linux_enable NO)"; then
        why='colibri-daemon is a Linux binary, and rc.conf does not enable linux(4) (try: sysrc linux_enable=YES)'
        return 1
    fi
}

# --- The service

running='' task='' intake='' intake_on_board='' agent='' agents_run='' held='' held_agent_pid='' task_before='' intake_before='' killed='' stopped='' was_running=no mode_before='' log_size=''
no_daemon='the daemon does not answer'

service_starts() {
    if [ "$was_running" = yes ]; then
        running=yes
        why='it ran already'
        return 0
    fi
    start_status=0
    control start || start_status=$?
    if [ "$start_status" -ne 0 ]; then
        tried start "$start_status"
        return 1
    fi
    until_true "$deadline" answers || { why="start returned 0, but after $deadline s nothing answers on $socket: $(said)"; return 1; }
    running=yes
}

service_status() {
    needs "$running" "$no_daemon" || return
    control_status=0
    control status || control_status=$?
    [ "$control_status" -eq 0 ] || { tried status "$control_status"; return 1; }
}

service_health() {
    needs "$running" "$no_daemon" || return
    control_status=0
    control health || control_status=$?
    [ "$control_status" -eq 0 ] || { tried health "$control_status"; return 1; }
}

directories() {
    needs "$running" "$no_daemon" || return
    for directory in "$state_dir" "$run_dir" ${log_dir:+"$log_dir"}; do
        [ -d "$directory" ] || { why="$directory is missing"; return 1; }
        found=$(mode_and_owner "$directory")
        [ "$found" = "750 $user:$group" ] || { why="$directory is $found, not 750 $user:$group"; return 1; }
    done
}

daemon_status() {
    needs "$running" "$no_daemon" || return
    ask status || return 1
    ask status --json || return 1
    version=$(field version)
    version=${version%%+*}
    pid=$(field pid)
    if [ "$(field socket)" != "$socket" ]; then
        why="the daemon says that its socket is $(field socket), not $socket"
        return 1
    fi
    expected=$pid
    case $manager in
        systemd) expected=$(systemctl show -p MainPID "$unit" | sed 's/.*=//') ;;
        *) expected=$(read_pid "$pidfile") ;;
    esac
    if [ "$pid" != "$expected" ]; then
        why="the daemon that answers has pid $pid, the supervisor's is ${expected:-in no $pidfile}"
        return 1
    fi
}

# --- The board

# A capability that nobody offers: no configured agent takes what this puts on the board. One attempt: a run that fails is not tried again.
make_task() {
    make_command=$1
    ask "$make_command" --title "acceptance $started_at: $2" --capability "acceptance-only" --max-attempts 1 --json || return 1
}

task_status() {
    if ask get-task "$1" --json; then field status; fi
}

task_is() {
    task_found=$(task_status "$1")
    [ "$task_found" = "$2" ]
}

create_task() {
    needs "$running" "$no_daemon" || return
    make_task create-task create || return 1
    task=$(field id)
    if [ "$(field status)" != queued ]; then
        why="the new task is $(field status), not queued"
        return 1
    fi
}

on_the_list() {
    ask list-tasks --all --json || return 1
    for listed in "$@"; do
        grep -q "\"id\":\"$listed\"" "$scratch/out" || { why="task $listed is not on the list"; return 1; }
    done
}

list_task() {
    needs "$task" 'create put no task on the board' || return
    on_the_list "$task"
}

intake_task() {
    needs "$running" "$no_daemon" || return
    make_task intake-task intake || return 1
    intake=$(field intake_id)
    [ -n "$intake" ]
}

# Longer waits for a tick would be an hour of nothing on a machine that ticks once an hour.
longest_tick=300

intake_queued() {
    needs "$intake" 'intake took nothing in' || return
    ask status --json || return 1
    interval=$(field interval_ms)
    interval=$(((interval + 999) / 1000))
    if [ "$interval" -gt "$longest_tick" ]; then
        skip "a tick comes every $interval s here, and this waits no longer than $longest_tick s"
        return
    fi
    # One tick may be under way.
    if ! until_true $((interval + deadline / 4 + 1)) task_is "$intake" queued; then
        why="after a tick of $interval s the intake is ${task_found:-not on the board}, not queued"
        return 1
    fi
    intake_on_board=yes
}

list_both() {
    needs "$task" 'create put no task on the board' || return
    needs "$intake_on_board" 'the intake did not come onto the board' || return
    on_the_list "$task" "$intake"
}

agent_is() {
    ask list-agents --json || return 1
    agent_found=$(field lifecycle "\"id\":\"$1\"")
    [ "$agent_found" = "$2" ]
}

agent_run() {
    needs "$task" 'create put no task on the board' || return
    if [ ! -e "$test_agent" ]; then skip 'colibri-test-agent is not installed'; return; fi
    ask spawn-agent "$test_agent" --task-id "$task" --cwd / --json -- --emit-usage --step-ms 20 || return 1
    agent=$(field id)
    if ! until_true "$deadline" agent_is "$agent" stopped; then
        why="after $deadline s the agent is ${agent_found:-unknown}, not stopped"
        return 1
    fi
    # Its end is on record before anybody hears of it, but not in the same instant as its pane.
    if ! until_true "$deadline" task_is "$task" 'done'; then
        why="the agent has stopped, and its task is $task_found, not done"
        return 1
    fi
    if ! process_gone "$(field pid)"; then
        why="the agent has stopped, and its process $(field pid) is still there"
        return 1
    fi
    agents_run=yes
}

cost_mode() {
    needs "$running" "$no_daemon" || return
    ask status --json || return 1
    mode_before=$(field mode)
    log_size=$(size_of "$log")
    other=fast
    if [ "$mode_before" = fast ]; then other=smart; fi
    ask set-cost-mode "$other" --json || return 1
    ask status --json || return 1
    if [ "$(field mode)" != "$other" ]; then
        why="the mode was set to $other, and status says $(field mode)"
        return 1
    fi
    ask set-cost-mode "$mode_before" --json || return 1
    [ "$(field mode)" = "$mode_before" ] || { why="the mode was set back to $mode_before, and is $(field mode)"; return 1; }
}

log_grew() { [ "$(size_of "$log")" -gt "$log_size" ]; }

log_names() { grep -q "$1" "$log"; }

log_written() {
    needs "$mode_before" 'the cost mode was not changed, so there is nothing to tell' || return
    if [ "$manager" = systemd ]; then
        within "$deadline" journalctl --no-pager -o cat -u "$unit" -n 200 || return 1
        grep -q "${agent:-cost mode is $mode_before}" "$scratch/out" || { why="the journal of $unit does not name ${agent:-the cost mode}"; return 1; }
        return 0
    fi
    [ -f "$log" ] || { why="there is no $log"; return 1; }
    # The supervisor writes what the daemon prints when it comes to it.
    until_true 5 log_grew || { why="$log did not grow when the cost mode was changed"; return 1; }
    if [ -n "$agent" ]; then
        until_true 5 log_names "$agent" || { why="$log does not name agent $agent, which ran"; return 1; }
    fi
}

log_rotated() {
    if [ "$system" != FreeBSD ]; then skip 'newsyslog(8) is FreeBSD'"'"'s'; return; fi
    needs "$mode_before" 'the cost mode cannot be changed, so nothing can be told' || return
    [ -f "$log" ] || { why="there is no $log"; return 1; }
    old_inode=$(inode "$log")
    within "$deadline" newsyslog -F "$log" || return 1
    if [ "$(inode "$log")" = "$old_inode" ] || [ -z "$(inode "$log")" ]; then
        why="newsyslog -F returned 0, and $log is still the old file (is $root/usr/local/etc/newsyslog.conf.d/colibri.conf read?)"
        return 1
    fi
    case $(mode_and_owner "$log") in
        ??"0 $user:$group") ;;
        *)
            why="the new $log is $(mode_and_owner "$log"), not 640 $user:$group"
            return 1
            ;;
    esac
    set -- "$log".0*
    [ -e "$1" ] || { why="newsyslog -F kept no $log.0"; return 1; }
    log_size=$(size_of "$log")
    ask set-cost-mode "$mode_before" --json || return 1
    until_true 5 log_grew || { why="the new $log is not written: whoever holds the old one did not hear of it"; return 1; }
}

service_reload() {
    needs "$running" "$no_daemon" || return
    if [ "$manager" = systemd ] && [ "$(systemctl show -p CanReload "$unit")" != CanReload=yes ]; then
        skip "$unit has no reload"
        return
    fi
    pid=$(daemon_pid)
    control_status=0
    control reload || control_status=$?
    [ "$control_status" -eq 0 ] || { tried reload "$control_status"; return 1; }
    # A daemon that a HUP ends is not gone at once.
    sleep 1
    found=$(daemon_pid)
    if [ "$found" != "$pid" ] || [ -z "$pid" ]; then
        why="before the reload the daemon was ${pid:-silent}, after it is ${found:-silent}"
        until_true "$deadline" answers || running=''
        return 1
    fi
}

# --- Crash and stop

# An agent that is at work when the daemon is killed, unless there is none, or an earlier step has found that it does not work.
hold_agent() {
    make_task create-task crash || return 1
    held=$(field id)
    if [ -z "$agents_run" ]; then return 0; fi
    ask spawn-agent "$test_agent" --task-id "$held" --cwd / --json -- --hold-secs 600 || return 1
    held_agent_pid=$(field pid)
    [ -n "$held_agent_pid" ] || { why='the agent of the crash has no process'; return 1; }
}

another_daemon() {
    new_pid=$(daemon_pid)
    [ -n "$new_pid" ] && [ "$new_pid" != "$pid" ]
}

daemon_crash() {
    interrupts || return
    needs "$running" "$no_daemon" || return
    hold_agent || return 1
    if [ -n "$task" ]; then task_before=$(task_status "$task"); fi
    if [ -n "$intake" ]; then intake_before=$(task_status "$intake"); fi
    pid=$(daemon_pid)
    needs "$pid" "$no_daemon" || return
    allowed=$((restart_delay + deadline / 4 + 1))
    clock
    crashed_at=$now
    kill -KILL "$pid" 2>/dev/null || { why="pid $pid cannot be killed (run this as root)"; return 1; }
    if until_true "$allowed" another_daemon; then
        clock
        tenths=$(((now - crashed_at) / 100))
        why="it answered again after $((tenths / 10)).$((tenths % 10)) s"
        killed=yes
        return 0
    fi
    # Back by hand, for the steps that follow.
    control stop || :
    control start || :
    if until_true "$deadline" answers; then killed=yes; else running=''; fi
    why="killed with SIGKILL, the daemon did not answer again within $allowed s (its supervisor waits $restart_delay s)"
    return 1
}

kept_as() {
    if [ -z "$2" ] || until_true "$deadline" task_is "$1" "$2"; then return 0; fi
    why="task $1 is ${task_found:-gone}, not $2"
    return 1
}

tasks_kept() {
    interrupts || return
    needs "$running" "$no_daemon" || return
    needs "$killed" 'the daemon was not killed' || return
    kept_as "$task" "$task_before" && kept_as "$intake" "$intake_before" && kept_as "$held" queued || return 1
    if [ -n "$held_agent_pid" ] && ! until_true "$deadline" process_gone "$held_agent_pid"; then
        why="the task is queued again, and its agent of before the crash still runs: pid $held_agent_pid"
        return 1
    fi
}

# What is over cannot be cancelled, and need not be.
cancel_tasks() {
    for open in "$task" "$intake" "$held"; do
        if [ -z "$open" ] || ask cancel-task "$open" --json; then continue; fi
        case $(task_status "$open") in
            queued | claimed | started)
                why="task $open cannot be cancelled: $(said)"
                return 1
                ;;
        esac
    done
}

restore_mode() {
    [ -n "$mode_before" ] || return 0
    ask status --json || return 1
    [ "$(field mode)" = "$mode_before" ] || ask set-cost-mode "$mode_before" --json
}

tidy_up() {
    needs "$running" "$no_daemon" || return
    cancel_tasks || return 1
    restore_mode
}

service_stops() {
    interrupts || return
    supervisor=$(read_pid "$supervisor_pidfile")
    last_pid=$(daemon_pid)
    needs "$last_pid" "$no_daemon" || return
    control_status=0
    control stop || control_status=$?
    # Whatever it returned, what is left is looked at.
    stopped=yes running=''
    [ "$control_status" -eq 0 ] || { tried stop "$control_status"; return 1; }
    if control status; then
        why='stop returned 0, and status still says that it runs'
        return 1
    fi
}

not_stopped='the service was not stopped'

nothing_runs() {
    for left in $last_pid $supervisor; do
        process_gone "$left" || return 1
    done
    left=$(installed_processes | head -n 1)
    [ -z "$left" ]
}

no_process() {
    interrupts || return
    needs "$stopped" "$not_stopped" || return
    # A process may be a moment from its end when stop returns; a supervisor that respawns needs its delay to show it.
    until_true 2 nothing_runs || { why="process $left is left"; return 1; }
    if [ -n "$supervisor" ]; then sleep $((restart_delay + 1)); fi
    nothing_runs || { why="process $left came back after the stop"; return 1; }
}

no_socket() {
    interrupts || return
    needs "$stopped" "$not_stopped" || return
    [ ! -e "$socket" ] || { why="$socket is left"; return 1; }
}

no_pidfile() {
    interrupts || return
    needs "$stopped" "$not_stopped" || return
    for file in "$pidfile" "$supervisor_pidfile"; do
        [ ! -e "$file" ] || { why="$file is left"; return 1; }
    done
}

as_found() {
    if [ "$was_running" = no ]; then
        if [ -z "$stopped" ] && [ -n "$running" ]; then control stop || { why="stop failed: $(said)"; return 1; }; fi
        ! ask ping || { why='it was stopped at the start, and answers now'; return 1; }
        why='it is stopped, as it was'
        return 0
    fi
    if ! ask ping; then
        control start || { why="start failed: $(said)"; return 1; }
        until_true "$deadline" answers || { why="it ran at the start, and does not answer now: $(said)"; return 1; }
        restore_mode || return 1
    fi
    why='it runs, as it did'
}

# --- The image's second service

hermes_installed() {
    if [ "$system" != FreeBSD ]; then skip 'hermes_daemon is a service of the FreeBSD image'; return; fi
    [ -e "$hermes_rc" ] || skip 'hermes_daemon is not installed'
}

hermes() { within "$deadline" service hermes_daemon "one$1"; }

hermes_pidfile() {
    for file in "$root"/var/run/hermes/*.pid; do
        if [ -e "$file" ]; then printf '%s\n' "$file"; fi
    done
}

hermes_unconfigured() {
    hermes_installed || return
    if [ -e "$hermes_home/config.yaml" ]; then skip "$hermes_home/config.yaml is there"; return; fi
    hermes_status=0
    hermes start || hermes_status=$?
    [ "$hermes_status" -eq 1 ] || { why="without config.yaml start returned $hermes_status, not 1: $(said)"; return 1; }
    cat "$scratch/out" "$scratch/err" > "$scratch/hermes"
    grep -q 'config\.yaml' "$scratch/hermes" || { why="start does not say that config.yaml is missing: $(said)"; return 1; }
    ! hermes status || { why='start refused, and status says that it runs'; return 1; }
    left=$(hermes_pidfile)
    [ -z "$left" ] || { why="$left is left by a start that refused"; return 1; }
}

hermes_runs() { hermes status && hermes health; }

hermes_life() {
    hermes_installed || return
    if [ ! -e "$hermes_home/config.yaml" ]; then skip "$hermes_home/config.yaml is not there"; return; fi
    hermes_found=no
    if hermes status; then hermes_found=yes; fi
    if [ "$hermes_found" = no ]; then hermes start || return 1; fi
    until_true "$deadline" hermes_runs || { why="hermes does not answer: $(said)"; return 1; }
    if [ "$keep_running" = yes ] && [ "$hermes_found" = yes ]; then
        why='--keep-running: it was not stopped'
        return 0
    fi
    hermes stop || return 1
    ! hermes status || { why='stop returned 0, and status still says that hermes runs'; return 1; }
    left=$(hermes_pidfile)
    [ -z "$left" ] || { why="$left is left after the stop"; return 1; }
    if [ "$hermes_found" = yes ]; then hermes start || { why="hermes does not start again: $(said)"; return 1; }; fi
}

# --- The run

finished=no
at_end() {
    at_end_status=$?
    trap - EXIT HUP INT TERM
    if [ "$finished" = no ]; then
        printf 'Bail out! acceptance.sh was interrupted at step %s\n' "$count"
        if [ -n "$running" ]; then
            cancel_tasks || :
            restore_mode || :
            if [ "$was_running" = no ]; then control stop || :; fi
        fi
        at_end_status=3
    fi
    if [ -n "$json" ] && [ "$json" != - ]; then rm -f "$json.new"; fi
    rm -rf "$scratch"
    exit "$at_end_status"
}

[ -e "$daemon" ] || { rm -rf "$scratch"; fail "there is no $daemon: nothing is installed here"; }
host=$(hostname 2>/dev/null || uname -n)
os=$(uname -sr)
version='' commit=''
started_at=$(date -u +%Y-%m-%dT%H:%M:%SZ)
if ask status --json; then
    was_running=yes
    busy=$(($(field running '"agents":') + $(field claimed '"tasks":') + $(field started '"tasks":')))
    if [ "$busy" -gt 0 ] && [ "$keep_running" = no ] && [ "$force" = no ]; then
        rm -rf "$scratch"
        fail 'agents are at work here, and the crash and the stop would interrupt them: --keep-running leaves those steps out, --force makes them all the same'
    fi
fi
if [ -n "$json" ] && [ "$json" != - ]; then
    case $json in /*) ;; *) json=${OLDPWD:-/}/$json ;; esac
    : > "$json.new" 2>/dev/null || { rm -rf "$scratch"; fail "--json $json: cannot be written" 2; }
fi
trap at_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

printf '1..%s\n' "$total"
printf '# acceptance on %s, %s, %s\n' "$host" "$os" "$started_at"
: > "$scratch/steps"
steps
printf '# %s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
finished=yes
case $json in
    '') ;;
    -)
        printf '%s\n' '-----BEGIN clawdie.iso.validation.v1-----'
        write_json
        printf '%s\n' '-----END clawdie.iso.validation.v1-----'
        ;;
    *)
        write_json > "$json.new"
        mv -f "$json.new" "$json"
        ;;
esac
[ "$failed" -eq 0 ]
