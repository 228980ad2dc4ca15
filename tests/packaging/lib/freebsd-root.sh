# shellcheck shell=sh disable=SC2034,SC2154
# Sourced by the tests of packaging/freebsd, behind tap.sh: a private root in which the rc scripts run on Linux.
#
#   make_root               makes `$root` with the scripts installed, stand-ins for FreeBSD's programs, and $root/etc/rc.conf
#   service NAME COMMAND    runs an rc script; what it says is in $root/said, its status in `service_status`
#   calls                   what the stand-ins were asked, a call a line (daemon(8): an argument a line)
#
# The scripts are installed as a port would (%%PREFIX%%), and every absolute path in them is then moved below the root: the scripts
# themselves have no hook for tests.

below_root() {
    sed -E "s,(^|[^A-Za-z0-9_./%})*])/(bin|sbin|usr|var|etc|libexec)/,\\1$root/\\2/,g"
}

stand_in() {
    mkdir -p "$root/${1%/*}"
    { printf "#!/bin/sh\npath=\$PATH\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\ncalls=%s/calls\n" "$root"; cat; } > "$root/$1"
    chmod +x "$root/$1"
}

make_root() {
    root=$(mktemp -d "$scratch/root.XXXXXX")
    mkdir -p "$root/bin" "$root/sbin" "$root/usr/bin" "$root/usr/sbin" "$root/etc" "$root/usr/local/bin" "$root/usr/local/etc/rc.d" \
        "$root/usr/local/etc/colibri" "$root/usr/local/etc/newsyslog.conf.d" "$root/var/db" "$root/var/log" "$root/var/run"
    : > "$root/calls"
    for program in bin/cp bin/date bin/mkdir bin/ps bin/rm bin/sh bin/sleep bin/timeout usr/bin/cut usr/bin/env usr/bin/find usr/bin/grep \
        usr/bin/id usr/bin/od usr/bin/tail usr/bin/tr usr/bin/wc
    do
        ln -s "$(command -v "${program##*/}")" "$root/$program"
    done
    cp "$repository/tests/packaging/lib/daemon-stand-in.pl" "$root/usr/sbin/daemon"
    chmod +x "$root/usr/sbin/daemon"
    # Nobody is switched to: everything runs as whoever runs the test.
    stand_in usr/bin/su <<'SU'
printf 'su %s\n' "$*" | head -n 1 >> "$calls"
while [ $# -gt 0 ] && [ "$1" != -c ]; do shift; done
PATH=$path
exec /bin/sh -c "$2"
SU
    stand_in usr/bin/limits <<'LIMITS'
printf 'limits' >> "$calls"
while :; do
    case $1 in
        -C) printf ' %s %s' "$1" "$2" >> "$calls"; shift 2 ;;
        -l) printf ' %s %s' "$1" "$2" >> "$calls"; if [ "$2" = 0 ]; then ulimit -l 0; fi; shift 2 ;;
        *) break ;;
    esac
done
printf '\n' >> "$calls"
PATH=$path
exec "$@"
LIMITS
    # Users and groups are files here, each with its number. Without -u and -g they are people, whose numbers begin at 1001.
    mkdir "$root/users" "$root/groups"
    echo 999 > "$root/groups/taken"
    stand_in usr/sbin/pw <<PW
number() { while [ \$# -gt 0 ]; do if [ "\$1" = "\$wanted" ]; then echo "\$2"; return; fi; shift; done; echo 1001; }
shown() { case \$2 in -n) [ -e "$root/\$1/\$3" ] ;; *) grep -qx "\$3" "$root/\$1/"* 2>/dev/null ;; esac; }
case \$1 in
    usershow) shown users "\$2" "\$3" || exit 67 ;;
    groupshow) shown groups "\$2" "\$3" || exit 65 ;;
    useradd) printf 'pw' >> "\$calls"; printf ' %s' "\$@" >> "\$calls"; printf '\n' >> "\$calls"; wanted=-u; number "\$@" > "$root/users/\$3" ;;
    groupadd) printf 'pw %s\n' "\$*" >> "\$calls"; wanted=-g; number "\$@" > "$root/groups/\$3" ;;
