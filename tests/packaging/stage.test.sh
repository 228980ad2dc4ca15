#!/bin/sh
# Staging an image: what is put where, what keeps it from beginning, and that taking it out leaves what was there before.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/staging.sh
. "$repository/tests/packaging/lib/staging.sh"

stage=$repository/scripts/stage-colibri-iso.sh
static=${COLIBRI_STATIC_BIN_DIR:-$repository/dist/static}
small=$scratch/small
small_programs "$small"
root=$scratch/root

fresh_root() {
    rm -rf "$root"
    mkdir "$root"
}

# An image as base.txz leaves it, as far as staging looks at it.
base_root() {
    fresh_root
    mkdir -p "$root/etc/defaults" "$root/usr/local/etc/rc.d" "$root/var/db" "$root/var/log" "$root/bin"
    printf 'hostname="appliance"\n# the last line has no end\nsshd_enable="YES"' >"$root/etc/rc.conf"
    printf 'root:*:0:0:Charlie &:/root:/bin/sh\nnobody:*:65534:65534:Unprivileged user:/nonexistent:/usr/sbin/nologin\n' >"$root/etc/passwd"
    printf 'root:*secret*:0:0::0:0:Charlie &:/root:/bin/sh\n' >"$root/etc/master.passwd"
    printf 'wheel:*:0:root\n' >"$root/etc/group"
    chmod 600 "$root/etc/master.passwd"
    echo old >"$root/usr/local/etc/rc.d/other"
}

# expected OWNER WHEN...: the checked-in list with those options, the service's user as OWNER.
expected() {
    account=$1
    shift
    awk -v account="$account" -v options=" always $* " '
        /^#/ { next }
        index(options, " " $5 " ") { owner = $4 == "root:wheel" ? "0:0" : account; print $1, $2, $3, owner }' \
        "$repository/tests/packaging/expected/staged-image.txt"
}

found() {
    (cd "$root" && find . ! -name . -exec ls -ldn {} + | while read -r mode _ uid gid _ _ _ _ path; do
        case $mode in d*) type=directory ;; -*) type='file' ;; *) type='other' ;; esac
        printf '%s %s %s %s:%s\n' "${path#.}" "$type" "$(stat -c '0%a' "$path" 2>/dev/null || stat -f '%Mp%Lp' "$path")" "$uid" "$gid"
    done | LC_ALL=C sort)
}

whole_image() {
    fresh_root
    "$stage" --destdir "$root" --binaries "$static" --with-test-agent --hermes --enable
    same "$(expected 0:0 test-agent hermes enable no-account)" "$(found)"
    for program in colibri-daemon colibri colibri-test-agent; do cmp "$static/$program" "$root/usr/local/bin/$program"; done
    same 'linux_enable="YES"
colibri_daemon_enable="YES"
hermes_daemon_enable="YES"' "$(cat "$root/etc/rc.conf")"
}

each_option() {
    for options in '' test-agent hermes enable; do
        fresh_root
        case $options in
            '') "$stage" --destdir "$root" --binaries "$small" ;;
            test-agent) "$stage" --destdir "$root" --binaries "$small" --with-test-agent ;;
            *) "$stage" --destdir "$root" --binaries "$small" "--$options" ;;
        esac
        same "$(expected 0:0 "$options" no-account)" "$(found)"
    done
}

# The manifest says of each file what is there; the files of the list and the manifest are the same.
manifest_holds() {
    whole_image >/dev/null
    manifest=$root/usr/local/share/colibri/manifest.json
    same clawdie.iso.build.v1 "$(jq -r .schema "$manifest")"
    same linux64-static "$(jq -r .lane "$manifest")"
    same "$("$static/colibri" --version)" "colibri $(jq -r '.version + "+" + .commit' "$manifest")"
    same "$(awk '!/^#/ && $1 != "/etc/rc.conf" && $5 != "account" { print $1, $2, $3, $4 }' "$repository/tests/packaging/expected/staged-image.txt")" \
        "$(jq -r '.files[] | [.path, .type, .mode, .owner] | join(" ")' "$manifest")"
    jq -r '.files[] | select(.sha256) | [.sha256, (.size | tostring), .path] | join(" ")' "$manifest" >"$scratch/listed"
    # rc.conf is not ours, and the manifest cannot hold its own sum.
    same "$(expected 0:0 test-agent hermes enable no-account | grep -c ' file ')" "$(($(wc -l <"$scratch/listed") + 2))"
    while read -r sha256 size path; do
        same "$sha256 $size" "$(sha256sum <"$root$path" | cut -d ' ' -f 1) $(wc -c <"$root$path" | tr -d ' ')"
    done <"$scratch/listed"
}

