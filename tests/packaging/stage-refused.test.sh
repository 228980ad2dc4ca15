#!/bin/sh
# What keeps a staging from beginning: each leaves the image byte for byte as it was, in one line that says what to do.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/staging.sh
. "$repository/tests/packaging/lib/staging.sh"

stage=$repository/scripts/stage-colibri-iso.sh
good=$scratch/good
small_programs "$good"
root=$scratch/root
at_end() { umount "$scratch/mount" 2>/dev/null || :; }

# An image with something in it, staged once by an earlier version so that there is something to lose.
small_programs "$scratch/earlier" 0.0.9
mkdir "$root"
"$stage" --destdir "$root" --binaries "$scratch/earlier" --enable >/dev/null

# Executables of which one is not as it should be, made from good ones.
spoilt() {
    rm -rf "$scratch/spoilt"
    cp -R "$good" "$scratch/spoilt"
}
refuses_spoilt() { refused "$1" "$stage" --binaries "$scratch/spoilt" --with-test-agent; }

missing() { spoilt; rm "$scratch/spoilt/colibri"; refuses_spoilt "no $scratch/spoilt/colibri "; }
not_executable() { spoilt; chmod 644 "$scratch/spoilt/colibri-daemon"; refuses_spoilt 'spoilt/colibri-daemon is not executable'; }
a_directory() { spoilt; rm "$scratch/spoilt/colibri"; mkdir "$scratch/spoilt/colibri"; refuses_spoilt 'spoilt/colibri is not a file'; }
a_script() { spoilt; printf '#!/bin/sh\necho colibri 0.1.0\n' >"$scratch/spoilt/colibri"; refuses_spoilt 'spoilt/colibri is not an ELF executable'; }
an_empty_file() { spoilt; : >"$scratch/spoilt/colibri"; refuses_spoilt 'spoilt/colibri is not an ELF executable'; }
# e_machine 183 is EM_AARCH64.
another_machine() { spoilt; poke "$scratch/spoilt/colibri-daemon" 18 267; refuses_spoilt 'colibri-daemon is for another architecture (64 bits, little-endian, aarch64), the image is x86-64'; }
# EI_CLASS 1 is ELFCLASS32, EI_DATA 2 is ELFDATA2MSB.
thirty_two_bits() { spoilt; poke "$scratch/spoilt/colibri" 4 1; refuses_spoilt 'colibri is for another architecture (32 bits'; }
big_endian() { spoilt; poke "$scratch/spoilt/colibri" 5 2; refuses_spoilt 'colibri is for another architecture (64 bits, big-endian'; }
# EI_OSABI 6 is Solaris.
another_system() { spoilt; poke "$scratch/spoilt/colibri" 7 6; refuses_spoilt 'colibri is neither a Linux nor a FreeBSD executable (osabi 6'; }
# EI_OSABI 9 is FreeBSD.
two_lanes() { spoilt; poke "$scratch/spoilt/colibri-test-agent" 7 11; refuses_spoilt 'colibri-test-agent is freebsd-native, but colibri-daemon is linux64-static'; }
dynamic() { spoilt; build_program colibri 0.1.0 "$small_commit" "$scratch/spoilt/colibri"; refuses_spoilt 'colibri is dynamically linked, .*scripts/build.sh --static'; }
other_version() { spoilt; build_program colibri 0.1.1 "$small_commit" "$scratch/spoilt/colibri" -static; refuses_spoilt 'versions differ: .*colibri is 0.1.1+.*, colibri-daemon 0.1.0+'; }
other_commit() {
    spoilt
    build_program colibri-test-agent 0.1.0 fedcba9876543210fedcba9876543210fedcba98 "$scratch/spoilt/colibri-test-agent" -static
    refuses_spoilt 'versions differ: .*colibri-test-agent is 0.1.0+fedcba.*, colibri-daemon 0.1.0+012345'
}
does_not_run() {
    spoilt
    printf 'int main(void) { return 3; }\n' >"$scratch/program.c"
    "$(compiler)" -static "$scratch/program.c" -o "$scratch/spoilt/colibri"
    refuses_spoilt 'colibri does not say its version'
}

