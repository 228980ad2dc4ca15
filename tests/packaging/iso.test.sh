#!/bin/sh
# What an image build calls: the service in the image, the release gate, room, and the FreeBSD smoke image as far as it goes here.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
# shellcheck disable=SC2016,SC2030,SC2031  # words for another shell; subshells are here to keep what is set in them
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/staging.sh
. "$repository/tests/packaging/lib/staging.sh"

small=$scratch/small
small_programs "$small"
root=$scratch/root
cd "$repository" || exit 1

# The three lines, as an image builder has them, in a shell of any kind.
installs() {
    for shell in sh dash 'busybox sh' bash; do
        command -v "${shell%% *}" >/dev/null 2>&1 || continue
        rm -rf "$root"
        mkdir "$root"
        # shellcheck disable=SC2086  # a command and its word
        $shell -eu -c '. iso/install-colibri-service.sh; install_colibri_service "$1" --binaries "$2"; check_release_gate "$1"; check_free_space "$1" 1' \
            sh "$root" "$small"
        test -x "$root/usr/local/bin/colibri-daemon"
        grep -qx 'colibri_daemon_enable="YES"' "$root/etc/rc.conf"
    done
}

from_elsewhere() {
    rm -rf "$root"
    mkdir "$root"
    status=0
    (cd / && . "$repository/iso/install-colibri-service.sh" && install_colibri_service "$root") 2>"$scratch/stderr" || status=$?
    same 1 "$status"
    same 'install-colibri-service: no //scripts/stage-colibri-iso.sh (source this from the root of a checkout, or set COLIBRI_CHECKOUT)' "$(cat "$scratch/stderr")"
    (cd / && COLIBRI_CHECKOUT=$repository && . "$repository/iso/install-colibri-service.sh" && install_colibri_service "$root" --binaries "$small")
}

gate() { sh -u -c '. iso/install-colibri-service.sh; check_release_gate "$@"' sh "$root" "$@" 2>"$scratch/stderr"; }
released() {
    rm -rf "$root"
    cp -Rp "$scratch/released" "$root"
}
# gate_refuses PATTERN [VALIDATION]: with one line that matches, and without touching the image.
gate_refuses() {
    gate_pattern=$1
    shift
    snapshot "$root" >"$scratch/before"
    status=0
    gate "$@" || status=$?
    cat "$scratch/stderr"
    same 1 "$status"
    same 1 "$(wc -l <"$scratch/stderr" | tr -d ' ')"
    grep -q "^install-colibri-service: .*$gate_pattern.*(.*)$" "$scratch/stderr"
    snapshot "$root" >"$scratch/after"
    diff "$scratch/before" "$scratch/after"
}

mkdir "$scratch/released"
(COLIBRI_CHECKOUT=$repository && . iso/install-colibri-service.sh && install_colibri_service "$scratch/released" --binaries "$small") >/dev/null

passes() { released; gate; same '' "$(cat "$scratch/stderr")"; }
nothing_staged() { rm -rf "$root"; mkdir "$root"; gate_refuses 'nothing is staged there'; }
file_missing() { released; rm "$root/usr/local/bin/colibri"; gate_refuses 'bin/colibri is missing'; }
file_changed() { released; chmod u+w "$root/usr/local/etc/rc.d/colibri_daemon"; echo >>"$root/usr/local/etc/rc.d/colibri_daemon"; gate_refuses 'colibri_daemon is not what was staged'; }
file_open() { released; chmod 777 "$root/usr/local/bin/colibri"; gate_refuses 'is not root.s alone to change'; }
directory_missing() { released; rmdir "$root/var/log/colibri"; gate_refuses 'var/log/colibri is missing'; }
half_done() { released; touch "$root/.colibri-staging"; gate_refuses 'a staging did not end'; }
test_agent() {
    released
    "$repository/scripts/stage-colibri-iso.sh" --destdir "$root" --binaries "$small" --with-test-agent
    gate_refuses 'the test agent is staged'
}
keys_inside() { released; echo 'DEEPSEEK_API_KEY=sk-0123' >"$root/usr/local/etc/colibri/provider.env"; gate_refuses 'provider.env has settings'; ! grep -q 0123 "$scratch/stderr"; }
not_enabled() {
    released
    sed -i 's/^colibri_daemon_enable="YES"/#&/' "$root/etc/rc.conf"
    gate_refuses 'rc.conf does not say colibri_daemon_enable="YES"'
}
no_commit() {
    rm -rf "$root"
    mkdir "$root"
    small_programs "$scratch/dateless" 0.1.0 unknown
    "$repository/scripts/stage-colibri-iso.sh" --destdir "$root" --binaries "$scratch/dateless" --enable
    gate_refuses 'which commit'
}
everything_at_once() {
    released
    rm "$root/usr/local/bin/colibri" "$root/etc/rc.conf"
    gate && return 1
    same 3 "$(wc -l <"$scratch/stderr" | tr -d ' ')"
}