twice() {
    fresh_root
    "$stage" --destdir "$root" --binaries "$static" --with-test-agent --hermes --enable
    snapshot "$root" >"$scratch/once"
    (cd "$root" && find . -exec ls -ldn {} +) >"$scratch/times"
    sleep 1.1
    "$stage" --destdir "$root" --binaries "$static" --with-test-agent --hermes --enable
    snapshot "$root" >"$scratch/again"
    diff "$scratch/once" "$scratch/again"
    # Not written anew either: no time has changed, not even a directory's.
    touch -d '-1 second' "$scratch/mark"
    same '' "$(find "$root" -newer "$scratch/mark")"
}

into_a_base() {
    base_root
    printf 'colibri:*:1001:1002:Colibri:/var/db/colibri:/usr/sbin/nologin\n' >>"$root/etc/passwd"
    snapshot "$root" | LC_ALL=C sort >"$scratch/before"
    "$stage" --destdir "$root" --binaries "$small" --enable
    for directory in db log run; do same 1001:1002 "$(stat -c %u:%g "$root/var/$directory/colibri")"; done
    test -e "$root/usr/local/etc/newsyslog.conf.d/colibri.conf"
    test ! -e "$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample"
    same 'hostname="appliance"
# the last line has no end
sshd_enable="YES"
linux_enable="YES"
colibri_daemon_enable="YES"' "$(cat "$root/etc/rc.conf")"
    # All that was there is there, rc.conf aside.
    snapshot "$root" | LC_ALL=C sort >"$scratch/after"
    same '' "$(LC_ALL=C comm -23 "$scratch/before" "$scratch/after" | grep -v '/etc/rc.conf$')"
}

# With what pw(8) gets to do in the image, as its manual page has it, and files changed as it changes them.
pw_stand_in() {
    mkdir -p "$scratch/pw"
    cat >"$scratch/pw/pw" <<'END'
#!/bin/sh
echo "pw $*" >>"$PW_RECORD"
[ "$1" = -R ] && root=$2 && shift 2
case $1 in
    groupadd) if [ "${3:-}" = -g ]; then number=$4; else number=1002; fi; echo "$2:*:$number:" >>"$root/etc/group" ;;
    useradd)
        if [ -n "${PW_FAILS:-}" ]; then echo 'half' >>"$root/etc/master.passwd"; echo 'pw: mkdb: No space left on device' >&2; exit 70; fi
        if [ "$3" = -u ]; then number=$4; else number=1001; fi
        group=$(sed -n "s/^$2:\*:\([0-9]*\):.*/\1/p" "$root/etc/group")
        echo "$2:*:$number:$group::0:0:x:/var/db/$2:/usr/sbin/nologin" >>"$root/etc/master.passwd"
        echo "$2:*:$number:$group:x:/var/db/$2:/usr/sbin/nologin" >>"$root/etc/passwd" ;;
    userdel) for f in passwd master.passwd; do sed -i "/^$2:/d" "$root/etc/$f"; done ;;
    groupdel) sed -i "/^$2:/d" "$root/etc/group" ;;
esac
END
    chmod +x "$scratch/pw/pw"
    PW_RECORD=$scratch/pw.record PATH=$scratch/pw:$PATH
    export PW_RECORD PATH
    : >"$PW_RECORD"
}

account_by_pw() {
    base_root
    pw_stand_in
    snapshot "$root" | grep -v '/etc/rc.conf' >"$scratch/before"
    "$stage" --destdir "$root" --binaries "$small"
    same "pw -R $root groupadd colibri -g 999
pw -R $root useradd colibri -u 998 -g colibri -d /var/db/colibri -s /usr/sbin/nologin -c Colibri agent supervisor -w no" "$(cat "$PW_RECORD")"
    for directory in db log run; do same 998:999 "$(stat -c %u:%g "$root/var/$directory/colibri")"; done
    test -e "$root/usr/local/etc/newsyslog.conf.d/colibri.conf"
    test ! -e "$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample"
    same '' "$(find "$root" -name '.*colibri*')"
    "$stage" --destdir "$root" --binaries "$small" | grep 'in place already'
    "$stage" --destdir "$root" --uninstall
    snapshot "$root" | grep -v '/etc/rc.conf' | sed 's/ [A-Z][a-z][a-z][0-9:]* / /' >"$scratch/after"
    sed -i 's/ [A-Z][a-z][a-z][0-9:]* / /' "$scratch/before"
    diff "$scratch/before" "$scratch/after"
}

