#!/bin/sh
# The executables for aarch64: built on x86-64 and run under qemu-aarch64, or, on aarch64, those of the machine itself.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

# A machine of another name, for what looks at uname(1) alone.
machine() {
    rm -rf "$scratch/machine"
    mkdir "$scratch/machine"
    # shellcheck disable=SC2016  # $1 is the script's
    printf '#!/bin/sh\ncase $1 in -s) echo %s ;; -m) echo %s ;; esac\n' "$1" "$2" > "$scratch/machine/uname"
    chmod 755 "$scratch/machine/uname"
}

# refused STATUS LINE ARGUMENT...: build.sh says that line and nothing else, and leaves nothing.
refused() {
    wanted_status=$1 wanted_line=$2
    shift 2
    status=0
    PATH=$scratch/machine:$PATH "$repository/scripts/build.sh" -o "$scratch/refused" "$@" >"$scratch/said" 2>&1 || status=$?
    same "build.sh: $wanted_line" "$(cat "$scratch/said")"
    same "$wanted_status" "$status"
    [ ! -e "$scratch/refused" ]
}

unknown_is_refused() {
    machine Linux x86_64
    refused 2 '--arch is x64 or arm64 (try: build.sh --help)' --arch riscv64
    refused 2 '--arch is x64 or arm64 (try: build.sh --help)' --arch
    machine Linux riscv64
    refused 1 'no native build for Linux on riscv64'
}

other_directions_are_refused() {
    machine Linux aarch64
    refused 1 'an executable for x64 is built on x64, or for arm64 on x86-64 Linux: this is Linux on aarch64' --arch x64
    machine FreeBSD amd64
    refused 1 'an executable for arm64 is built on arm64, or for arm64 on x86-64 Linux: this is FreeBSD on amd64' --arch arm64
    machine FreeBSD arm64
    refused 1 'an executable for x64 is built on x64, or for arm64 on x86-64 Linux: this is FreeBSD on arm64' --arch x64
}

tree_state() { git -C "$repository" status --porcelain 2>/dev/null && git -C "$repository" diff 2>/dev/null; }

builds() {
    before=$(tree_state || :)
    # The same as for the machine itself: the prerequisites say what lacks.
    "$repository/scripts/build.sh" --arch arm64 -o "$bin"
    # Lock files above all.
    same "$before" "$(tree_state || :)"
}

runs() {
    "$repository/scripts/arm64-smoke.sh" --bin "$bin" >"$scratch/smoke"
    cat "$scratch/smoke"
    same 9 "$(grep -c '^ok ' "$scratch/smoke")"
    same '' "$(grep -v '^ok ' "$scratch/smoke" || :)"
}

is_packaged() {
    package=$("$repository/scripts/package-deb.sh" --binaries "$bin" -o "$scratch/deb")
    same arm64 "$(dpkg-deb --field "$package" Architecture)"
}

other_executables_are_refused() {
    mkdir "$scratch/other"
    for program in colibri-daemon colibri colibri-test-agent; do cp /bin/true "$scratch/other/$program"; done
    # e_machine 62, x86-64.
    printf '\076\000' | dd of="$scratch/other/colibri-daemon" bs=1 seek=18 conv=notrunc 2>/dev/null
    status=0
    "$repository/scripts/arm64-smoke.sh" --bin "$scratch/other" >"$scratch/said" 2>&1 || status=$?
    same "arm64-smoke.sh: $scratch/other/colibri-daemon is not for aarch64" "$(cat "$scratch/said")"
    same 3 "$status"
}

check 'build.sh refuses an architecture that it does not know in one line' unknown_is_refused
check 'build.sh refuses each direction that it cannot cross in one line' other_directions_are_refused
check 'the smoke test refuses executables of another machine in one line' other_executables_are_refused

reason='' bin=$scratch/arm64
case $(uname -s)/$(uname -m) in
    Linux/aarch64)
        bin=${COLIBRI_BIN_DIR:-$repository/dist}
        [ -x "$bin/colibri-daemon" ] || reason="there are no executables in $bin"
        ;;
    Linux/x86_64)
        if ! command -v qemu-aarch64 >/dev/null 2>&1; then
            reason='qemu-aarch64 is not installed'
        elif ! command -v aarch64-linux-gnu-gcc >/dev/null 2>&1; then
            reason='aarch64-linux-gnu-gcc is not installed'
        elif ! command -v apt-get >/dev/null 2>&1 && [ ! -f /usr/lib/aarch64-linux-gnu/libsqlite3.a ]; then
            reason='there is no SQLite for aarch64, and no apt-get to fetch it'
        fi
        ;;
    *) reason="aarch64 is tried on Linux, this is $(uname -s) on $(uname -m)" ;;
esac
if [ -n "$reason" ]; then
    skip 'the executables for aarch64 are built on x86-64, and the checkout stays as it was' "$reason"
    skip 'they run: a daemon, an agent, a task to its end, a kill, a stop' "$reason"
    skip 'their Debian package is for arm64' "$reason"
else
    if [ "$(uname -m)" = aarch64 ]; then
        skip 'the executables for aarch64 are built on x86-64, and the checkout stays as it was' 'this is aarch64'
    else
        check 'the executables for aarch64 are built on x86-64, and the checkout stays as it was' builds
    fi
    check 'they run: a daemon, an agent, a task to its end, a kill, a stop' runs
    if command -v dpkg-deb >/dev/null 2>&1; then
        check 'their Debian package is for arm64' is_packaged
    else
        skip 'their Debian package is for arm64' 'dpkg-deb is not installed'
    fi
fi
tap_done