validation() { printf '{\n  "schema": "clawdie.iso.validation.v1",\n  "version": "%s",\n  "commit": "%s",\n  "steps": [\n  ],\n  "passed": %s,\n  "failed": %s,\n  "skipped": 2\n}\n' "$@" >"$scratch/validation.json"; }
commit_of() { sed -n 's/^  "commit": "\([^"]*\)",*$/\1/p' "$root/usr/local/share/colibri/manifest.json"; }
validated() { released; validation 0.1.0 "$(commit_of)" 27 0; gate "$scratch/validation.json"; }
validation_failed() { released; validation 0.1.0 "$(commit_of)" 26 1; gate_refuses 'has failed steps' "$scratch/validation.json"; }
validation_failed_ten() { released; validation 0.1.0 "$(commit_of)" 17 10; gate_refuses 'has failed steps' "$scratch/validation.json"; }
validation_empty() { released; validation 0.1.0 "$(commit_of)" 0 0; gate_refuses 'no step that passed' "$scratch/validation.json"; }
validation_of_another_build() { released; validation 0.1.0 0123456789 27 0; gate_refuses 'of another build' "$scratch/validation.json"; }
validation_of_another() { released; validation 0.0.9 "$(commit_of)" 27 0; gate_refuses 'of another version than 0.1.0' "$scratch/validation.json"; }
validation_missing() { released; gate_refuses 'is not a clawdie.iso.validation.v1' "$scratch/none.json"; }

room() {
    (. iso/install-colibri-service.sh; check_free_space "$scratch" 1)
    status=0
    (. iso/install-colibri-service.sh; check_free_space "$scratch" 999999999999) 2>"$scratch/stderr" || status=$?
    same 1 "$status"
    grep -q "^install-colibri-service: $scratch has [0-9]* KiB free, 999999999999 are needed (make" "$scratch/stderr"
    for words in "$scratch" "$scratch many" "$scratch/nowhere 1"; do
        status=0
        # shellcheck disable=SC2086  # two words
        (. iso/install-colibri-service.sh; check_free_space $words) 2>/dev/null || status=$?
        same 2 "$status"
    done
}

# --- The FreeBSD smoke image, with stand-ins that record what a FreeBSD host's tools are asked for. What they make is not looked at:
# --- that an image boots is seen on FreeBSD alone.

host_stand_in() {
    host=$scratch/host record=$scratch/record
    rm -rf "$host" "$scratch/sets" "$scratch/out"
    mkdir -p "$host" "$scratch/out" "$scratch/sets/base/etc/defaults" "$scratch/sets/base/usr/sbin" "$scratch/sets/base/boot" "$scratch/sets/kernel/boot/kernel"
    for file in boot/loader.efi boot/pmbr boot/gptboot etc/defaults/rc.conf usr/sbin/daemon; do echo "$file" >"$scratch/sets/base/$file"; done
    echo 'root::0:0::0:0:Charlie &:/root:/bin/sh' >"$scratch/sets/base/etc/passwd"
    echo kernel >"$scratch/sets/kernel/boot/kernel/kernel"
    for set in base kernel; do tar -cJf "$scratch/$set.txz" -C "$scratch/sets/$set" .; done
    cat >"$host/uname" <<'END'
#!/bin/sh
case $1 in -s) echo FreeBSD ;; -m) echo amd64 ;; esac
END
    # GNU tar has no file flags to leave out.
    printf '#!/bin/sh\nset -- "$1" "$2" "$3" "$4"\nexec %s "$@"\n' "$(command -v tar)" >"$host/tar"
    printf '#!/bin/sh\nexit 0\n' >"$host/pw"
    printf '#!/bin/sh\nexit 1\n' >"$host/kldstat"
    cat >"$host/makefs" <<END
#!/bin/sh
echo "makefs \$*" >>"$record"
[ -z "\${MAKEFS_FAILS:-}" ] || { echo 'makefs: too large' >&2; exit 1; }
for word; do before=\$image image=\$last last=\$word; done
[ "\$2" = ffs ] && cp -Rp "\$last" "$scratch/out/tree"
echo image >"\$image"
END
    cat >"$host/mkimg" <<END