esac
PW
    stand_in usr/bin/install <<'INSTALL'
printf 'install %s\n' "$*" >> "$calls"
directory=no
while getopts do:g:m: option; do case $option in d) directory=yes ;; m) mode=$OPTARG ;; *) ;; esac; done
shift $((OPTIND - 1))
if [ "$directory" = yes ]; then mkdir -p "$1" && chmod "$mode" "$1"; else cp "$1" "$2" && chmod "$mode" "$2"; fi
INSTALL
    stand_in usr/bin/getent <<GETENT
printf '%s:*:1001:1001:Colibri agent supervisor:%s:/usr/sbin/nologin\n' "\$2" "$root/var/db/colibri"
GETENT
    stand_in sbin/kldstat <<KLDSTAT
[ -e "$root/linux64" ]
KLDSTAT
    stand_in sbin/kldload <<KLDLOAD
printf 'kldload %s\n' "\$*" >> "\$calls"
[ ! -e "$root/no-modules" ] && : > "$root/linux64"
KLDLOAD
    stand_in sbin/sysctl <<SYSCTL
case "\$*" in
    *compat.linux.emul_path) [ -e "$root/linux64" ] && echo "$root/compat/linux" ;;
    compat.linux.debug=*) printf 'sysctl %s\n' "\$*" >> "\$calls" ;;
    *) if [ -e "$root/jailed" ]; then echo 1; else echo 0; fi ;;
esac
SYSCTL
    # curl(1) for fetch(1), in whose words a status is said.
    stand_in usr/bin/fetch <<'FETCH'
for address; do :; done
status=$(curl -s --noproxy '*' -m 5 -o /dev/null -w '%{http_code}' "$address") || { printf 'fetch: %s: Connection refused\n' "$address" >&2; exit 1; }
case $status in
    200) ;;
    503) printf 'fetch: %s: Service Unavailable\n' "$address" >&2; exit 1 ;;
    *) printf 'fetch: %s: Unknown HTTP error\n' "$address" >&2; exit 1 ;;
esac
FETCH
    stand_in usr/bin/protect <<'PROTECT'
printf 'protect %s\n' "$*" >> "$calls"
PROTECT
    # What is mounted stands in a file, as mount -p prints it.
    : > "$root/mounts"
    stand_in sbin/mount <<MOUNT
if [ "\$1" = -p ]; then exec cat "$root/mounts"; fi
printf 'mount %s\n' "\$*" >> "\$calls"
[ ! -e "$root/no-linprocfs" ] && printf 'linprocfs\t\t%s\tlinprocfs\trw\t0 0\n' "\$4" >> "$root/mounts"
MOUNT
    # What rc.subr itself looks for on PATH, and nothing more: the scripts name their programs whole.
    mkdir "$root/path"
    ln -s "$root/usr/bin/limits" "$root/usr/bin/su" "$root/usr/bin/env" "$root/bin/sh" "$(command -v nice)" "$root/path"
    below_root < "$repository/tests/packaging/lib/rc.subr-stand-in.sh" > "$root/etc/rc.subr"
    for script in colibri_daemon colibri_web hermes_daemon; do
        sed 's,%%PREFIX%%,/usr/local,g' "$repository/packaging/freebsd/$script.in" | below_root > "$root/usr/local/etc/rc.d/$script"
        chmod 0555 "$root/usr/local/etc/rc.d/$script"
    done
    printf 'colibri_daemon_enable=YES\ncolibri_web_enable=YES\nhermes_daemon_enable=YES\n' > "$root/etc/rc.conf"
}

# Lines of rc.conf, whose paths move below the root as the scripts' do.
rc_conf() {
    below_root >> "$root/etc/rc.conf"
}

