#!/bin/sh
# The acceptance on this machine: an installation in a folder, the smoke image's supervisor, the native executables; and faults, each of which
# must fail the step that is about it and no other.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

binaries=${COLIBRI_BIN_DIR:-$repository/dist}
acceptance=$repository/scripts/acceptance.sh
runbook=$repository/docs/ISO-ACCEPTANCE-RUNBOOK.md
me=$(id -un)
my_group=$(id -gn)

# Processes of this test's installations, by the folder in their command lines; the pattern does not match itself.
ours() {
    pattern=$(printf '%s' "$scratch/${1:-}" | sed 's/colibri-test/[c]olibri-test/')
    grep -l -e "$pattern" /proc/[0-9]*/cmdline 2>/dev/null | sed -n 's|^/proc/\([0-9]*\)/.*|\1|p'
}

at_end() {
    for service in "$scratch"/*/service; do
        if [ -x "$service" ]; then "$service" stop >/dev/null 2>&1; fi
    done
    for left in $(ours); do kill -KILL "$left" 2>/dev/null; done
}

# install NAME: an installation in $scratch/NAME, with its service.
install() {
    mkdir -p "$scratch/$1/usr/local/bin"
    for program in colibri-daemon colibri colibri-test-agent; do
        ln "$binaries/$program" "$scratch/$1/usr/local/bin/" 2>/dev/null || cp "$binaries/$program" "$scratch/$1/usr/local/bin/"
    done
    cat > "$scratch/$1/service" <<END
#!/bin/sh
SMOKE_ROOT='$scratch/$1' SMOKE_USER='$me' SMOKE_RESTART_DELAY=1 SMOKE_TICK=1s
export SMOKE_ROOT SMOKE_USER SMOKE_RESTART_DELAY SMOKE_TICK
service='$repository/iso/smoke-linux/service.sh'
bin='$scratch/$1/usr/local/bin' run='$scratch/$1/var/run/colibri' state='$scratch/$1/var/db/colibri' log='$scratch/$1/var/log/colibri'
END
    cat >> "$scratch/$1/service"
    cat >> "$scratch/$1/service" <<'END'
exec "$service" "$@"
END
    chmod +x "$scratch/$1/service"
}

# accept NAME [OPTION...]: the acceptance of that installation, its output and status kept beside it.
accept() {
    accept_root=$scratch/$1
    shift
    accept_status=0
    "$acceptance" --root "$accept_root" --user "$me" --group "$my_group" --service-command "$accept_root/service" --restart-delay 1 \
        --deadline 30 "$@" >"$accept_root/tap" 2>"$accept_root/err" </dev/null || accept_status=$?
    printf '%s\n' "$accept_status" > "$accept_root/status"
}

show() { cat "$scratch/$1/tap" "$scratch/$1/err"; }

# The program of the installation NAME that is named, in place of the native one.
replace() {
    rm -f "$scratch/$1/usr/local/bin/$2"
    { printf '#!/bin/sh\n'; cat; } > "$scratch/$1/usr/local/bin/$2"
    chmod +x "$scratch/$1/usr/local/bin/$2"
}

# --- What is right

steps_match_the_runbook() {
    same "$("$acceptance" --list)" "$(sed -n 's/^### \([0-9]*\)\. \(.*\)/\1 - \2/p' "$runbook")"
}

sound_installation_passes() {
    show sound
    same 0 "$(cat "$scratch/sound/status")"
    same '' "$(cat "$scratch/sound/err")"
    same 0 "$(grep -c '^not ok' "$scratch/sound/tap")"
    same "$("$acceptance" --list | sed 's/^/ok /')" "$(grep '^ok' "$scratch/sound/tap" | sed 's/ # SKIP .*//')"
    same "1..$("$acceptance" --list | wc -l | tr -d ' ')" "$(head -n 1 "$scratch/sound/tap")"
}

# Every step but those about a manifest, the boot, newsyslog and the second service of FreeBSD.
skips_are_these() {
    same "the service is enabled at boot # SKIP here it is started by --service-command, not at boot
the log rotates, and the new one is written # SKIP newsyslog(8) is FreeBSD's
hermes without a configuration says so and does not start # SKIP hermes_daemon is a service of the FreeBSD image
hermes starts, answers and stops # SKIP hermes_daemon is a service of the FreeBSD image" "$(sed -n 's/^ok [0-9]* - \(.*# SKIP.*\)/\1/p' "$scratch/sound/tap")"
}

