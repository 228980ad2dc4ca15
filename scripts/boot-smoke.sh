#!/bin/sh
# Boots an image in a virtual machine, runs the acceptance over its serial console, and keeps what it said.
set -eu

usage() {
    cat <<'END'
usage: boot-smoke.sh -o DIR --kernel FILE --initrd FILE [options]
       boot-smoke.sh -o DIR --image FILE [options]

The first form boots the Linux smoke image, which runs the acceptance by itself and
powers off. The second boots a raw disk image of FreeBSD, logs in on the serial console
and runs the acceptance that is staged there; the image itself is not written to.

Written to DIR: console.log (everything the machine said), acceptance.tap, and
acceptance.json (clawdie.iso.validation.v1).

  -o DIR                where they go
  --hypervisor NAME     bhyve (the default on FreeBSD), or a qemu-system-x86_64
  --accel NAME          of qemu: kvm, tcg, or auto (kvm if it works; the default)
  --firmware FILE       UEFI firmware for the disk image (bhyve: that of the package
                        bhyve-firmware if it is there, else bhyveload; qemu: its BIOS)
  --login NAME          who logs in, without a password (default: root)
  --memory MB           default: 1024
  --cpus N              default: 2
  --deadline STEP=N     seconds for a step: boot, login, acceptance or power-off;
                        by default 60, 300, 600 and 60, twice that without kvm or bhyve
  --help                this text

Exit status: 0 every step of the acceptance passed or was skipped, 1 some failed, 2 wrong
usage, 3 the machine did not get through; the line on standard error names the step.
END
}

fail() {
    printf 'boot-smoke.sh: %s\n' "$1" >&2
    exit "${2:-3}"
}

output='' kernel='' initrd='' image='' hypervisor='' accel=auto firmware='' login=root memory=1024 cpus=2 deadlines=''
while [ $# -gt 0 ]; do
    case $1 in
        -o | --kernel | --initrd | --image | --hypervisor | --accel | --firmware | --login | --memory | --cpus | --deadline)
            if [ $# -lt 2 ] || [ -z "$2" ]; then
                fail "$1 needs a value (try: boot-smoke.sh --help)" 2
            fi
            case $1 in
                -o) output=$2 ;;
                --kernel) kernel=$2 ;;
                --initrd) initrd=$2 ;;
                --image) image=$2 ;;
                --hypervisor) hypervisor=$2 ;;
                --accel) accel=$2 ;;
                --firmware) firmware=$2 ;;
                --login) login=$2 ;;
                --memory) memory=$2 ;;
                --cpus) cpus=$2 ;;
                --deadline) deadlines="$deadlines $2" ;;
            esac
            shift
            ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: boot-smoke.sh --help)" 2 ;;
    esac
    shift
done
[ -n "$output" ] || fail '-o DIR is missing: where do log and results go?' 2
case ${kernel:+kernel}${initrd:+initrd}${image:+image} in
    kernelinitrd | image) ;;
    *) fail 'what is booted? give --kernel FILE and --initrd FILE, or --image FILE' 2 ;;
esac
for file in ${kernel:+"$kernel"} ${initrd:+"$initrd"} ${image:+"$image"} ${firmware:+"$firmware"}; do
    [ -r "$file" ] || fail "$file cannot be read" 2
done
for number in "$memory" "$cpus"; do
    case $number in *[!0-9]* | 0) fail "$number: --memory and --cpus are numbers above 0" 2 ;; esac
done
case $accel in auto | kvm | tcg) ;; *) fail "--accel $accel: not kvm, tcg or auto" 2 ;; esac
for pair in $deadlines; do
    case $pair in
        *=*[!0-9]* | *=) fail "--deadline $pair: STEP=SECONDS" 2 ;;
        boot=* | login=* | acceptance=* | power-off=*) ;;
        *) fail "--deadline $pair: the steps are boot, login, acceptance and power-off" 2 ;;
    esac