# FreeBSD's executables may be dynamic; which version they are is read from them where they do not run.
freebsd_native() {
    rm -rf "$scratch/native" "$scratch/native-root"
    mkdir "$scratch/native" "$scratch/native-root"
    for program in colibri-daemon colibri colibri-web colibri-mcp colibri-test-agent; do
        build_program "$program" 0.1.0 "$small_commit" "$scratch/native/$program"
        poke "$scratch/native/$program" 7 11
    done
    "$stage" --destdir "$scratch/native-root" --binaries "$scratch/native" --enable
    same 'colibri_daemon_enable="YES"' "$(cat "$scratch/native-root/etc/rc.conf")"
    grep -q '"lane": "freebsd-native"' "$scratch/native-root/usr/local/share/colibri/manifest.json"
    grep -q "\"commit\": \"$small_commit\"" "$scratch/native-root/usr/local/share/colibri/manifest.json"
    build_program colibri 0.1.0 fedcba9876543210fedcba9876543210fedcba98 "$scratch/native/colibri"
    poke "$scratch/native/colibri" 7 11
    refused 'versions differ' "$stage" --binaries "$scratch/native"
}

# The image's own programs say which machine it is for.
image_of_another_machine() {
    mkdir "$root/bin"
    cp "$good/colibri" "$root/bin/sh"
    poke "$root/bin/sh" 18 267
    refused 'is for another architecture (64 bits, little-endian, x86-64), the image is aarch64' "$stage" --binaries "$good"
    rm -r "${root:?}/bin"
}

broken_checkout() {
    rm -rf "$scratch/checkout"
    checkout "$scratch/checkout"
}
refuses_checkout() { refused "$1" "$scratch/checkout/scripts/stage-colibri-iso.sh" --binaries "$good" --hermes; }
freebsd=$scratch/checkout/packaging/freebsd

placeholder_left() { broken_checkout; echo '# %%LOCALBASE%%' >>"$freebsd/hermes_daemon.in"; refuses_checkout 'hermes_daemon.in: nobody fills in %%LOCALBASE%%'; }
rc_script_broken() { broken_checkout; echo 'if true; then' >>"$freebsd/colibri_daemon.in"; refuses_checkout 'colibri_daemon.in is not a shell script that sh -n accepts'; }
source_missing() { broken_checkout; rm "$freebsd/newsyslog-colibri.conf"; refuses_checkout 'no packaging/freebsd/newsyslog-colibri.conf'; }
key_in_sample() { broken_checkout; echo 'DEEPSEEK_API_KEY=sk-0123' >>"$freebsd/provider.env.sample"; refuses_checkout 'provider.env.sample holds a key'; }

