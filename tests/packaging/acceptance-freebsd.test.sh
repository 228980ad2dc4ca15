#!/bin/sh
# The acceptance's FreeBSD half on this machine, under stand-ins for uname, service, sysrc, newsyslog, stat and sha256. What they cannot show is
# how FreeBSD's own behave: rc.subr, daemon(8) and newsyslog(8) are met on the booted image alone.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

binaries=${COLIBRI_BIN_DIR:-$repository/dist}
me=$(id -un)
my_group=$(id -gn)

ours() {
    pattern=$(printf '%s' "$scratch/" | sed 's/colibri-test/[c]olibri-test/')
    grep -l -e "$pattern" /proc/[0-9]*/cmdline 2>/dev/null | sed -n 's|^/proc/\([0-9]*\)/.*|\1|p'
}
at_end() { for left in $(ours); do kill -KILL "$left" 2>/dev/null; done; }

stand_in() {
    cat > "$scratch/bin/$1"
    chmod +x "$scratch/bin/$1"
}
mkdir "$scratch/bin"
stand_in uname <<'END'
#!/bin/sh
case $1 in -s) echo FreeBSD ;; -sr) echo FreeBSD 15.1-RELEASE ;; *) exec /bin/uname "$@" ;; esac
END
stand_in stat <<'END'
#!/bin/sh
[ "$1 $2" = '-f %Lp %Su:%Sg' ] && exec /usr/bin/stat -c '%a %U:%G' "$3"
exit 1
END
stand_in sha256 <<'END'
#!/bin/sh
[ "$1" = -q ] && /usr/bin/sha256sum "$2" | cut -d ' ' -f 1
END
stand_in sysrc <<'END'
#!/bin/sh
if [ -e "$INSTALLATION/sysrc-broken" ]; then echo 'ld-elf.so.1: Shared object "libjail.so.1" not found, required by "sysrc"' >&2; exit 1; fi
if [ "$*" = '-n rc_debug' ]; then echo NO; exit 0; fi
[ "$1 $2" = '-n -q' ] && sed -n "s/^$3=//p" "$INSTALLATION/rc.conf"
END
# As daemon(8) with -H, the log is written by one that opens it again at HUP.
stand_in service <<'END'
#!/bin/sh
printf '%s\n' "$*" >> "$INSTALLATION/services"
log=$INSTALLATION/var/log/colibri
case $1 in
    colibri_daemon)
        verb=${2#one}
        SMOKE_ROOT=$INSTALLATION "$INSTALLATION/service" "$verb" || exit
        if [ "$verb" = start ]; then
            (
                tail -n +1 -f "$log/daemon.log" | while IFS= read -r line; do
                    if [ -e "$INSTALLATION/deaf" ]; then file=$(cat "$INSTALLATION/deaf"); else file=$log/rotated.log; fi
                    printf '%s\n' "$line" >> "$file"
                done
            ) >/dev/null 2>&1 </dev/null &
        fi
        ;;
    hermes_daemon)
        run=$INSTALLATION/var/run/hermes
        case $2 in
            onestart)
                if [ ! -e "$INSTALLATION/var/db/hermes/config.yaml" ]; then
                    [ ! -e "$INSTALLATION/hermes-is-silent" ] || exit 1
                    echo "hermes_daemon: $INSTALLATION/var/db/hermes/config.yaml is not there; write it" >&2
                    exit 1
                fi
                mkdir -p "$run"
                echo 1 > "$run/supervisor.pid"
                ;;
            onestatus | onehealth) [ -e "$run/supervisor.pid" ] ;;
            onestop) [ -e "$INSTALLATION/hermes-stays" ] || rm "$run/supervisor.pid" ;;
        esac
        ;;
esac
END
stand_in newsyslog <<'END'
#!/bin/sh
[ "$1" = -F ] || exit 1
mv "$2" "$2.0"
( umask 027; : > "$2" )
if [ -e "$INSTALLATION/never-reopened" ]; then printf '%s\n' "$2.0" > "$INSTALLATION/deaf"; fi
END