done

if [ -z "$hypervisor" ]; then
    if [ "$(uname -s)" = FreeBSD ] && [ -n "$image" ]; then hypervisor=bhyve; else hypervisor=qemu-system-x86_64; fi
fi
command -v "$hypervisor" >/dev/null 2>&1 ||
    fail "there is no $hypervisor (try: apt-get install qemu-system-x86, pkg install qemu-nox11, or --hypervisor)"
case ${hypervisor##*/} in bhyve) kind=bhyve accel=bhyve ;; *) kind=qemu ;; esac
if [ "$kind" = bhyve ] && [ -z "$image" ]; then
    fail 'bhyve boots no Linux kernel by itself: --image FILE, or --hypervisor qemu-system-x86_64' 2
fi

scratch=$(mktemp -d)
mkdir -p "$output" 2>/dev/null || :
if [ ! -w "$output" ]; then
    rmdir "$scratch"
    fail "-o $output: cannot be written" 2
fi
console=$output/console.log
rm -f "$console" "$output/acceptance.tap" "$output/acceptance.json"
machine='' reader='' loaded=no name=colibri-smoke-$$

# Ends what was started, and nothing else.
stop_machine() {
    if [ -n "$machine" ] && kill -0 "$machine" 2>/dev/null; then
        kill -TERM "$machine" 2>/dev/null || :
        ended=0
        while [ "$ended" -lt 50 ] && kill -0 "$machine" 2>/dev/null; do
            sleep 0.1
            ended=$((ended + 1))
        done
        kill -KILL "$machine" 2>/dev/null || :
    fi
    if [ -n "$machine" ]; then wait "$machine" 2>/dev/null || :; fi
    machine=''
    if [ "$loaded" = yes ]; then bhyvectl --vm="$name" --destroy >/dev/null 2>&1 || :; fi
    loaded=no
    if [ -n "$reader" ]; then
        # What the machine said last is still on its way to the log.
        ended=0
        while [ "$ended" -lt 20 ] && kill -0 "$reader" 2>/dev/null; do
            sleep 0.1
            ended=$((ended + 1))
        done
        kill -TERM "$reader" 2>/dev/null || :
        wait "$reader" 2>/dev/null || :
    fi
    reader=''
}
at_end() {
    at_end_status=$?
    trap - EXIT HUP INT TERM
    stop_machine
    rm -rf "$scratch"
    exit "$at_end_status"
}
trap at_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

deadline_of() {
    case $1 in
        boot | power-off) seconds=60 ;;
        login) seconds=300 ;;
        *) seconds=600 ;;
    esac
    if [ "$accel" = tcg ]; then seconds=$((seconds * 2)); fi
    for pair in $deadlines; do
        if [ "${pair%%=*}" = "$1" ]; then seconds=${pair#*=}; fi
    done
    printf '%s\n' "$seconds"
}

# What the last lines of the console are, for the error's line.
last_words() {
    words=$(tail -n 5 "$console" 2>/dev/null | tr -d '\r' | tr -cd '[:print:]\n' | sed '/^ *$/d' | tail -n 1 | cut -c 1-120)
    printf '%s\n' "${words:-nothing}"
}

# Stops the run at a step; in the acceptance also says behind which of its lines.
stopped() {
    at=$1
    if [ "$1" = acceptance ]; then
        line=$(tr -d '\r' < "$console" | grep -E '^(not )?ok [0-9]+ - ' | tail -n 1 || :)
        at="acceptance, after its line '${line:-none}'"
    fi
    fail "stopped at $at: $2; the console's last line: $(last_words) (see $console)"
}

# Lines of the console that an earlier step has seen are not looked at again. What a shell says to the terminal alone, as where its cursor is,
# is left out.
seen=0
escape=$(printf '\033')
said() { tail -c +$((seen + 1)) "$console" | tr -d '\r' | sed "s/$escape\[[0-9;?]*[A-Za-z]//g" | grep -E "$1" >/dev/null; }
mark() { seen=$(wc -c < "$console" | tr -d ' '); }
ended() { ! kill -0 "$machine" 2>/dev/null; }

