#!/bin/sh
# The rc script of the web glasspane, under stand-ins for rc.subr and daemon(8): what it asks of the system, and with the real programs its life.
# shellcheck disable=SC2016,SC2154,SC2317,SC2329  # functions are called through `check`; the sourced files set `repository`, `scratch`, `root`; text is quoted as it is
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/freebsd-root.sh
. "$(dirname -- "$0")/lib/freebsd-root.sh"

at_end() {
    for root in "$scratch"/root.*; do
        if [ -d "$root" ]; then end_root; fi
    done
}

# The daemon's first start makes its group.
make_web_root() {
    make_root
    echo 998 > "$root/groups/colibri"
}

# A program that stays, below the root that is made.
install_stub() {
    make_web_root
    printf '#!/bin/sh\n[ "${1:-}" = --version ] && exit\n%s > %s/environment\nexec %s 600\n' "$(command -v env)" "$root" "$(command -v sleep)" > "$root/usr/local/bin/colibri-web"
    chmod +x "$root/usr/local/bin/colibri-web"
}

start_web() {
    service colibri_web start
    same '0 Starting colibri_web.' "$service_status $(said)"
}

refused() {
    install_stub
    printf '%s\n' "$1" | rc_conf
    service colibri_web start
    same "1 /usr/local/etc/rc.d/colibri_web: ERROR: $2" "$service_status $(said)"
    same '' "$(daemon_arguments)"
}

# --- What is asked of the system. Whatever listens on a path is not asked for /healthz, so no server is needed.

arguments() {
    printf '%s\n' -f -S -T colibri_web -t colibri_web -P /var/run/colibri_web/supervisor.pid -p /var/run/colibri_web/web.pid -R "$1" /usr/bin/env -i \
        /usr/local/bin/colibri-web --listen "$2" --socket "$3" --token-file "$4"
}

settings_reach_the_command_line() {
    install_stub
    rc_conf <<'CONF'
colibri_web_listen=unix:page.sock
colibri_web_flags="--write --read-token"
colibri_web_restart_delay=17
colibri_web_limits="-l 64"
colibri_web_login_class=web
CONF
    typed='LANG=C.UTF-8 COLIBRI_DAEMON_SOCKET=/elsewhere'
    start_web
    typed=
    same "$(arguments 17 unix:page.sock /var/run/colibri/colibri.sock /var/db/colibri_web/token)
--write
--read-token" "$(daemon_arguments)"
    same 'limits -C web -l 64' "$(calls | grep '^limits' | sort -u)"
    # _, PWD and SHLVL are the shell's.
    same '' "$(grep -vE '^(_|PWD|SHLVL)=' "$root/environment")"
}

first_start_makes_its_user() {
    install_stub
    echo colibri_web_listen=unix:page.sock | rc_conf
    start_web
    same 'pw useradd -n colibri_web -u 997 -g colibri -d /var/db/colibri_web -s /usr/sbin/nologin -c Colibri web glasspane -w no' "$(calls | grep '^pw')"
    same 'install -d -o colibri_web -g colibri -m 0700 /var/run/colibri_web
install -d -o colibri_web -g colibri -m 0700 /var/db/colibri_web' "$(calls | grep '^install')"
    calls | grep -q '^su -m colibri_web -c sh -c'
}

without_the_daemons_group() {
    install_stub
    rm "$root/groups/colibri"
    service colibri_web start
    same '1 /usr/local/etc/rc.d/colibri_web: ERROR: the group colibri is not there; the first start of colibri_daemon makes it, or set colibri_web_group' \
        "$service_status $(said)"
    same '' "$(daemon_arguments)"
}

refuses_what_cannot_pass() {
    plain='only letters, digits and _./:=,+@- may be in it'
    for setting in user group listen socket token_file; do
        for value in "a'b" 'a$b' 'a;b' 'a"b' 'a*b' 'a b' '[::1]:1'; do
            # The one value with brackets that is an address.
            if [ "$setting $value" = 'listen [::1]:1' ]; then continue; fi
            refused "colibri_web_$setting='$(printf %s "$value" | sed "s/'/'\\\\''/g")'" "colibri_web_$setting=\"$value\" cannot be used: $plain"
        done
    done
    refused "colibri_web_flags='--write;id'" 'colibri_web_flags="--write;id" cannot be used: only letters, digits, blanks and _./:=,+@- may be in it'
    refused colibri_web_token_file=token 'colibri_web_token_file="token" cannot be used: use an absolute path'
    for setting in restart_delay start_timeout stop_timeout; do
        refused "colibri_web_$setting=08" "colibri_web_$setting=\"08\" cannot be used: use whole seconds, 1 to 99999"
    done
}