running_system() {
    status=0
    "$stage" --destdir / --binaries "$good" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
    same 1 "$status"
    same 'stage-colibri-iso.sh: --destdir / is the running system (add --force if that is what you mean)' "$(cat "$scratch/stdout" "$scratch/stderr")"
    ln -s / "$scratch/slash"
    for name in // /. /usr/.. "$scratch/slash"; do
        if "$stage" --destdir "$name" --binaries "$good" --dry-run 2>"$scratch/stderr"; then return 1; fi
        grep -q 'is the running system' "$scratch/stderr"
    done
}
elsewhere_than_a_root() {
    kept=$root root=$scratch/music
    mkdir -p "$root/albums"
    refused 'does not look like a root' "$stage" --binaries "$good"
    "$stage" --destdir "$root" --binaries "$good" --force --dry-run | grep -q '^write '
    root=$kept
}
nowhere() {
    if "$stage" --destdir "$scratch/nowhere" --binaries "$good" 2>"$scratch/stderr"; then return 1; fi
    same "stage-colibri-iso.sh: no directory $scratch/nowhere (make it, or mount the image there)" "$(cat "$scratch/stderr")"
    test ! -e "$scratch/nowhere"
}
way_out_of_the_image() {
    mkdir -p "$scratch/host/newsyslog.conf.d"
    mv "$root/usr/local/etc" "$root/usr/local/etc.real"
    ln -s "$scratch/host" "$root/usr/local/etc"
    refused "usr/local/etc leads to $scratch/host, out of" "$stage" --binaries "$good" --force
    same '' "$(find "$scratch/host" -type f)"
    rm "$root/usr/local/etc"
    mv "$root/usr/local/etc.real" "$root/usr/local/etc"
}
open_to_everybody() {
    chmod 777 "$root/usr/local/share"
    refused 'usr/local/share can be written by everybody' "$stage" --binaries "$good"
    chmod 775 "$root/usr/local/share"
    chgrp 20 "$root/usr/local/share"
    refused 'usr/local/share can be written by its group' "$stage" --binaries "$good"
    chgrp 0 "$root/usr/local/share"
    chmod 755 "$root/usr/local/share"
}
changed_by_somebody() {
    cp -p "$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample" "$scratch/colibri.conf"
    echo '# ours' >>"$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample"
    refused 'colibri.conf.sample is not what a staging put there' "$stage" --binaries "$good"
    refused 'colibri.conf.sample was changed since it was staged' "$stage" --uninstall
    cp -p "$scratch/colibri.conf" "$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample"
}
service_switched_off() {
    cp -p "$root/etc/rc.conf" "$scratch/rc.conf"
    sed -i 's/^colibri_daemon_enable=.*/colibri_daemon_enable="no"  # until the keys are there/' "$root/etc/rc.conf"
    refused 'etc/rc.conf says colibri_daemon_enable="no"' "$stage" --binaries "$good" --enable
    cp -p "$scratch/rc.conf" "$root/etc/rc.conf"
    echo 'linux_enable=NO' >"$root/etc/rc.conf.local"
    refused 'etc/rc.conf.local sets linux_enable' "$stage" --binaries "$good" --enable
    rm "$root/etc/rc.conf.local"
}
readable_keys() {
    echo 'DEEPSEEK_API_KEY=0123' >"$root/usr/local/etc/colibri/provider.env"
    chmod 640 "$root/usr/local/etc/colibri/provider.env"
    refused 'provider.env can be read by others' "$stage" --binaries "$good"
    rm "$root/usr/local/etc/colibri/provider.env"
}
staging_under_way() {
    # This test's own shell stands for it: it is alive, and began when the journal says.
    printf 'by %s %s\nput usr/local/bin/colibri 0555 0:0 new\n' "$$" "$(sed 's/.*) //' "/proc/$$/stat" | cut -d ' ' -f 20)" >"$root/.colibri-staging"
    refused "process $$ is changing $root" "$stage" --binaries "$good"
    rm "$root/.colibri-staging"
}
nothing_to_take_out() {
    kept=$root root=$scratch/empty
    mkdir "$root"
    status=0
    "$stage" --destdir "$root" --uninstall 2>"$scratch/stderr" || status=$?
    same 1 "$status"
    same "stage-colibri-iso.sh: no $root/usr/local/share/colibri/manifest.json: nothing is staged in $root" "$(cat "$scratch/stderr")"
    same '' "$(ls -A "$root")"
    root=$kept
}

# A manifest is a file in an image that may come from anybody.
manifest_that_climbs() {
    kept=$root root=$scratch/climbing
    mkdir "$root"
    "$stage" --destdir "$root" --binaries "$good"
    echo mine >"$scratch/outside"
    sum=$(sha256sum <"$scratch/outside" | cut -d ' ' -f 1)
    sed -i "s|^  \"files\": \[|&\n    {\"path\": \"/usr/../../outside\", \"type\": \"file\", \"mode\": \"0644\", \"owner\": \"root:wheel\", \"size\": 5, \"sha256\": \"$sum\"},|" \
        "$root/usr/local/share/colibri/manifest.json"
    "$stage" --destdir "$root" --uninstall
    same mine "$(cat "$scratch/outside")"
    root=$kept
}