json_says_the_same() {
    cat "$scratch/sound/acceptance.json"
    python3 - "$scratch/sound/acceptance.json" "$scratch/sound/tap" <<'END'
import json, re, sys
report = json.load(open(sys.argv[1]))
assert report["schema"] == "clawdie.iso.validation.v1"
assert report["host"] and report["os"] and re.fullmatch(r"\d+\.\d+\.\d+", report["version"]), report
assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", report["started_at"])
lines = [re.fullmatch(r"(not ok|ok) (\d+) - (.*?)(?: # SKIP (.*))?", line) for line in open(sys.argv[2]).read().splitlines()]
lines = [line for line in lines if line]
assert len(lines) == len(report["steps"])
for line, step in zip(lines, report["steps"]):
    result = "failed" if line[1] == "not ok" else "skipped" if line[4] else "passed"
    assert (step["n"], step["name"], step["result"]) == (int(line[2]), line[3], result), step
    assert step.get("reason") == line[4] and isinstance(step["ms"], int), step
for result in "passed", "failed", "skipped":
    assert report[result] == sum(step["result"] == result for step in report["steps"])
END
}

nothing_is_left() {
    same '' "$(find "$scratch/sound/var/run" -type f -o -type s)"
    same '' "$(ours sound/)"
}

running_service_is_left_running() {
    "$scratch/running/service" start
    socket=$scratch/running/var/run/colibri/colibri.sock
    tries=0
    until "$binaries/colibri" --socket "$socket" ping >/dev/null 2>&1; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ]
        sleep 0.1
    done
    "$binaries/colibri" --socket "$socket" set-cost-mode max >/dev/null
    accept running
    show running
    same 0 "$accept_status"
    grep -q '^# it ran already' "$scratch/running/tap"
    grep -q '^# it runs, as it did' "$scratch/running/tap"
    same max "$("$binaries/colibri" --socket "$socket" status --json | sed 's/.*"mode":"\([^"]*\)".*/\1/')"
    same '' "$("$binaries/colibri" --socket "$socket" list-tasks --json | grep -oE '"status":"(queued|claimed|started)"')"
}

keep_running_interrupts_nothing() {
    socket=$scratch/running/var/run/colibri/colibri.sock
    before=$("$binaries/colibri" --socket "$socket" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')
    "$binaries/colibri" --socket "$socket" spawn-agent "$binaries/colibri-test-agent" --cwd / -- --hold-secs 600 >/dev/null
    accept running --keep-running
    show running
    same 0 "$accept_status"
    same 6 "$(grep -c 'SKIP --keep-running leaves out' "$scratch/running/tap")"
    same "$before" "$("$binaries/colibri" --socket "$socket" status --json | sed 's/.*"pid":\([0-9]*\).*/\1/')"
}

agents_at_work_are_not_interrupted() {
    accept running
    show running
    same 3 "$accept_status"
    same '' "$(cat "$scratch/running/tap")"
    grep -q 'agents are at work here.*--keep-running.*--force' "$scratch/running/err"
    same 1 "$(wc -l < "$scratch/running/err" | tr -d ' ')"
}

# --- Wrong usage

usage_error() {
    usage_status=0
    "$acceptance" "$@" >"$scratch/usage" 2>&1 </dev/null || usage_status=$?
    cat "$scratch/usage"
    same 2 "$usage_status"
    same 1 "$(wc -l < "$scratch/usage" | tr -d ' ')"
}

wrong_usage_is_refused() {
    usage_error --frobnicate
    usage_error --json
    usage_error --deadline soon
    usage_error --deadline 0
    usage_error --keep-running --force
    usage_error --service-command /nonexistent/service
    "$acceptance" --help | grep -q '^Exit status: 0 no step failed'
}

nothing_installed_is_said() {
    mkdir "$scratch/empty"
    accept empty --service-command /bin/true
    show empty
    same 3 "$accept_status"
    grep -q "there is no $scratch/empty/usr/local/bin/colibri-daemon" "$scratch/empty/err"
}

interrupted_run_takes_its_tasks_along() {
    "$acceptance" --root "$scratch/cut" --user "$me" --group "$my_group" --service-command "$scratch/cut/service" --restart-delay 1 \
        >"$scratch/cut/tap" 2>&1 </dev/null &
    cut=$!
    # The agent of this installation never ends: the run waits for it.
    tries=0
    until "$binaries/colibri" --socket "$scratch/cut/var/run/colibri/colibri.sock" list-tasks --json 2>/dev/null | grep -q '"status":"started"'; do
        tries=$((tries + 1))
        [ "$tries" -lt 600 ]
        sleep 0.1
    done
    kill -TERM "$cut"
    cut_status=0
    wait "$cut" || cut_status=$?
    cat "$scratch/cut/tap"
    same 3 "$cut_status"
    grep -q '^Bail out! acceptance.sh was interrupted at step 15' "$scratch/cut/tap"
    cut_status=0
    "$scratch/cut/service" status || cut_status=$?
    same 1 "$cut_status"
    "$scratch/cut/service" start
    tries=0
    until "$binaries/colibri" --socket "$scratch/cut/var/run/colibri/colibri.sock" list-tasks --json > "$scratch/cut/tasks"; do
        tries=$((tries + 1))
        [ "$tries" -lt 300 ]
        sleep 0.1
    done
    cat "$scratch/cut/tasks"
    same '"status":"cancelled" "status":"cancelled"' "$(grep -oE '"status":"[a-z]*"' "$scratch/cut/tasks" | tr '\n' ' ' | sed 's/ $//')"
}

# --- What is wrong: an installation with a fault fails exactly these steps

fails_exactly() {
    show "$1"
    same 1 "$(cat "$scratch/$1/status")"
    same "$2" "$(sed -n 's/^not ok [0-9]* - //p' "$scratch/$1/tap")"
    grep -A 1 '^not ok' "$scratch/$1/tap" | grep -q "^# .*$3"
}

install sound </dev/null
mkdir -p "$scratch/sound/usr/local/share/colibri"
{
    printf '{"schema":"clawdie.iso.build.v1","files":['
    separator=''
    for program in colibri colibri-daemon colibri-test-agent; do
        file=$scratch/sound/usr/local/bin/$program
        printf '%s{"path":"/usr/local/bin/%s","mode":"0%s","owner":"%s","size":%s,"sha256":"%s"}' "$separator" "$program" \
            "$(stat -c %a "$file")" "$(stat -c %U:%G "$file")" "$(stat -c %s "$file")" "$(sha256sum "$file" | cut -d ' ' -f 1)"
        separator=,
    done
    printf ']}\n'
} > "$scratch/sound/usr/local/share/colibri/manifest.json"
install running </dev/null
install cut </dev/null
replace cut colibri-test-agent <<END
case \${1:-} in --version) exec '$binaries/colibri-test-agent' --version ;; esac
exec '$binaries/colibri-test-agent' --stall
END

install tampered </dev/null
mkdir -p "$scratch/tampered/usr/local/share/colibri"
sed 's/"sha256":"[0-9a-f]/"sha256":"x/' "$scratch/sound/usr/local/share/colibri/manifest.json" > "$scratch/tampered/usr/local/share/colibri/manifest.json"
install versions </dev/null
replace versions colibri-test-agent <<END
case \${1:-} in --version) echo colibri-test-agent 0.0.9; exit ;; esac
exec '$binaries/colibri-test-agent' "\$@"
END
install builds </dev/null
replace builds colibri-test-agent <<END
case \${1:-} in --version) '$binaries/colibri-test-agent' --version | sed 's/+.*/+0123456789abcdef/'; exit ;; esac
exec '$binaries/colibri-test-agent' "\$@"
END
install web </dev/null
replace web colibri-web <<END
echo colibri-web 0.0.9
END
install silent <<'END'
case $1 in health) exit 1 ;; esac
END
install open <<'END'
case $1 in start) "$service" start; chmod 0755 "$state"; exit ;; esac
END
install intake </dev/null
replace intake colibri <<END
case " \$* " in *' intake-task '*) echo '{"intake_id":"01a2139c-0000-7000-8000-000000000000"}'; exit ;; esac
exec '$binaries/colibri' "\$@"
END
install agent </dev/null
replace agent colibri-test-agent <<END
case \${1:-} in --version) exec '$binaries/colibri-test-agent' --version ;; esac
exec '$binaries/colibri-test-agent' --fail "\$@"
END
install unlogged <<'END'
case $1 in start) mkdir -p "$log"; ln -sf /dev/null "$log/daemon.log" ;; esac
END
install reload <<'END'
case $1 in reload) kill -TERM "$(cat "$run/daemon.pid")"; exit ;; esac
END
install unsupervised <<'END'
SMOKE_RESTART_DELAY=1000
END
install forgetful </dev/null
replace forgetful colibri-daemon <<END
case \${1:-} in --version) exec '$binaries/colibri-daemon' --version ;; esac
# Its second start finds no board, nor the agent that the board would have named.
if [ -e '$scratch/forgetful/started' ]; then
    rm -f '$scratch/forgetful/var/db/colibri/'colibri.sqlite*
    kill -KILL \$(ls -l /proc/[0-9]*/exe 2>/dev/null | sed -n 's|.*/proc/\([0-9]*\)/exe -> $scratch/forgetful/.*test-agent|\1|p')