not_installed() {
    make_web_root
    service colibri_web start
    same '1 /usr/local/etc/rc.d/colibri_web: ERROR: /usr/local/bin/colibri-web is not installed, or not executable' "$service_status $(said)"
    printf '#!/bin/sh\nexit 255\n' > "$root/usr/local/bin/colibri-web"
    chmod +x "$root/usr/local/bin/colibri-web"
    service colibri_web start
    said | grep -q 'ends with 255 and no word, for want of locked memory'
    same '' "$(daemon_arguments)"
}

off_by_default() {
    install_stub
    : > "$root/etc/rc.conf"
    service colibri_web start
    said | grep -q "Set colibri_web_enable to YES"
    same '' "$(daemon_arguments)"
}

check 'the settings are on the command line, and nothing of the environment is' settings_reach_the_command_line
check 'the first start makes its user in the group of the daemon, and directories that are its own' first_start_makes_its_user
check "without the daemon's group it does not start" without_the_daemons_group
check 'what su and two shells would take apart, and wrong numbers and paths, are refused' refuses_what_cannot_pass
check 'a program that is not there, or does not run, is refused before anything starts' not_installed
check 'it is off until it is enabled' off_by_default

# --- The real programs.

# A port that nothing listens on at this moment.
free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

install_programs() {
    make_web_root
    for program in colibri colibri-daemon colibri-web; do
        ln "$COLIBRI_BIN_DIR/$program" "$root/usr/local/bin/" 2>/dev/null || cp "$COLIBRI_BIN_DIR/$program" "$root/usr/local/bin/"
    done
    port=$(free_port)
    printf 'colibri_web_listen=127.0.0.1:%s\ncolibri_web_flags=--write\ncolibri_web_restart_delay=1\n' "$port" | rc_conf
}

web_child() {
    cat "$root/var/run/colibri_web/web.pid"
}

life() {
    install_programs
    service colibri_web health
    same '1 colibri_web is not healthy: it does not run' "$service_status $(said)"
    # The daemon may come later.
    start_web
    service colibri_web health
    same '1 colibri_web is not healthy: no daemon answers on /var/run/colibri/colibri.sock; type: service colibri_daemon health' "$service_status $(said)"
    service colibri_daemon start
    same 0 "$service_status"
    eventually healthy
    same "0 colibri_web is healthy: http://127.0.0.1:$port/ answers, and so does the daemon." "$service_status $(said)"
    service colibri_web status
    same "0 colibri_web is running as pid $(web_child)." "$service_status $(said)"
    same 600 "$(stat -c %a "$root/var/db/colibri_web/token")"
    before=$(web_child)
    kill -KILL "$before"
    eventually back_again "$before"
    service colibri_web restart
    same '0 Stopping colibri_web.
Starting colibri_web.' "$service_status $(said)"
    last=$(web_child)
    service colibri_web stop
    same '0 Stopping colibri_web.' "$service_status $(said)"
    gone "$last"
    same '' "$(find "$root/var/run/colibri_web" -type f)"
    service colibri_web stop
    same '1 colibri_web not running? (check /var/run/colibri_web/web.pid).' "$service_status $(said)"
}

healthy() {
    service colibri_web health
    [ "$service_status" -eq 0 ]
}

back_again() {
    [ "$(web_child 2>/dev/null)" != "$1" ] && healthy
}

ends_at_once() {
    install_programs
    perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => $ARGV[0]) or die; open F, ">", $ARGV[1]; close F; sleep 600' \
        "$port" "$root/taken" &
    other=$!
    eventually test -e "$root/taken"
    service colibri_web start
    kill "$other"
    same 1 "$service_status"
    said | grep -q "ERROR: it ended at once: cannot listen on 127.0.0.1:$port: "
    same '' "$(find "$root/var/run/colibri_web" -type f)"
}

wrong_flag() {
    install_programs
    echo colibri_web_flags=--wirte | rc_conf
    service colibri_web start
    same '1 Starting colibri_web.
/usr/local/etc/rc.d/colibri_web: ERROR: it ended at once: unknown option --wirte (see: colibri-web --help)' "$service_status $(said)"
}

for step in \
    'life: it serves with and without the daemon, is started again, and leaves nothing behind' \
    'ends_at_once: a port that is taken is said at once, and nothing is left running' \
    'wrong_flag: a wrong flag is said in the words of the program'; do
    if [ -z "${COLIBRI_BIN_DIR:-}" ]; then
        skip "${step#*: }" 'COLIBRI_BIN_DIR is not set: no programs to run'
    elif ! command -v curl >/dev/null 2>&1; then
        skip "${step#*: }" 'curl is not installed'
    else
        check "${step#*: }" "${step%%:*}"
    fi
done
tap_done
