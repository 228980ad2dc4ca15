#!/bin/sh
# The Linux smoke image under qemu, with the acceptance inside; and the driver of that boot with a hypervisor of the test's own that stops
# where it is told to.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

static=${COLIBRI_STATIC_BIN_DIR:-$repository/dist/static}
boot_smoke=$repository/scripts/boot-smoke.sh
kept=$repository/.cache/boot-smoke

# --- The image

image_is_built() {
    "$repository/iso/build-smoke-image-linux.sh" --binaries "$static" -o "$scratch/image"
}

image_holds_nothing_else() {
    same '.
bin
bin/busybox
bin/sh
etc
etc/group
etc/passwd
init
usr
usr/local
usr/local/bin
usr/local/bin/colibri
usr/local/bin/colibri-daemon
usr/local/bin/colibri-test-agent
usr/local/sbin
usr/local/sbin/colibri-service
usr/local/share
usr/local/share/colibri
usr/local/share/colibri/acceptance.sh
usr/local/share/colibri/manifest.json
var
var/db
var/log
var/run' "$(gzip -dc "$scratch/image/initramfs.cpio.gz" | /bin/busybox cpio -t 2>/dev/null | LC_ALL=C sort)"
}

dynamic_executable_is_refused() {
    mkdir "$scratch/dynamic"
    cp "$static/colibri" "$static/colibri-test-agent" "$scratch/dynamic/"
    # Whichever program this shell is.
    cp "$(command -v sh)" "$scratch/dynamic/colibri-daemon"
    refused_status=0
    "$repository/iso/build-smoke-image-linux.sh" --binaries "$scratch/dynamic" -o "$scratch/unbuilt" >"$scratch/refused.out" 2>&1 || refused_status=$?
    cat "$scratch/refused.out"
    same 1 "$refused_status"
    grep -q 'colibri-daemon is not static.*--static' "$scratch/refused.out"
    [ ! -e "$scratch/unbuilt" ]
}

image_usage_error() {
    usage_status=0
    "$repository/iso/build-smoke-image-linux.sh" "$@" >"$scratch/usage" 2>&1 </dev/null || usage_status=$?
    cat "$scratch/usage"
    same 2 "$usage_status"
    same 1 "$(wc -l < "$scratch/usage" | tr -d ' ')"
}

wrong_usage_of_the_image_is_refused() {
    image_usage_error
    image_usage_error --binaries "$scratch"
    image_usage_error -o "$scratch/unbuilt"
    image_usage_error --kernel
    image_usage_error --frobnicate
    [ ! -e "$scratch/unbuilt" ]
}

# Emulated it takes a minute or two; the deadlines are for a machine that is busy with other things.
image_is_accepted() {
    "$boot_smoke" --kernel "$scratch/image/vmlinuz" --initrd "$scratch/image/initramfs.cpio.gz" -o "$kept" \
        --deadline boot=120 --deadline acceptance=480 --deadline power-off=60
}

skips_are_these() {
    same "the service is enabled at boot # SKIP here it is started by --service-command, not at boot
the log rotates, and the new one is written # SKIP newsyslog(8) is FreeBSD's
hermes without a configuration says so and does not start # SKIP hermes_daemon is a service of the FreeBSD image
hermes starts, answers and stops # SKIP hermes_daemon is a service of the FreeBSD image" "$(sed -n 's/^ok [0-9]* - \(.*# SKIP.*\)/\1/p' "$kept/acceptance.tap")"
    same "$("$repository/scripts/acceptance.sh" --list | sed 's/^/ok /')" "$(grep -E '^(not )?ok ' "$kept/acceptance.tap" | sed 's/ # SKIP .*//')"
}

results_are_kept() {
    grep -q 'Linux version' "$kept/console.log"
    grep -q 'colibri-daemon .* started' "$kept/console.log"
    same '{' "$(head -n 1 "$kept/acceptance.json")"
    same '}' "$(tail -n 1 "$kept/acceptance.json")"
    grep -q '"schema": "clawdie.iso.validation.v1"' "$kept/acceptance.json"
    grep -q '"host": "colibri-smoke"' "$kept/acceptance.json"
}

# --- The driver: a hypervisor that plays a scene on its console