# As service(8) does: an empty environment and / to start in. `typed` holds what else whoever called it, or rc.subr(8), has exported.
service() {
    service_status=0
    # shellcheck disable=SC2086  # NAME=VALUE words
    (cd / && exec env -i HOME=/ PATH="$root/path" STAND_IN_CALLS="$root/calls" ${typed:-} \
        "$root/usr/local/etc/rc.d/$1" "$2") > "$root/said" 2>&1 </dev/null || service_status=$?
}

calls() {
    sed "s,$root,,g" "$root/calls"
}

said() {
    sed "s,$root,,g" "$root/said"
}

# The arguments of the last daemon(8), the root left out, and the names that env(1) drops.
daemon_arguments() {
    calls | awk '/^daemon\(8\)$/ { text = ""; on = 1; env = 0; next } /^$/ { on = 0 }
        on && env && $0 == "-u" { getline; next } on && $0 == "/usr/bin/env" { env = 1 } on { text = text $0 "\n" } END { printf "%s", text }'
}

# Waits for a command to succeed, 20 s at most.
eventually() {
    eventually_left=200
    until "$@"; do
        eventually_left=$((eventually_left - 1))
        if [ "$eventually_left" -eq 0 ]; then
            printf 'never: %s\n' "$*"
            return 1
        fi
        sleep 0.1
    done
}

alive() {
    kill -0 "$1" 2>/dev/null
}

gone() {
    ! kill -0 "$1" 2>/dev/null
}

# A daemon that writes down its environment and stays, and a client to which it answers.
install_stubs() {
    mkdir -p "$root/seen"
    cat > "$root/usr/local/bin/colibri-daemon" <<STUB
#!/bin/sh
if [ "\$1" = --check-config ]; then exit 0; fi
printf '%s\n' "\$*" > "$root/seen/arguments"
$(command -v env) -0 > "$root/seen/environment"
for name in COLIBRI_DAEMON_SOCKET COLIBRI_DB_PATH COLIBRI_SESSIONS_DIR COLIBRI_COST_MODE COLIBRI_AGENT_BINARY COLIBRI_AGENT_ARGS \\
    COLIBRI_MAX_AGENTS COLIBRI_SCHEDULER_INTERVAL COLIBRI_PROVIDER_ENV COLIBRI_STALL_AFTER HOME USER SHELL PATH OPENAI_API_KEY OTHER_KEY EMPTY_KEY
do
    eval "if [ -n \"\\\${\$name+set}\" ]; then printf %s \"\\\$\$name\" > '$root/seen/\$name'; fi"
done
: > "$root/seen/done"
exec $(command -v sleep) 600
STUB
    printf '#!/bin/sh\n[ -e "%s/seen/done" ]\n' "$root" > "$root/usr/local/bin/colibri"
    chmod +x "$root/usr/local/bin/colibri-daemon" "$root/usr/local/bin/colibri"
}

# Ends whatever a test left running in its root.
end_root() {
    for pidfile in "$root/var/run/colibri/supervisor.pid" "$root/var/run/colibri_web/supervisor.pid" "$root/var/run/hermes/supervisor.pid"; do
        if [ -s "$pidfile" ]; then kill "$(cat "$pidfile")" || :; fi
    done 2>/dev/null
    for pidfile in "$root/var/run/colibri/daemon.pid" "$root/var/run/colibri_web/web.pid" "$root/var/run/hermes/daemon.pid"; do
        if [ -s "$pidfile" ]; then kill -KILL "$(cat "$pidfile")" || :; fi
    done 2>/dev/null
    # What has lost its pidfile, by the path that only this root has.
    ps -eo pid=,args= | awk -v programs="$root/usr/local/bin/" 'index($2, programs) == 1 { print $1 }' | while read -r pid; do
        kill -KILL "$pid" 2>/dev/null || :
    done
}
