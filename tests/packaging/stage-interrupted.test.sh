#!/bin/sh
# A staging that ends in the middle: by an error, a signal or a kill, at any of its steps.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/staging.sh
. "$repository/tests/packaging/lib/staging.sh"

stage=$repository/scripts/stage-colibri-iso.sh
small_programs "$scratch/earlier" 0.0.9
small_programs "$scratch/later" 0.1.0
root=$scratch/root
at_end() { umount "$scratch/mount" 2>/dev/null || :; }

# The step's own tools, each of which first counts itself and at the count that the test names does what it says to the staging.
mkdir "$scratch/tools"
for tool in mkdir cp chmod chown ln mv rm rmdir; do
    cat >"$scratch/tools/$tool" <<END
#!/bin/sh
case " \$* " in
    *" $root/"*)
        count=\$((\$(cat "$scratch/count") + 1))
        echo "\$count" >"$scratch/count"
        if [ "\$count" = "\$STOP_AT" ]; then
            case \$STOP_BY in
                error) echo "$tool: no luck: Input/output error" >&2; exit 1 ;;
                *) kill "-\$STOP_BY" "\$(cat "$scratch/pid")" ;;
            esac
        fi
        ;;
esac
exec "$(command -v "$tool")" "\$@"
END
    chmod +x "$scratch/tools/$tool"
done

# An image of the version before, with a service that was enabled and hermes: everything a change can do is in the next one.
old_image() {
    rm -rf "$root"
    mkdir "$root"
    "$stage" --destdir "$root" --binaries "$scratch/earlier" --hermes >/dev/null
    mkdir "$root/etc"
    printf 'hostname="appliance"\n' >"$root/etc/rc.conf"
}

# stopped_at COUNT BY: stages the later version over it, and is stopped there; `status` is how it ended.
stopped_at() {
    echo 0 >"$scratch/count"
    status=0
    STOP_AT=$1 STOP_BY=$2 PATH=$scratch/tools:$PATH sh -c 'echo $$ >"$1/pid"; shift; exec "$@"' sh "$scratch" \
        "$stage" --destdir "$root" --binaries "$scratch/later" --with-test-agent --enable >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
}

old_image
snapshot "$root" >"$scratch/old"
cp -Rp "$root" "$scratch/kept"
stopped_at none none
steps=$(cat "$scratch/count")
snapshot "$root" | sed 's/ [A-Z][a-z][a-z][0-9:]* / /' >"$scratch/new"

again() {
    rm -rf "$root"
    cp -Rp "$scratch/kept" "$root"
}
is_old() { snapshot "$root" | diff "$scratch/old" -; }
is_new() { snapshot "$root" | sed 's/ [A-Z][a-z][a-z][0-9:]* / /' | diff "$scratch/new" -; }

# Every third step, by turns from the first, the second and the third.
each_step() {
    echo "$steps steps"
    test "$steps" -ge 30
    step=$1
    while [ "$step" -le "$steps" ]; do
        again
        "$2" "$step" || { echo "at step $step of $steps"; cat "$scratch/stderr"; exit 1; }
        step=$((step + 3))
    done
}

error_at() {
    stopped_at "$1" error
    # What fails only when the change has happened leaves it so, and the next call tidies up.
    if [ "$status" -eq 0 ]; then
        same "stage-colibri-iso.sh: what was replaced is not all removed: no luck: Input/output error (the next call tries again)" "$(cat "$scratch/stderr")" || return 1
        "$stage" --destdir "$root" --binaries "$scratch/later" --with-test-agent --enable >/dev/null && is_new
        return
    fi
    same 1 "$status" && is_old && same 1 "$(wc -l <"$scratch/stderr" | tr -d ' ')" &&
        same "stage-colibri-iso.sh: no luck: Input/output error ($root is as it was: mend that and try again)" "$(cat "$scratch/stderr")"
}

signal_at() {
    stopped_at "$1" TERM
    case $status in
        143) is_old ;;
        0) is_new ;;
        *) return 1 ;;
    esac
}

# Nothing can be done by who was killed; the next call first takes back or finishes, and only then looks at its own.
kill_at() {
    stopped_at "$1" KILL
    same 137 "$status" || return 1
    "$stage" --destdir "$root" --binaries "$scratch/nowhere" >/dev/null 2>&1 && return 1
    is_old >/dev/null || is_new || return 1
    same '' "$(find "$root" -name '*.colibri-*')"
}

each_error() { each_step 1 error_at; }
each_signal() { each_step 2 signal_at; }
# The first is where the journal gets its name.
each_kill() { again && kill_at 1 && each_step 3 kill_at; }

killed_and_staged_again() {
    again
    stopped_at $((steps * 2 / 3)) KILL
    "$stage" --destdir "$root" --binaries "$scratch/later" --with-test-agent --enable
    is_new
}

# Blocks are free, but no more files can be made: df(1) cannot tell, so the staging finds out in the middle.
disk_full() {
    mount -t tmpfs -o size=64m,nr_inodes=20,mode=755 tmpfs "$scratch/mount"
    kept=$root root=$scratch/mount
    mkdir "$root/etc" "$root/usr"
    echo 'hostname="appliance"' >"$root/etc/rc.conf"
    refused 'No space left on device' "$stage" --binaries "$scratch/later" --enable
    umount "$root"
    root=$kept
}

uninstall_stopped() {
    old_image
    snapshot "$root" >"$scratch/before"
    echo 0 >"$scratch/count"
    status=0
    STOP_AT=6 STOP_BY=error PATH=$scratch/tools:$PATH "$stage" --destdir "$root" --uninstall 2>"$scratch/stderr" || status=$?
    same 1 "$status"
    snapshot "$root" >"$scratch/after"
    diff "$scratch/before" "$scratch/after"
}

check 'an error at a step leaves the image as it was' each_error
check 'a signal at a step leaves the image as it was, or as it is to be' each_signal
check 'after kill -9 at a step the next call takes it back or finishes it' each_kill
check 'after kill -9 the next staging does all of it' killed_and_staged_again
check 'an uninstalling that fails leaves everything in place' uninstall_stopped
mkdir "$scratch/mount"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=64k tmpfs "$scratch/mount" 2>/dev/null; then
    umount "$scratch/mount"
    check 'a file system that fills up in the middle leaves the image as it was' disk_full
else
    skip 'a file system that fills up in the middle leaves the image as it was' 'no file system can be mounted here'
fi
tap_done