cat > "$scratch/qemu" <<'END'
#!/bin/sh
printf '%s\n' "$@" > "$SCENE_DIR/arguments"
printf '%s\n' $$ > "$SCENE_DIR/pid"
path=$(printf '%s\n' "$@" | sed -n 's/^pipe,id=console,path=//p')
case $SCENE in refused) echo 'qemu: no such option' >&2; exit 1 ;; esac
exec >"$path.out" <"$path.in"
hang() { exec sleep 1000; }
# A terminal ends its lines with a carriage return.
carriage_return=$(printf '\r')
hear() {
    line=''
    while :; do
        character=$(dd bs=1 count=1 2>/dev/null)
        if [ "$character" = "$carriage_return" ]; then break; fi
        line=$line$character
    done
    printf '%s\n' "$line" >> "$SCENE_DIR/typed"
    printf '%s\r\n' "$line"
}
tap() { printf '1..2\r\nok 1 - it starts\r\n'; }
json() { printf '%s\r\n' '-----BEGIN clawdie.iso.validation.v1-----' '{' "  \"failed\": $1," '}' '-----END clawdie.iso.validation.v1-----'; }
finish() { printf '%s\r\n' "-----END acceptance: exit $1-----"; }
login() {
    printf 'Copyright (c) 1992-2026 The FreeBSD Project.\r\n\r\nFreeBSD/amd64 (appliance) (ttyu0)\r\n\r\nlogin: '
    hear
}
case $SCENE in
    login | password | freebsd) login ;;
    silent) ;;
    *) printf 'Linux version 6.1\r\n-----BEGIN acceptance-----\r\n' ;;
esac
case $SCENE in
    silent) hang ;;
    panic) printf '[    0.9] Kernel panic - not syncing: no init found\r\n'; hang ;;
    ends) tap; exit 0 ;;
    stuck) tap; hang ;;
    stays) tap; printf 'ok 2 - it stops\r\n'; json 0; finish 0; hang ;;
    good) tap; printf 'ok 2 - it stops # SKIP not here\r\n'; json 0; finish 0 ;;
    bad) tap; printf 'not ok 2 - it stops\r\n# why\r\n'; json 1; finish 1 ;;
    torn) tap; json 0; finish 0 ;;
    liar) tap; printf 'not ok 2 - it stops\r\n'; json 0; finish 0 ;;
    password) printf '\r\nPassword:'; hang ;;
    freebsd)
        # A shell may ask the terminal where its cursor is.
        printf '\r\nWelcome to FreeBSD!\r\nroot@appliance:~ # \033[6n'
        hear
        tap; printf 'ok 2 - it stops\r\n'; json 0; finish 0
        printf 'root@appliance:~ # '
        hear
        ;;
esac
END
chmod +x "$scratch/qemu"
: > "$scratch/file"

# boot SCENE ARGUMENT...: what it printed is in $scratch/SCENE/said, its status in boot_status.
boot() {
    scene=$1
    shift
    mkdir -p "$scratch/$scene"
    boot_status=0
    SCENE=$scene SCENE_DIR=$scratch/$scene "$boot_smoke" --hypervisor "$scratch/qemu" --accel tcg -o "$scratch/$scene/kept" \
        --deadline boot=30 --deadline login=30 --deadline acceptance=30 --deadline power-off=30 "$@" \
        >"$scratch/$scene/said" 2>"$scratch/$scene/err" </dev/null || boot_status=$?
    cat "$scratch/$scene/said" "$scratch/$scene/err"
    # Whatever happened, the machine is gone.
    if kill -0 "$(cat "$scratch/$scene/pid")" 2>/dev/null; then
        printf 'the hypervisor still runs\n'
        return 1
    fi
}
boot_linux() { boot "$@" --kernel "$scratch/file" --initrd "$scratch/file"; }

# stops SCENE PATTERN ARGUMENT...: the boot stops with status 3 and one line.
stops() {
    stops_scene=$1 stops_pattern=$2
    shift 2
    boot_linux "$stops_scene" "$@"
    same 3 "$boot_status"
    same 1 "$(wc -l < "$scratch/$stops_scene/err" | tr -d ' ')"
    grep -q "$stops_pattern" "$scratch/$stops_scene/err"
}

carriage_return=$(printf '\r')

good_machine_passes() {
    boot_linux good
    same 0 "$boot_status"
    same '' "$(cat "$scratch/good/err")"
    grep -q '^1 passed, 0 failed, 1 skipped' "$scratch/good/said"
    same '1..2
ok 1 - it starts
ok 2 - it stops # SKIP not here' "$(cat "$scratch/good/kept/acceptance.tap")"
    same '{
  "failed": 0,
}' "$(cat "$scratch/good/kept/acceptance.json")"
    grep -q "Linux version 6.1$carriage_return" "$scratch/good/kept/console.log"
}

failed_step_is_status_1() {
    boot_linux bad
    same 1 "$boot_status"
    grep -q '^not ok 2 - it stops' "$scratch/bad/said"
    grep -q '^1 passed, 1 failed, 0 skipped' "$scratch/bad/said"
}

freebsd_is_logged_into() {
    boot freebsd --image "$scratch/file"
    same 0 "$boot_status"
    same root "$(sed -n 1p "$scratch/freebsd/typed")"
    sed -n 2p "$scratch/freebsd/typed" | grep -q 'sh /usr/local/share/colibri/acceptance.sh --json -'
    same 'shutdown -p now' "$(sed -n 3p "$scratch/freebsd/typed")"
    grep -qx "file=$scratch/file,format=raw,if=virtio,snapshot=on" "$scratch/freebsd/arguments"
    for step in boot login acceptance power-off; do grep -q "^$step " "$scratch/freebsd/said"; done
}