# install NAME: an image in $scratch/NAME whose rc.conf enables everything; further lines of it on standard input.
install() {
    mkdir -p "$scratch/$1/usr/local/bin" "$scratch/$1/usr/local/etc/rc.d" "$scratch/$1/usr/local/share/colibri" "$scratch/$1/var/db/hermes"
    for program in colibri-daemon colibri colibri-test-agent; do
        ln "$binaries/$program" "$scratch/$1/usr/local/bin/" 2>/dev/null || cp "$binaries/$program" "$scratch/$1/usr/local/bin/"
    done
    : > "$scratch/$1/usr/local/etc/rc.d/hermes_daemon"
    {
        printf 'colibri_daemon_enable=YES\nlinux_enable=YES\ncolibri_daemon_restart_delay=1\n'
        printf 'colibri_daemon_user=%s\ncolibri_daemon_group=%s\ncolibri_daemon_log=%s\n' "$me" "$my_group" "$scratch/$1/var/log/colibri/rotated.log"
    } > "$scratch/$1/rc.conf"
    cat > "$scratch/$1/more"
    while IFS= read -r setting; do
        sed "/^${setting%%=*}=/d" "$scratch/$1/rc.conf" > "$scratch/$1/rc.conf.new"
        printf '%s\n' "$setting" >> "$scratch/$1/rc.conf.new"
        mv "$scratch/$1/rc.conf.new" "$scratch/$1/rc.conf"
    done < "$scratch/$1/more"
    cat > "$scratch/$1/service" <<END
#!/bin/sh
SMOKE_USER='$me' SMOKE_RESTART_DELAY=1 SMOKE_TICK=1s
export SMOKE_USER SMOKE_RESTART_DELAY SMOKE_TICK
PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin exec '$repository/iso/smoke-linux/service.sh' "\$@"
END
    chmod +x "$scratch/$1/service"
    sha=$(sha256sum "$scratch/$1/usr/local/bin/colibri" | cut -d ' ' -f 1)
    # Written as staging writes it, directories and itself included.
    cat > "$scratch/$1/usr/local/share/colibri/manifest.json" <<END
{
  "schema": "clawdie.iso.build.v1",
  "version": "0.1.0",
  "settings": "colibri_daemon_enable linux_enable",
  "files": [
    {"path": "/usr/local/bin", "type": "directory", "mode": "0755", "owner": "$me:$my_group"},
    {"path": "/usr/local/bin/colibri", "type": "file", "mode": "$(printf '%04d' "$(stat -c %a "$scratch/$1/usr/local/bin/colibri")")", "owner": "$me:$my_group", "size": $(stat -c %s "$scratch/$1/usr/local/bin/colibri"), "sha256": "$sha"},
    {"path": "/usr/local/share/colibri/manifest.json", "type": "file", "mode": "0644", "owner": "$me:$my_group"},
    {"path": "/var/run/colibri", "type": "directory", "mode": "0750", "owner": "$me:$my_group"}
  ]
}
END
    chmod 0644 "$scratch/$1/usr/local/share/colibri/manifest.json"
    chmod 0755 "$scratch/$1/usr/local/bin"
}

accept() {
    accept_status=0
    INSTALLATION=$scratch/$1 PATH=$scratch/bin:$PATH "$repository/scripts/acceptance.sh" --root "$scratch/$1" --deadline 30 \
        >"$scratch/$1/tap" 2>"$scratch/$1/err" </dev/null || accept_status=$?
    printf '%s\n' "$accept_status" > "$scratch/$1/status"
}
show() { cat "$scratch/$1/tap" "$scratch/$1/err"; }

passes_but_for() {
    show "$1"
    same 0 "$(cat "$scratch/$1/status")"
    same '' "$(cat "$scratch/$1/err")"
    same "$2" "$(sed -n 's/^ok [0-9]* - \(.*\) # SKIP .*/\1/p' "$scratch/$1/tap")"
}