pw_fails() {
    base_root
    pw_stand_in
    PW_FAILS=yes
    export PW_FAILS
    refused 'mkdb: No space left on device' "$stage" --binaries "$small"
}

without_root() {
    command -v setpriv >/dev/null || return 0
    fresh_root
    chown 65534:65534 "$root"
    chmod 755 "$scratch"
    TMPDIR=/tmp setpriv --reuid 65534 --regid 65534 --clear-groups "$stage" --destdir "$root" --binaries "$small" >"$scratch/stdout" 2>"$scratch/stderr"
    same "stage-colibri-iso.sh: you are not root: what is staged in $root belongs to you, not to root:wheel" "$(cat "$scratch/stderr")"
    same "$(expected 65534:65534 no-account | sed 's/ 0:0$/ 65534:65534/')" "$(found)"
}

elsewhere() {
    mkdir -p "$scratch/applets"
    busybox --install -s "$scratch/applets"
    for shell in "$(command -v busybox) sh" "$(command -v dash)"; do
        fresh_root
        if [ "$shell" = "$(command -v dash)" ]; then path=$PATH; else path=$scratch/applets; fi
        # shellcheck disable=SC2086  # a command and its word
        PATH=$path $shell "$stage" --destdir "$root" --binaries "$small" --enable
        same "$(expected 0:0 enable no-account)" "$(found)"
        # shellcheck disable=SC2086
        PATH=$path $shell "$stage" --destdir "$root" --uninstall
        same '' "$(found)"
    done
}

dry_run() {
    base_root
    snapshot "$root" >"$scratch/before"
    "$stage" --destdir "$root" --binaries "$small" --enable --dry-run >"$scratch/plan"
    snapshot "$root" >"$scratch/after"
    diff "$scratch/before" "$scratch/after"
    grep -qx "write $root/usr/local/bin/colibri-daemon 0555 root:wheel" "$scratch/plan"
    grep -qx "make directory $root/var/db/colibri 0750 root:wheel" "$scratch/plan"
    grep -qx "replace $root/etc/rc.conf 0644 root:wheel" "$scratch/plan"
    "$stage" --destdir "$root" --binaries "$small" --enable
    # Nothing came that the plan did not name.
    (cd "$root" && find . ! -name . -newer "$scratch/plan" -type f) | sed "s|^\.|$root|" | while read -r path; do
        grep -q "^[a-z]* $path " "$scratch/plan" || { echo "not planned: $path"; exit 1; }
    done
    "$stage" --destdir "$root" --binaries "$small" --enable --dry-run | grep -x "nothing to do: all is in place in $root"
    snapshot "$root" >"$scratch/before"
    "$stage" --destdir "$root" --uninstall --dry-run | grep -x "remove $root/usr/local/bin/colibri"
    snapshot "$root" >"$scratch/after"
    diff "$scratch/before" "$scratch/after"
}