#!/bin/sh
echo "mkimg \$*" >>"$record"
for word; do last=\$word; done
echo disk >"\$last"
END
    chmod +x "$host"/*
    : >"$record"
}
builds() { PATH=$host:$PATH iso/build-smoke-image.sh --base "$scratch/base.txz" --kernel "$scratch/kernel.txz" --binaries "$small" --size 1m "$@"; }

smoke_image() {
    host_stand_in
    builds -o "$scratch/out/smoke.img" >"$scratch/stdout"
    tail -n 1 "$scratch/stdout" | grep -x "$scratch/out/smoke.img  5 bytes"
    work=$(sed -n 's|^makefs .* \([^ ]*\)/esp$|\1|p' "$record")
    same "makefs -t msdos -o fat_type=32,sectors_per_cluster=1,volume_label=EFISYS -s 33292k $work/esp.img $work/esp
makefs -t ffs -B little -N $work/root/etc -o version=2,softupdates=1,label=colibri -M 1m -f 20% $work/root.img $work/root
mkimg -s gpt -f raw -b $work/root/boot/pmbr -p efi/colibri-esp:=$work/esp.img -p freebsd-boot/colibri-boot:=$work/root/boot/gptboot -p freebsd-ufs/colibri-root:=$work/root.img -o $work/disk.img" "$(cat "$record")"
    tree=$scratch/out/tree
    test -x "$tree/usr/local/bin/colibri-test-agent"
    grep -q '^/dev/gpt/colibri-root	/	ufs' "$tree/etc/fstab"
    grep -qx 'colibri_daemon_enable="YES"' "$tree/etc/rc.conf"
    grep -qx 'console="comconsole"' "$tree/boot/loader.conf"
    # Nothing else is left beside the image.
    same 'smoke.img
tree' "$(ls -A "$scratch/out")"
}

smoke_image_fails() {
    host_stand_in
    echo before >"$scratch/out/smoke.img"
    status=0
    MAKEFS_FAILS=yes builds -o "$scratch/out/smoke.img" >/dev/null 2>"$scratch/stderr" || status=$?
    same 1 "$status"
    same 'makefs: too large
build-smoke-image.sh: the EFI system partition did not succeed (above: what it said)' "$(cat "$scratch/stderr")"
    same before "$(cat "$scratch/out/smoke.img")"
    same smoke.img "$(ls -A "$scratch/out")"
}

smoke_image_refuses() {
    host_stand_in
    for words in '' '--base' "--base x --kernel y -o z --size 3" "--frobnicate"; do
        status=0
        # shellcheck disable=SC2086  # several words
        iso/build-smoke-image.sh $words 2>"$scratch/stderr" || status=$?
        same 2 "$status"
        same 1 "$(wc -l <"$scratch/stderr" | tr -d ' ')"
    done
    if [ "$(uname -s)" != FreeBSD ]; then
        status=0
        iso/build-smoke-image.sh --base "$scratch/base.txz" --kernel "$scratch/kernel.txz" -o "$scratch/out/x" 2>"$scratch/stderr" || status=$?
        same 1 "$status"
        grep -q 'FreeBSD host (on Linux: iso/build-smoke-image-linux.sh)' "$scratch/stderr"
    fi
    rm "$scratch/sets/kernel/boot/kernel/kernel"
    tar -cJf "$scratch/kernel.txz" -C "$scratch/sets/kernel" .
    status=0
    builds -o "$scratch/out/smoke.img" 2>"$scratch/stderr" || status=$?
    same 1 "$status"
    grep -q 'no /boot/kernel/kernel in .* (are these base.txz and kernel.txz of one release?)' "$scratch/stderr"
    same '' "$(ls -A "$scratch/out")"
}

# The README's example is what the functions take.
readme_example() {
    rm -rf "$root"
    mkdir "$root"
    sed -n '/^Three lines/,/^The image/s/^    //p' iso/README.md >"$scratch/example"
    same 3 "$(wc -l <"$scratch/example" | tr -d ' ')"
    IMAGE_ROOT=$root sh -eu "$scratch/example"
    test -f "$root/usr/local/share/colibri/manifest.json"
}

check 'three lines put the service into an image, in any shell' installs
check 'sourced from elsewhere it asks for the checkout' from_elsewhere
if [ -x "${COLIBRI_STATIC_BIN_DIR:-dist/static}/colibri" ] && [ -x dist/static/colibri ]; then
    check 'the lines of the README do it' readme_example
else
    skip 'the lines of the README do it' 'no executables in dist/static'
fi
check 'the gate lets a whole image through' passes
check 'the gate refuses: nothing staged' nothing_staged
check 'the gate refuses: a file is missing' file_missing
check 'the gate refuses: a file was changed' file_changed
check 'the gate refuses: a file that others can change' file_open
check 'the gate refuses: a directory is missing' directory_missing
check 'the gate refuses: a staging that was killed' half_done
check 'the gate refuses: the test agent' test_agent
check 'the gate refuses: keys in the image, and prints none' keys_inside
check 'the gate refuses: the service is not enabled' not_enabled
check 'the gate refuses: no commit' no_commit
check 'the gate names everything that is wrong' everything_at_once
check 'the gate takes an acceptance that passed' validated
check 'the gate refuses: an acceptance with a failed step' validation_failed
check 'the gate refuses: an acceptance with ten failed steps' validation_failed_ten
check 'the gate refuses: an acceptance of nothing' validation_empty
check 'the gate refuses: an acceptance of another version' validation_of_another
check 'the gate refuses: an acceptance of another build of the same version' validation_of_another_build
check 'the gate refuses: no acceptance where one is named' validation_missing
check 'free space is looked at' room
if [ "$(id -u)" -eq 0 ]; then
    check 'a smoke image is asked of makefs and mkimg' smoke_image
    check 'a smoke image that fails leaves the one before, and nothing else' smoke_image_fails
    check 'a smoke image is refused with what is missing' smoke_image_refuses
else
    skip 'a smoke image is asked of makefs and mkimg' 'it takes root'
    skip 'a smoke image that fails leaves the one before, and nothing else' 'it takes root'
    skip 'a smoke image is refused with what is missing' 'it takes root'
fi
tap_done