fi
: > '$scratch/forgetful/started'
exec '$binaries/colibri-daemon' "\$@"
END
install process <<'END'
case $1 in stop) "$service" stop; "$bin/colibri-test-agent" --hold-secs 20 >/dev/null 2>&1 </dev/null & exit ;; esac
END
install socket <<'END'
case $1 in stop) "$service" stop; : > "$run/colibri.sock"; exit ;; esac
END
install pidfile <<'END'
case $1 in stop) "$service" stop; echo 999999999 > "$run/daemon.pid"; exit ;; esac
END
install refusing <<'END'
case $1 in start) echo 'colibri-service: no such luck' >&2; exit 1 ;; esac
END

# All at once: what they do most is wait.
for name in sound tampered versions builds web silent open intake agent unlogged reload unsupervised forgetful process socket pidfile refusing; do
    case $name in
        sound) accept "$name" --json "$scratch/sound/acceptance.json" & ;;
        *) accept "$name" & ;;
    esac
done
wait

check 'the steps are those of the runbook, in its order' steps_match_the_runbook
check 'a sound installation passes every step' sound_installation_passes
check 'what is skipped names its reason' skips_are_these
if command -v python3 >/dev/null 2>&1; then
    check 'the JSON says what the lines say' json_says_the_same
else
    skip 'the JSON says what the lines say' 'python3 is not installed'