# As whoever cannot write there; root can write everywhere but on what is mounted read-only.
not_writable() {
    kept=$root root=$scratch/theirs
    mkdir "$root"
    chmod 755 "$scratch"
    refused 'cannot be written' setpriv --reuid 65534 --regid 65534 --clear-groups env TMPDIR=/tmp "$stage" --binaries "$good"
    root=$kept
}
mounted() {
    mkdir -p "$scratch/mount"
    mount -t tmpfs -o "$1" tmpfs "$scratch/mount"
    kept=$root root=$scratch/mount
}
read_only() {
    mounted mode=755
    mkdir "$root/etc" "$root/usr"
    mount -o remount,ro "$root"
    refused 'cannot be written' "$stage" --binaries "$good"
    root=$kept
    umount "$scratch/mount"
}
no_space() {
    mounted size=1m,mode=755
    echo etc >"$root/file"
    refused "no space on $root: [0-9]* KiB are needed, [0-9]* KiB are free" "$stage" --binaries "$good" --force
    root=$kept
    umount "$scratch/mount"
}

wrong_usage() {
    for words in '' '--destdir' '--binaries' "--destdir $root --frobnicate" "--destdir $root --uninstall --enable"; do
        status=0
        # shellcheck disable=SC2086  # several words
        "$stage" $words >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
        same 2 "$status"
        same 1 "$(wc -l <"$scratch/stderr" | tr -d ' ')"
    done
    "$stage" --help | grep -q '^usage: '
    same '' "$("$stage" --help | awk 'length($0) > 80')"
}

check 'an executable is missing' missing
check 'an executable cannot be executed' not_executable
check 'an executable is a directory' a_directory
check 'an executable is a script' a_script
check 'an executable is empty' an_empty_file
check 'an executable is for another machine' another_machine
check 'an executable is for 32 bits' thirty_two_bits
check 'an executable is big-endian' big_endian
check 'an executable is for a third system' another_system
check 'executables are for two systems' two_lanes
check 'a Linux executable needs libraries' dynamic
check 'executables are of two versions' other_version
check 'executables are of one version and two commits' other_commit
check 'an executable does not say its version' does_not_run
check 'executables for FreeBSD are taken, and their versions compared unrun' freebsd_native
check 'the image is for another machine' image_of_another_machine
check 'a placeholder is left in a template' placeholder_left
check 'an rc.d script does not parse' rc_script_broken
check 'a source is missing' source_missing
check 'a sample holds a key' key_in_sample
check 'the destination is the running system, by any name' running_system
check 'the destination is not a root' elsewhere_than_a_root
check 'the destination is not there' nowhere
check 'a link leads out of the image' way_out_of_the_image
if [ "$(id -u)" -eq 0 ]; then
    check 'a directory on the way can be written by others' open_to_everybody
else
    skip 'a directory on the way can be written by others' 'not root: all of it is the caller'"'"'s'
fi
check 'a staged file was changed by somebody' changed_by_somebody
check 'a service is switched off in rc.conf' service_switched_off
check 'the keys can be read by others' readable_keys
if [ -r /proc/self/stat ]; then
    check 'another staging is under way' staging_under_way
else
    skip 'another staging is under way' 'no /proc to read a start time from'
fi
check 'there is nothing to uninstall' nothing_to_take_out
check 'a manifest that climbs out of the image removes nothing there' manifest_that_climbs
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null 2>&1; then
    check 'the image cannot be written' not_writable
else
    skip 'the image cannot be written' 'it takes root and setpriv to become nobody'
fi
mkdir "$scratch/mount"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k tmpfs "$scratch/mount" 2>/dev/null; then
    umount "$scratch/mount"
    check 'the image is mounted read-only' read_only
    check 'the image has no room' no_space
else
    skip 'the image is mounted read-only' 'no file system can be mounted here'
    skip 'the image has no room' 'no file system can be mounted here'
fi
check 'wrong usage ends with 2 and one line' wrong_usage
tap_done
