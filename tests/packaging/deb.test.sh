#!/bin/sh
# The Debian package: what is in it, and its whole life in a Debian that has nothing else.
# shellcheck disable=SC2016,SC2317,SC2329  # functions are called through `check`; text of scripts is quoted as it is
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/chroot.sh
. "$(dirname -- "$0")/lib/chroot.sh"

bin=${COLIBRI_BIN_DIR:-$repository/dist}
root=$scratch/root

build() {
    "$repository/scripts/package-deb.sh" --binaries "$bin" "$@"
}

same_input_same_bytes() {
    first=$(build -o "$scratch/a")
    second=$(build -o "$scratch/b")
    same "$(sha256sum < "$first")" "$(sha256sum < "$second")"
    mv "$first" "$scratch/colibri.deb"
    mv "$(build -o "$scratch/a" --version "$next")" "$scratch/next.deb"
    # Nothing half-done beside them.
    same '' "$(ls -A "$scratch/a")"
}

holds_what_it_should() {
    same '-rw-r--r-- root/root ./etc/colibri/colibri.env
-rw-r--r-- root/root ./etc/colibri/web.env
-rw-r--r-- root/root ./lib/systemd/system/colibri-daemon.service
-rw-r--r-- root/root ./lib/systemd/system/colibri-web.service
-rwxr-xr-x root/root ./usr/bin/colibri
-rwxr-xr-x root/root ./usr/bin/colibri-mcp
-rwxr-xr-x root/root ./usr/bin/colibri-test-agent
-rwxr-xr-x root/root ./usr/bin/colibri-web
-rw-r--r-- root/root ./usr/lib/systemd/user/colibri-daemon.service
-rw-r--r-- root/root ./usr/lib/systemd/user/colibri-web.service
-rw-r--r-- root/root ./usr/lib/sysusers.d/colibri.conf
-rw-r--r-- root/root ./usr/lib/tmpfiles.d/colibri.conf
-rwxr-xr-x root/root ./usr/sbin/colibri-daemon
-rw-r--r-- root/root ./usr/share/bash-completion/completions/colibri
-rw-r--r-- root/root ./usr/share/colibri/provider.env
-rw-r--r-- root/root ./usr/share/doc/colibri/changelog.Debian.gz
-rw-r--r-- root/root ./usr/share/doc/colibri/copyright
-rw-r--r-- root/root ./usr/share/doc/colibri/examples/colibri.toml
-rw-r--r-- root/root ./usr/share/doc/colibri/examples/confinement.conf
-rw-r--r-- root/root ./usr/share/doc/colibri/examples/grafana.json
-rw-r--r-- root/root ./usr/share/doc/colibri/linux.md
-rw-r--r-- root/root ./usr/share/fish/vendor_completions.d/colibri.fish
-rw-r--r-- root/root ./usr/share/man/man1/colibri-mcp.1.gz
-rw-r--r-- root/root ./usr/share/man/man1/colibri-test-agent.1.gz
-rw-r--r-- root/root ./usr/share/man/man1/colibri.1.gz
-rw-r--r-- root/root ./usr/share/man/man8/colibri-daemon.8.gz
-rw-r--r-- root/root ./usr/share/man/man8/colibri-web.8.gz
-rw-r--r-- root/root ./usr/share/zsh/vendor-completions/_colibri' \
        "$(dpkg-deb -c "$scratch/colibri.deb" | awk '!/\/$/ { print $1, $2, $6 }' | LC_ALL=C sort -k3)"
    same '' "$(dpkg-deb -c "$scratch/colibri.deb" | awk '/\/$/ && ($1 != "drwxr-xr-x" || $2 != "root/root")')"
}