fi
check 'nothing of the installation is left running' nothing_is_left
check 'a file that is not that of the manifest fails that step alone' fails_exactly tampered 'files, modes and owners are those of the manifest' 'SHA-256 differs'
check 'executables of two versions fail that step alone' fails_exactly versions 'the executables run and are of one version' 'colibri-test-agent is version 0.0.9'
check 'a web glasspane of another version fails that step alone' fails_exactly web 'the executables run and are of one version' 'colibri-web is version 0.0.9'
check 'executables of two builds of one version fail that step alone' fails_exactly builds 'the executables run and are of one version' 'colibri-test-agent is built from commit 0123456789abcdef'
check 'a service that does not start fails that step alone' fails_exactly refusing 'the service starts' 'no such luck'
check 'a service whose health fails, fails that step alone' fails_exactly silent 'health says that it answers' 'health returned 1'
check 'a directory open to others fails that step alone' fails_exactly open 'its directories are closed to others' 'is 755'
check 'an intake that is lost fails the step of the tick alone' fails_exactly intake 'intake becomes queued after a tick' 'not on the board'
check 'an agent that fails its task fails that step alone' fails_exactly agent 'the test agent does its task and is stopped' 'its task is failed, not done'
check 'a log that is not written fails that step alone' fails_exactly unlogged 'the log tells what happened' 'daemon.log'
check 'a reload that restarts the daemon fails that step alone' fails_exactly reload 'reload keeps the daemon' 'before the reload'
check 'a daemon that stays dead fails that step alone' fails_exactly unsupervised 'a killed daemon is started again' 'did not answer again'
check 'a board that the crash loses fails that step alone' fails_exactly forgetful 'no task is lost by the crash' 'is gone'
check 'a process left behind fails that step alone' fails_exactly process 'no process is left' 'process [0-9]* is left'
check 'a socket left behind fails that step alone' fails_exactly socket 'no socket is left' 'colibri.sock is left'
check 'a pidfile left behind fails that step alone' fails_exactly pidfile 'no pidfile is left' 'daemon.pid is left'
check 'a service that ran is left running, in its cost mode, with no open task' running_service_is_left_running
check 'with --keep-running nothing is interrupted' keep_running_interrupts_nothing
check 'agents at work are not interrupted unasked' agents_at_work_are_not_interrupted
check 'a run that is interrupted takes its tasks along' interrupted_run_takes_its_tasks_along
check 'where nothing is installed, that is said' nothing_installed_is_said
check 'wrong usage is one line and exit status 2' wrong_usage_is_refused
tap_done