fails_exactly() {
    show "$1"
    same 1 "$(cat "$scratch/$1/status")"
    same "$2" "$(sed -n 's/^not ok [0-9]* - //p' "$scratch/$1/tap")"
    grep -A 1 '^not ok' "$scratch/$1/tap" | grep -q "^# .*$3"
}

rc_is_asked_as_an_operator_would() {
    same '' "$(grep -v '^colibri_daemon \(start\|status\|health\|reload\|stop\)$' "$scratch/sound/services" | grep -v '^hermes_daemon one')"
    grep -q '^# acceptance on .*, FreeBSD 15.1-RELEASE, ' "$scratch/sound/tap"
}

not_enabled_is_tried_all_the_same() {
    fails_exactly disabled 'the service is enabled at boot' 'sysrc colibri_daemon_enable=YES'
    grep -q '^colibri_daemon onestart$' "$scratch/disabled/services"
    same '' "$(grep '^colibri_daemon [^o]' "$scratch/disabled/services")"
}

# No variable can be read there, so that the user is the default one, whom this host may not have: what else fails is about that user.
sysrc_is_named() {
    show broken
    same 1 "$(cat "$scratch/broken/status")"
    grep -A 1 '^not ok [0-9]* - the service is enabled at boot$' "$scratch/broken/tap" |
        grep -q '^# sysrc failed: ld-elf.so.1: Shared object "libjail.so.1" not found'
}

names='a sound image passes every step, newsyslog and hermes included
with a configuration hermes is started and stopped
service(8) is asked as an operator would
an image that does not enable the service fails that step alone
a Linux binary without linux_enable fails that step alone
a log that is not opened again fails that step alone
a hermes that refuses in silence fails that step alone
a hermes that leaves its pidfile fails that step alone
a sysrc that does not run is named as such'
if [ "$(uname -s)" != Linux ] || [ "$me" != root ]; then
    printf '%s\n' "$names" > "$scratch/names"
    while IFS= read -r name; do skip "$name" 'the stand-ins are for Linux, and the acceptance of a service is for root'; done < "$scratch/names"
    tap_done
fi

install sound </dev/null
install configured </dev/null
: > "$scratch/configured/var/db/hermes/config.yaml"
printf 'colibri_daemon_enable=NO\n' | install disabled
printf 'linux_enable=NO\n' | install brand
install deaf </dev/null
: > "$scratch/deaf/never-reopened"
install mute </dev/null
: > "$scratch/mute/hermes-is-silent"
install stays </dev/null
: > "$scratch/stays/var/db/hermes/config.yaml"
: > "$scratch/stays/hermes-stays"
install broken </dev/null
: > "$scratch/broken/sysrc-broken"
for name in sound configured disabled brand deaf mute stays broken; do accept "$name" & done
wait

check 'a sound image passes every step, newsyslog and hermes included' passes_but_for sound 'hermes starts, answers and stops'
check 'with a configuration hermes is started and stopped' passes_but_for configured 'hermes without a configuration says so and does not start'
check 'service(8) is asked as an operator would' rc_is_asked_as_an_operator_would
check 'an image that does not enable the service fails that step alone' not_enabled_is_tried_all_the_same
check 'a Linux binary without linux_enable fails that step alone' fails_exactly brand 'the service is enabled at boot' 'sysrc linux_enable=YES'
check 'a log that is not opened again fails that step alone' fails_exactly deaf 'the log rotates, and the new one is written' 'is not written'
check 'a hermes that refuses in silence fails that step alone' fails_exactly mute 'hermes without a configuration says so and does not start' 'does not say that config.yaml is missing'
check 'a hermes that leaves its pidfile fails that step alone' fails_exactly stays 'hermes starts, answers and stops' 'hermes'
check 'a sysrc that does not run is named as such' sysrc_is_named
tap_done