trouble='Kernel panic|^panic: |^db> |mountroot> |No bootable device|not a bootable disk|can.t load .kernel'

# await STEP PATTERN: returns when the console says it; stops the run where it does not in time, or never will.
await() {
    await_deadline=$(deadline_of "$1")
    await_began=$(date +%s)
    until said "$2"; do
        if said "$trouble"; then stopped "$1" 'the machine broke down'; fi
        if ended; then
            # It may have said it with its last breath.
            sleep 0.5
            if said "$2"; then break; fi
            stopped "$1" 'the machine ended'
        fi
        if [ -n "${3:-}" ] && said "$3"; then stopped "$1" "$4"; fi
        if [ $(($(date +%s) - await_began)) -ge "$await_deadline" ]; then
            stopped "$1" "not done within $await_deadline s"
        fi
        sleep 0.2
    done
    printf '%-10s  %s s\n' "$1" $(($(date +%s) - await_began))
}

type_line() { printf '%s\r' "$1" >&3; }

# That /dev/kvm opens is not enough: within a virtual machine the processor may lack what it promises.
kvm_works() {
    # In a shell of its own, which keeps to itself how it ended, and where a core is no litter.
    (
        cd "$scratch" || exit 1
        printf 'quit\n' | "$hypervisor" -accel kvm -cpu host -nodefaults -display none -S -monitor stdio
    ) >/dev/null 2>&1
}

start_qemu() {
    # Both ends are opened for reading and writing: neither waits for the other.
    mkfifo "$scratch/console.in" "$scratch/console.out"
    exec 3<>"$scratch/console.in"
    set -- -nodefaults -no-user-config -no-reboot -display none -m "$memory" -smp "$cpus" \
        -chardev "pipe,id=console,path=$scratch/console" -serial chardev:console
    if [ "$accel" = kvm ]; then set -- "$@" -accel kvm -cpu host; else set -- "$@" -accel tcg -cpu max; fi
    if [ -n "$kernel" ]; then
        # No guest attacks another one here, and what guards against it costs an emulated processor most.
        set -- "$@" -kernel "$kernel" -initrd "$initrd" -append 'console=ttyS0 rdinit=/init panic=-1 mitigations=off'
    else
        set -- "$@" -drive "file=$image,format=raw,if=virtio,snapshot=on"
        if [ -n "$firmware" ]; then set -- "$@" -bios "$firmware"; fi
    fi
    cat "$scratch/console.out" >"$console" 3>&- &
    reader=$!
    "$hypervisor" "$@" </dev/null >"$scratch/hypervisor" 2>&1 3>&- &
    machine=$!
}

start_bhyve() {
    for module in vmm nmdm; do
        kldstat -q -m "$module" || kldload "$module" || fail "the module $module cannot be loaded (are you root?)"
    done
    line=/dev/nmdm$$
    cp "$image" "$scratch/disk" || fail "no room for a copy of $image in ${TMPDIR:-/tmp}"
    if [ -z "$firmware" ] && [ -r /usr/local/share/uefi-firmware/BHYVE_UEFI.fd ]; then
        firmware=/usr/local/share/uefi-firmware/BHYVE_UEFI.fd
    fi
    # The line's end here opens once the machine's has. It echoes unless it is told not to, and the machine would talk to itself; and without
    # clocal it closes between the loader and the kernel.
    (stty raw -echo clocal && exec cat) <"${line}B" >"$console" 2>/dev/null &
    reader=$!
    loaded=yes
    set -- -c "$cpus" -m "${memory}M" -A -H -w -s 0,hostbridge -s 3,virtio-blk,"$scratch/disk" -s 31,lpc -l com1,"${line}A"
    if [ -n "$firmware" ]; then
        set -- "$@" -l bootrom,"$firmware"
    else
        bhyveload -c "${line}A" -m "${memory}M" -d "$scratch/disk" "$name" </dev/null >"$scratch/hypervisor" 2>&1 ||
            fail "bhyveload cannot load the image's kernel: $(tail -n 1 "$scratch/hypervisor")"
    fi
    "$hypervisor" "$@" "$name" </dev/null >"$scratch/hypervisor" 2>&1 &
    machine=$!
}