password_is_said() {
    boot password --image "$scratch/file"
    same 3 "$boot_status"
    grep -q 'stopped at login: root needs a password' "$scratch/password/err"
}

old_results_do_not_stay() {
    mkdir -p "$scratch/silent/kept"
    : > "$scratch/silent/kept/acceptance.json"
    stops silent '^boot-smoke.sh: stopped at boot: not done within 1 s; the console.s last line: nothing' --deadline boot=1
    [ ! -e "$scratch/silent/kept/acceptance.json" ]
}

usage_error() {
    usage_status=0
    "$boot_smoke" "$@" >"$scratch/usage" 2>&1 </dev/null || usage_status=$?
    cat "$scratch/usage"
    same 2 "$usage_status"
    same 1 "$(wc -l < "$scratch/usage" | tr -d ' ')"
}

wrong_usage_is_refused() {
    usage_error
    usage_error -o "$scratch/usage.d"
    usage_error -o "$scratch/usage.d" --kernel "$scratch/file"
    usage_error -o "$scratch/usage.d" --kernel "$scratch/file" --initrd "$scratch/file" --image "$scratch/file"
    usage_error -o "$scratch/usage.d" --image "$scratch/nothing"
    usage_error -o "$scratch/usage.d" --image "$scratch/file" --deadline lunch=5
    usage_error -o "$scratch/usage.d" --image "$scratch/file" --deadline boot=soon
    usage_error -o "$scratch/usage.d" --image "$scratch/file" --memory much
    usage_error -o "$scratch/usage.d" --image "$scratch/file" --accel warp
    [ ! -e "$scratch/usage.d" ]
}

check 'a machine that goes through it is a success, and what it said is kept' good_machine_passes
check 'a failed step is exit status 1' failed_step_is_status_1
check 'a disk image is logged into, accepted, and switched off' freebsd_is_logged_into
check 'a machine that says nothing is stopped at boot, and no old result stays' old_results_do_not_stay
check 'a kernel that panics is stopped at boot at once' stops panic 'stopped at boot: the machine broke down\|stopped at acceptance.*broke down'
check 'a login that wants a password is said' password_is_said
check 'an acceptance that hangs is stopped, and its last line named' stops stuck "stopped at acceptance, after its line 'ok 1 - it starts': not done within 1 s" --deadline acceptance=1
check 'a machine that ends in the middle is noticed' stops ends "stopped at acceptance, after its line 'ok 1 - it starts': the machine ended"
check 'a machine that stays on is stopped at power-off' stops stays 'stopped at power-off: not done within 1 s' --deadline power-off=1
check 'a hypervisor that refuses is stopped at start' stops refused 'stopped at start: .*no such option'
check 'a plan that is not kept is no success' stops torn '1 of 2 steps are on the console'
check 'a JSON that says something else is no success' stops liar 'the JSON says 0 failed'
check 'wrong usage is one line and exit status 2' wrong_usage_is_refused
check 'so it is of what builds the image' wrong_usage_of_the_image_is_refused

reason=''
if [ "$(uname -s)/$(uname -m)" != Linux/x86_64 ]; then
    reason="the image is made on x86-64 Linux, this is $(uname -s) on $(uname -m)"
elif [ ! -x "$static/colibri-daemon" ]; then
    reason="there are no static executables in $static"
elif ! command -v qemu-system-x86_64 >/dev/null 2>&1; then
    reason='qemu-system-x86_64 is not installed'
elif ! command -v dpkg-deb >/dev/null 2>&1; then
    reason='its kernel is a Debian package, and there is no dpkg-deb to unpack one'
fi
if [ -z "$reason" ]; then
    check 'the smoke image is built' image_is_built
    check 'in it are busybox, the static executables, the acceptance, and what starts them' image_holds_nothing_else
    check 'an executable that is not static is refused' dynamic_executable_is_refused
    printf '# the console of the boot is kept in %s\n' "$kept/console.log"
    check 'it boots under qemu, and every step of the acceptance passes or is skipped' image_is_accepted
    check 'what is skipped needs FreeBSD or a service manager, and says so' skips_are_these
    check 'console, lines and JSON are kept' results_are_kept
else
    for name in 'the smoke image is built' 'in it are busybox, the static executables, the acceptance, and what starts them' \
        'an executable that is not static is refused' 'it boots under qemu, and every step of the acceptance passes or is skipped' \
        'what is skipped needs FreeBSD or a service manager, and says so' 'console, lines and JSON are kept'; do
        skip "$name" "$reason"
    done
fi
tap_done