# What the rc.d script makes at the first start: the user, and of the sample the file.
after_the_first_start() {
    base_root
    "$stage" --destdir "$root" --binaries "$small"
    printf 'colibri:*:1001:1002:Colibri:/var/db/colibri:/usr/sbin/nologin\n' >>"$root/etc/passwd"
    cp "$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample" "$root/usr/local/etc/newsyslog.conf.d/colibri.conf"
    chown 1001:1002 "$root"/var/*/colibri
    checkout "$scratch/later"
    echo '# a later edition' >>"$scratch/later/packaging/freebsd/newsyslog-colibri.conf"
    "$scratch/later/scripts/stage-colibri-iso.sh" --destdir "$root" --binaries "$small"
    tail -n 1 "$root/usr/local/etc/newsyslog.conf.d/colibri.conf" | grep -x '# a later edition'
    test ! -e "$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample"
    same 1001:1002 "$(stat -c %u:%g "$root/var/db/colibri")"
}

# Names with blanks, from where one is.
any_name() {
    mkdir -p "$scratch/an image/of  blanks" "$scratch/some programs"
    cp "$small"/* "$scratch/some programs"
    (cd "$scratch/an image" && "$stage" --destdir './of  blanks/' --binaries '../some programs' --enable)
    root="$scratch/an image/of  blanks"
    same "$(expected 0:0 enable no-account)" "$(found)"
    "$stage" --destdir "$root" --uninstall
    same '' "$(found)"
}

uninstall_restores() {
    for kind in fresh_root base_root; do
        "$kind"
        # A last line without an end gets one, and keeps it.
        if [ -f "$root/etc/rc.conf" ]; then echo >>"$root/etc/rc.conf"; fi
        snapshot "$root" | grep -v ' ./etc/rc.conf$' >"$scratch/before"
        cp "$root/etc/rc.conf" "$scratch/rc.conf" 2>/dev/null || rm -f "$scratch/rc.conf"
        "$stage" --destdir "$root" --binaries "$small" --enable --hermes --with-test-agent
        "$stage" --destdir "$root" --uninstall
        snapshot "$root" | grep -v ' ./etc/rc.conf$' >"$scratch/after"
        diff "$scratch/before" "$scratch/after"
        if [ -f "$scratch/rc.conf" ]; then cmp "$scratch/rc.conf" "$root/etc/rc.conf"; else test ! -e "$root/etc/rc.conf"; fi
    done
}

uninstall_keeps_data() {
    fresh_root
    "$stage" --destdir "$root" --binaries "$small" --enable
    echo board >"$root/var/db/colibri/colibri.sqlite"
    echo key >"$root/usr/local/etc/colibri/provider.env"
    chmod 600 "$root/usr/local/etc/colibri/provider.env"
    sed -i 's/^linux_enable=.*/linux_enable="NO"/' "$root/etc/rc.conf"
    "$stage" --destdir "$root" --uninstall 2>"$scratch/stderr"
    same 'linux_enable="NO"' "$(cat "$root/etc/rc.conf")"
    same './etc/rc.conf
./usr/local/etc/colibri/provider.env
./var/db/colibri/colibri.sqlite' "$(cd "$root" && find . -type f | LC_ALL=C sort)"
    grep -qx "stage-colibri-iso.sh: kept $root/var/db/colibri: it is not empty" "$scratch/stderr"
}

released_without_test_agent() {
    fresh_root
    "$stage" --destdir "$root" --binaries "$small" --with-test-agent
    "$stage" --destdir "$root" --binaries "$small"
    same "$(expected 0:0 no-account)" "$(found)"
}

new_version_over_old() {
    fresh_root
    small_programs "$scratch/newer" 0.2.0
    "$stage" --destdir "$root" --binaries "$small"
    "$stage" --destdir "$root" --binaries "$scratch/newer"
    cmp "$scratch/newer/colibri" "$root/usr/local/bin/colibri"
    same 0.2.0 "$(jq -r .version "$root/usr/local/share/colibri/manifest.json")"
}

check 'an empty root gets the whole image: paths, types, modes, owners' whole_image
check 'each option adds its own files and no other' each_option
if command -v jq >/dev/null 2>&1; then
    check 'the manifest lists what is there, with size and SHA-256' manifest_holds
    check 'a newer version takes the place of an older one' new_version_over_old
else
    skip 'the manifest lists what is there, with size and SHA-256' 'jq is not installed'
    skip 'a newer version takes the place of an older one' 'jq is not installed'
fi
check 'staging twice changes nothing, not even a time' twice
check 'in a base system only rc.conf changes, and the user that is there gets the directories' into_a_base
check 'pw makes the user in the image, and uninstalling takes it back' account_by_pw
check 'pw that fails half-way leaves the accounts as they were' pw_fails
check 'after the first start a later version takes over user and log rotation' after_the_first_start
check 'directories may have blanks in their names, and be relative' any_name
check 'a staging without the test agent removes that of an earlier one' released_without_test_agent
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null 2>&1; then
    check 'who is not root stages too, and is told whose it is' without_root
else
    skip 'who is not root stages too, and is told whose it is' 'it takes root and setpriv to become nobody'
fi
if command -v busybox >/dev/null 2>&1 && command -v dash >/dev/null 2>&1; then
    check 'dash, and busybox with nothing but its own tools, stage and unstage the same' elsewhere
else
    skip 'dash, and busybox with nothing but its own tools, stage and unstage the same' 'dash or busybox is not installed'
fi
check 'a dry run prints what would be done and does nothing' dry_run
check 'uninstalling leaves what was there before' uninstall_restores
check 'uninstalling keeps data, keys and settings that are not its own' uninstall_keeps_data
tap_done