if [ "$accel" = auto ]; then
    accel=tcg
    if [ -w /dev/kvm ] && kvm_works; then accel=kvm; fi
fi
: > "$console"
began=$(date +%s)
"start_$kind"
printf '%-10s  %s\n' machine "${hypervisor##*/}${accel:+, $accel}"

# A hypervisor that does not take its arguments says so and not on the console.
sleep 0.2
if ended && [ ! -s "$console" ]; then
    fail "stopped at start: $hypervisor ended: $(tail -n 1 "$scratch/hypervisor")"
fi

acceptance_end='^-----END acceptance: exit [0-9]+'
if [ -n "$kernel" ]; then
    await boot '^-----BEGIN acceptance-----'
    await acceptance "$acceptance_end"
else
    await boot 'Copyright .* The FreeBSD Project|login: *$'
    await login 'login: *$' >/dev/null
    mark
    # The line is open by now: it has been read from.
    if [ "$kind" = bhyve ]; then exec 3<>"${line}B"; fi
    type_line "$login"
    await login '[#%$>] *$' 'assword: *$|Login incorrect' "$login needs a password, and a smoke image's has none"
    mark
    # In a shell that is known, whatever the login shell is; and the line typed does not hold what is waited for.
    # shellcheck disable=SC2016  # for the machine's shell
    type_line 'sh -c '\''sh /usr/local/share/colibri/acceptance.sh --json - ; echo "-----END acceptance: exit $?-----"'\'
    await acceptance "$acceptance_end"
    type_line 'shutdown -p now'
fi

off_deadline=$(deadline_of power-off)
off_began=$(date +%s)
until ended; do
    if [ $(($(date +%s) - off_began)) -ge "$off_deadline" ]; then
        stopped power-off "not done within $off_deadline s"
    fi
    sleep 0.2
done
printf '%-10s  %s s\n' power-off $(($(date +%s) - off_began))
stop_machine

tr -d '\r' < "$console" > "$scratch/text"
sed -n '/^1\.\.[0-9]/,/^-----/{/^-----/!p;}' "$scratch/text" > "$output/acceptance.tap"
sed -n '/^-----BEGIN clawdie\.iso\.validation\.v1-----/,/^-----END/{/^-----/!p;}' "$scratch/text" > "$output/acceptance.json"
planned=$(sed -n '1s/^1\.\.\([0-9]*\).*/\1/p' "$output/acceptance.tap")
steps=$(grep -cE '^(not )?ok [0-9]+ - ' "$output/acceptance.tap" || :)
failed=$(grep -c '^not ok ' "$output/acceptance.tap" || :)
skipped=$(grep -c '^ok .* # SKIP ' "$output/acceptance.tap" || :)
said_failed=$(sed -n 's/^  "failed": \([0-9]*\).*/\1/p' "$output/acceptance.json")
if [ "${planned:-0}" -eq 0 ] || [ "$steps" -ne "$planned" ] || [ "${said_failed:-none}" != "$failed" ]; then
    fail "stopped at acceptance: $steps of ${planned:-no} steps are on the console, and the JSON says ${said_failed:-nothing} failed (see $console)"
fi
grep '^not ok ' "$output/acceptance.tap" || :
printf '%s passed, %s failed, %s skipped in %s s: %s\n' $((steps - failed - skipped)) "$failed" "$skipped" $(($(date +%s) - began)) "$output"
[ "$failed" -eq 0 ]