# As `colibri completion` prints them, where each shell looks for them.
completes_commands() {
    dpkg-deb --fsys-tarfile "$scratch/colibri.deb" > "$scratch/tar"
    for pair in bash:bash-completion/completions/colibri zsh:zsh/vendor-completions/_colibri fish:fish/vendor_completions.d/colibri.fish; do
        same "$("$bin/colibri" completion "${pair%%:*}")" "$(tar -xO "./usr/share/${pair#*:}" < "$scratch/tar")"
    done
    tar -xO ./usr/share/zsh/vendor-completions/_colibri < "$scratch/tar" | head -n 1 | grep -qx '#compdef colibri'
}

says_what_it_is() {
    dpkg-deb -f "$scratch/colibri.deb" > "$scratch/control"
    grep -qx "Version: $version-1" "$scratch/control"
    grep -qx "Architecture: $(dpkg --print-architecture)" "$scratch/control"
    # Any mention of a version in the programs, where the script asks readelf for those that are needed.
    newest=$(cd "$bin" && grep -aoh 'GLIBC_2\.[0-9]*' colibri-daemon colibri colibri-web colibri-mcp colibri-test-agent | sed 's/.*\.//' | sort -n | tail -n 1)
    grep -qx "Depends: libc6 (>= 2.$newest), passwd" "$scratch/control"
    grep -qx 'Recommends: git, tzdata' "$scratch/control"
    dpkg-deb --fsys-tarfile "$scratch/colibri.deb" | tar -xO ./usr/share/doc/colibri/changelog.Debian.gz | gzip -d | head -n 1 | grep -qx "colibri ($version-1) unstable; urgency=medium"
    dpkg-deb --fsys-tarfile "$scratch/colibri.deb" | tar -xO ./usr/share/doc/colibri/copyright | tail -n 2 | grep -q 'SOFTWARE'
}

static_needs_no_libc() {
    mv "$("$repository/scripts/package-deb.sh" --binaries "$COLIBRI_STATIC_BIN_DIR" -o "$scratch/a")" "$scratch/static.deb"
    same passwd "$(dpkg-deb -f "$scratch/static.deb" Depends)"
}

refuses() {
    wanted=$1
    shift
    status=0
    build -o "$scratch/refused" "$@" 2>"$scratch/said" || status=$?
    same "$wanted" "$status"
    same 1 "$(wc -l < "$scratch/said")"
    [ ! -e "$scratch/refused" ]
}

refuses_without_leaving_anything() {
    refuses 2 --verison 1
    refuses 2 --version
    refuses 2 --version v1
    mkdir "$scratch/none" "$scratch/text"
    refuses 1 --binaries "$scratch/none"
    for program in colibri-daemon colibri colibri-web colibri-mcp colibri-test-agent; do
        printf '#!/bin/sh\n' > "$scratch/text/$program"
        chmod 755 "$scratch/text/$program"
    done
    refuses 1 --binaries "$scratch/text"
}

# A program in colibri's place that prints nothing: it is no package without its completions.
refuses_a_mute_client() {
    mkdir "$scratch/mute"
    ln -s "$bin"/colibri* "$scratch/mute/"
    ln -sf /bin/true "$scratch/mute/colibri"
    refuses 1 --binaries "$scratch/mute"
    grep -q 'prints no completion for bash' "$scratch/said"
}

in_root() {
    chroot_run "$root" "$@"
}

# Every name there, but for what dpkg and the user's tools keep for themselves.
names() {
    (cd "$root" && find . -path ./proc -prune -o -path ./var/lib/dpkg -prune -o -path ./var/log -prune -o -path ./tmp -prune -o -print) |
        grep -v -e '^\./etc/\(passwd\|group\|shadow\|gshadow\|subuid\|subgid\)-*$' -e '^\./var/cache/' -e '^\./etc/\.pwd\.lock$' | LC_ALL=C sort
}

installs() {
    chroot_make "$root"
    names > "$scratch/before"
    cp "$scratch/colibri.deb" "$scratch/next.deb" "$root/tmp"
    in_root dpkg -i /tmp/colibri.deb
    same '' "$(in_root dpkg --verify colibri)"
    in_root getent passwd colibri | grep -q ':Colibri daemon:/var/lib/colibri:/usr/sbin/nologin$'
    same '755 root:root /etc/colibri
600 colibri:colibri /etc/colibri/provider.env
750 colibri:colibri /var/lib/colibri
750 colibri:colibri /var/lib/colibri/work
750 colibri:colibri /var/log/colibri' \
        "$(in_root stat -c '%a %U:%G %n' /etc/colibri /etc/colibri/provider.env /var/lib/colibri /var/lib/colibri/work /var/log/colibri)"
    same /lib/systemd/system/colibri-daemon.service "$(readlink "$root/etc/systemd/system/multi-user.target.wants/colibri-daemon.service")"
    in_root colibri --version | grep -q '[0-9]'
    in_root getent passwd colibri-web | grep -q ':Colibri web glasspane:/var/lib/colibri-web:/usr/sbin/nologin$'
}

# An installation starts the daemon alone, now and at every boot.
leaves_the_web_off() {
    same '' "$(find "$root/etc/systemd" -name 'colibri-web*')"
    [ ! -e "$root/var/lib/colibri-web" ]
}

# What its unit says, without systemd: the user, its groups, the environment, the program's options.
web_works_as_its_user() {
    unit=$root/lib/systemd/system/colibri-web.service
    {
        echo 'set -eu'
        echo 'install -d -m 0750 -o colibri -g colibri /run/colibri'
        printf 'cd /var/lib/colibri/work\nsetpriv --reuid colibri --regid colibri --init-groups env -i PATH=/usr/bin:/bin %s /usr/sbin/colibri-daemon 2>/tmp/log &\n' \
            "$(sed -n 's/^Environment=//p' "$root/lib/systemd/system/colibri-daemon.service" | tr '\n' ' ')"
        echo 'daemon=$!'
        printf 'install -d -m %s -o %s -g %s /var/lib/%s\n' "$(sed -n 's/^StateDirectoryMode=//p' "$unit")" "$(sed -n 's/^User=//p' "$unit")" \
            "$(sed -n 's/^Group=//p' "$unit")" "$(sed -n 's/^StateDirectory=//p' "$unit")"
        printf 'start() { setpriv --reuid %s --regid %s --groups "$(getent group %s | cut -d : -f 3)" env -i %s %s >/tmp/web 2>&1 & web=$!; }\n' \
            "$(sed -n 's/^User=//p' "$unit")" "$(sed -n 's/^Group=//p' "$unit")" "$(sed -n 's/^SupplementaryGroups=//p' "$unit")" \
            "$(sed -n 's/^Environment=//p' "$unit" | tr '\n' ' ')" "$(sed -n 's/^ExecStart=\(.*\) $COLIBRI_WEB_OPTIONS$/\1/p' "$unit") --write --listen unix:/var/lib/colibri-web/page"
        cat <<'END'
start
tries=0
ask() { perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new("/var/lib/colibri-web/page") or exit 1; print $s "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"; print <$s>'; }
until ask | grep -q '^HTTP/1.1 200 '; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then cat /tmp/web /tmp/log; exit 1; fi
    sleep 0.1
done
grep -qx 'colibri-web: unix:/var/lib/colibri-web/page (the token is in /var/lib/colibri-web/token)' /tmp/web
kill "$web" && wait "$web"
kill "$daemon" && wait "$daemon"
END
    } > "$root/tmp/web-session"
    in_root sh /tmp/web-session
    same '600 colibri-web:colibri-web' "$(in_root stat -c '%a %U:%G' /var/lib/colibri-web/token)"
}

# What the unit says, without systemd: its user, its environment, its directory.
works_as_its_user() {
    sed -n 's/^Environment=//p' "$root/lib/systemd/system/colibri-daemon.service" > "$scratch/unit-environment"
    cat > "$root/tmp/session" <<'END'
set -eu
install -d -m 0750 -o colibri -g colibri /run/colibri
cd /var/lib/colibri/work
# shellcheck disable=SC2046
setpriv --reuid colibri --regid colibri --init-groups env -i PATH=/usr/bin:/bin $(cat /tmp/unit-environment) colibri-daemon 2>/tmp/log &
PATH=/usr/sbin:/usr/bin:/bin
tries=0
until colibri ping >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ]; then cat /tmp/log; exit 1; fi
    sleep 0.1
done
colibri create-task --title 'Say which day it is' >/dev/null
colibri spawn-agent colibri-test-agent -- 'which day is it' >/dev/null
until colibri --json snapshot | grep -q '"stopped"'; do
    tries=$((tries + 1))
    if [ "$tries" -gt 600 ]; then cat /tmp/log; exit 1; fi
    sleep 0.1
done
kill $!
wait $!
END
    sed -i 's/ colibri-daemon 2>/ \/usr\/sbin\/colibri-daemon 2>/' "$root/tmp/session"
    cp "$scratch/unit-environment" "$root/tmp/unit-environment"
    in_root sh /tmp/session
    same 'colibri:colibri 640' "$(in_root stat -c '%U:%G %a' /var/lib/colibri/colibri.sqlite)"
}

upgrades() {
    printf 'COLIBRI_MAX_AGENTS=7\n' >> "$root/etc/colibri/colibri.env"
    printf 'TEST_API_KEY=secret\n' >> "$root/etc/colibri/provider.env"
    sha256sum "$root/var/lib/colibri/colibri.sqlite" > "$scratch/board"
    in_root dpkg -i /tmp/next.deb
    in_root dpkg -s colibri | grep -qx "Version: $next-1"
    grep -qx COLIBRI_MAX_AGENTS=7 "$root/etc/colibri/colibri.env"
    grep -qx TEST_API_KEY=secret "$root/etc/colibri/provider.env"
    same '600 colibri:colibri' "$(in_root stat -c '%a %U:%G' /etc/colibri/provider.env)"
    sha256sum -c "$scratch/board"
}

configures_twice() {
    names > "$scratch/once"
    in_root /var/lib/dpkg/info/colibri.postinst configure "$next-1"
    in_root /var/lib/dpkg/info/colibri.postinst configure "$next-1"
    names > "$scratch/twice"
    diff "$scratch/once" "$scratch/twice"
}

stays_disabled() {
    # What `systemctl disable` does.
    rm "$root/etc/systemd/system/multi-user.target.wants/colibri-daemon.service"
    in_root dpkg -i /tmp/colibri.deb
    [ ! -e "$root/etc/systemd/system/multi-user.target.wants/colibri-daemon.service" ]
}

removes() {
    in_root dpkg -r colibri
    [ ! -e "$root/usr/sbin/colibri-daemon" ]
    [ ! -e "$root/lib/systemd/system/colibri-daemon.service" ]
    [ -e "$root/etc/colibri/provider.env" ]
    [ -e "$root/etc/colibri/colibri.env" ]
    sha256sum -c "$scratch/board"
}

purges() {
    in_root dpkg -P colibri > "$scratch/purged"
    names > "$scratch/after"
    diff "$scratch/before" "$scratch/after" | sed -n 's/^[<>] //p' > "$scratch/left" || :
    # The data it says it keeps, and nothing else.
    grep -q 'kept /var/lib/colibri (board, sessions, work) and the users colibri, colibri-web' "$scratch/purged"
    same '' "$(grep -v -e '^\./var/lib/colibri$' -e '^\./var/lib/colibri/' "$scratch/left")"
    sha256sum -c "$scratch/board"
    [ ! -e "$root/var/log/colibri" ]
    [ ! -e "$root/var/lib/colibri-web" ]
}

purges_all_of_one_that_never_ran() {
    in_root rm -r /var/lib/colibri
    in_root dpkg -i /tmp/colibri.deb
    in_root dpkg -P colibri > "$scratch/purged"
    grep -q 'kept the users colibri, colibri-web' "$scratch/purged"
    names > "$scratch/after"
    diff "$scratch/before" "$scratch/after"
}

version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$repository/Directory.Build.props")
next=${version%.*}.$((${version##*.} + 1))
if ! command -v dpkg-deb >/dev/null || ! command -v readelf >/dev/null; then
    skip 'the Debian package' 'dpkg-deb or readelf is not installed'
    tap_done
fi
check 'the same input gives the same package, byte for byte' same_input_same_bytes
check 'it holds what it should, owned by root' holds_what_it_should
check 'it completes commands in bash, zsh and fish' completes_commands
check 'it says what it is and what it needs' says_what_it_is
if [ -n "${COLIBRI_STATIC_BIN_DIR:-}" ]; then
    check 'one of static programs needs no libc' static_needs_no_libc
else
    skip 'one of static programs needs no libc' 'COLIBRI_STATIC_BIN_DIR is not set'
fi
check 'wrong usage and wrong programs are refused in one line, and nothing is left' refuses_without_leaving_anything
check 'a client that prints no completion is refused' refuses_a_mute_client
if command -v shellcheck >/dev/null; then
    check 'its maintainer scripts pass shellcheck' shellcheck "$repository/packaging/linux/debian/postinst" "$repository/packaging/linux/debian/prerm" \
        "$repository/packaging/linux/debian/postrm"
else
    skip 'its maintainer scripts pass shellcheck' 'shellcheck is not installed'
fi
reason=$(chroot_reason)
for step in \
    'installs: it installs into a Debian that has nothing else' \
    'works_as_its_user: the daemon works as its user with the environment of the unit' \
    'leaves_the_web_off: the web glasspane is not enabled' \
    'web_works_as_its_user: the web glasspane reaches the daemon as its user, with a token that is its own' \
    'upgrades: an upgrade keeps settings, keys and the board' \
    'configures_twice: configuring it again changes nothing' \
    'stays_disabled: a service that was disabled stays so' \
    'removes: removing it keeps settings, keys and the board' \
    'purges: purging it leaves nothing but the data it says it keeps' \
    'purges_all_of_one_that_never_ran: purging one that never ran leaves the user alone'; do
    if [ -z "$reason" ]; then check "${step#*: }" "${step%%:*}"; else skip "${step#*: }" "$reason"; fi
done
tap_done
