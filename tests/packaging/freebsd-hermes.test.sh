#!/bin/sh
# The rc script of the Hermes gateway, with a stub for hermes, under stand-ins for rc.subr and daemon(8).
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

# A gateway that says how it was called, and stays.
install_hermes() {
    make_root
    cat > "$root/usr/local/bin/hermes" <<STUB
#!/bin/sh
printf '%s\n' "\$*" "\$HERMES_HOME" "\$HOME" "\$USER" "\${GREETING-}" > "$root/seen"
echo started >> "$root/starts"
exec $(command -v sleep) 600
STUB
    chmod +x "$root/usr/local/bin/hermes"
    mkdir -p "$root/var/db/hermes"
    : > "$root/var/db/hermes/config.yaml"
    echo hermes_daemon_restart_delay=1 | rc_conf
}

start() {
    service hermes_daemon start
    same '0 Starting hermes_daemon.' "$service_status $(said)"
}

no_pidfile_is_left() {
    same '' "$(find "$root/var/run" -type f)"
}

no_configuration() {
    install_hermes
    rm "$root/var/db/hermes/config.yaml"
    service hermes_daemon start
    same '1 /usr/local/etc/rc.d/hermes_daemon: ERROR: /var/db/hermes/config.yaml is not there; write it, then: service hermes_daemon start' "$service_status $(said)"
    same '' "$(calls)"
    [ ! -e "$root/starts" ]
    no_pidfile_is_left
}

life() {
    install_hermes
    service hermes_daemon health
    same '1 hermes_daemon is not healthy: no gateway runs (see /var/log/hermes/daemon.log)' "$service_status $(said)"
    start
    child=$(cat "$root/var/run/hermes/daemon.pid") supervisor=$(cat "$root/var/run/hermes/supervisor.pid")
    service hermes_daemon status
    same "0 hermes_daemon is running as pid $supervisor." "$service_status $(said)"
    service hermes_daemon health
    same "0 hermes_daemon is healthy: the gateway runs as pid $child." "$service_status $(said)"
    service hermes_daemon stop
    same '0 Stopping hermes_daemon.' "$service_status $(said)"
    gone "$child"
    gone "$supervisor"
    no_pidfile_is_left
    same 1 "$(wc -l < "$root/starts" | tr -d ' ')"
    service hermes_daemon stop
    same 1 "$service_status"
}

settings_reach_it() {
    install_hermes
    mkdir -p "$root/srv/hermes"
    : > "$root/srv/hermes/config.yaml"
    rc_conf <<CONF
hermes_daemon_home=$root/srv/hermes
hermes_daemon_user=gate
hermes_daemon_group=gates
hermes_daemon_log=/var/log/gate/x.log
hermes_daemon_restart_delay=9
hermes_daemon_path=/opt/bin:/bin
hermes_daemon_flags="--verbose"
hermes_daemon_env="GREETING='good day'"
CONF
    start
    same "gateway run --verbose
/srv/hermes
/srv/hermes
gate
good day" "$(sed "s,$root,," "$root/seen")"
    same '-f -H -t hermes_daemon -P /var/run/hermes/supervisor.pid -p /var/run/hermes/daemon.pid -o /var/log/gate/x.log -R 9 /usr/bin/env PATH=/opt/bin:/bin /usr/local/bin/hermes gateway run --verbose ' \
        "$(daemon_arguments | tr '\n' ' ')"
    calls | grep -q '^pw useradd -n gate -u 997 -g gates -d /srv/hermes '
    calls | grep -qx 'install -d -o gate -g gates -m 0750 /var/log/gate'
    same '' "$(calls | grep '^install' | grep ' /srv/hermes$')"
}

restarted() {
    [ "$(cat "$root/var/run/hermes/daemon.pid" 2>/dev/null)" != "$1" ] && [ "$(wc -l < "$root/starts" | tr -d ' ')" = 2 ]
}

crash() {
    install_hermes
    start
    child=$(cat "$root/var/run/hermes/daemon.pid")
    kill -KILL "$child"
    eventually restarted "$child"
    service hermes_daemon health
    same 0 "$service_status"
    service hermes_daemon stop
    same 0 "$service_status"
    no_pidfile_is_left
}

ends_at_once() {
    install_hermes
    printf '#!/bin/sh\necho started >> %s/starts\necho "the configuration has no model"\nexit 1\n' "$root" > "$root/usr/local/bin/hermes"
    service hermes_daemon start
    same '1 Starting hermes_daemon.
/usr/local/etc/rc.d/hermes_daemon: ERROR: the gateway ended at once: the configuration has no model' "$service_status $(said)"
    no_pidfile_is_left
    service hermes_daemon health
    same 1 "$service_status"
}

refused() {
    install_hermes
    echo "$1" | rc_conf
    service hermes_daemon start
    same "1 /usr/local/etc/rc.d/hermes_daemon: ERROR: $2" "$service_status $(said)"
    same '' "$(daemon_arguments)"
}

wrong_settings() {
    refused hermes_daemon_binary=/nowhere/hermes '/nowhere/hermes is not installed, or not executable; install it, or set hermes_daemon_binary'
    refused "hermes_daemon_flags='a;b'" 'hermes_daemon_flags="a;b" cannot be used: only letters, digits, blanks and _./:=,+@- may be in it'
    refused "hermes_daemon_home='/a b'" 'hermes_daemon_home="/a b" cannot be used: only letters, digits and _./:=,+@- may be in it'
    refused hermes_daemon_log=log 'hermes_daemon_log="log" cannot be used: use an absolute path'
    refused hermes_daemon_restart_delay=0 'hermes_daemon_restart_delay="0" cannot be used: use whole seconds, 1 to 99999'
}

supervisor_killed() {
    install_hermes
    # A script of some interpreter, as the real one is.
    printf '#!/usr/bin/perl\nsleep 600;\n' > "$root/usr/local/bin/hermes"
    start
    child=$(cat "$root/var/run/hermes/daemon.pid")
    kill -KILL "$(cat "$root/var/run/hermes/supervisor.pid")"
    alone="daemon(8), which supervises it, is gone: nothing starts it again and its log is lost; type: service hermes_daemon restart"
    service hermes_daemon status
    same "0 hermes_daemon is running as pid $child.
hermes_daemon: $alone" "$service_status $(said)"
    service hermes_daemon health
    same "1 hermes_daemon is not healthy: $alone" "$service_status $(said)"
    service hermes_daemon start
    same "1 /usr/local/etc/rc.d/hermes_daemon: ERROR: it runs as pid $child, but $alone" "$service_status $(said)"
    service hermes_daemon restart
    same 0 "$service_status"
    gone "$child"
    service hermes_daemon health
    same 0 "$service_status"
}

check 'a gateway without its supervisor is said by status, health and start, and put right by restart' supervisor_killed
check 'without config.yaml it exits 1 with one line and starts nothing' no_configuration
check 'it starts, is healthy, stops with its child and is not started again' life
check 'every setting is where it should be' settings_reach_it
check 'a gateway that ended is started again, and can be stopped then' crash
check 'a gateway that ends at once is no start, and is not tried again' ends_at_once
check 'what cannot be used is refused, and nothing started' wrong_settings
tap_done
