#!/bin/sh
# The systemd units and what goes with them, read by systemd's own tools; no systemd needs to run.
# shellcheck disable=SC2016,SC2317,SC2329  # functions are called through `check`; text is quoted as it is
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

bin=${COLIBRI_BIN_DIR:-$repository/dist}
linux=$repository/packaging/linux

# A unit under its own name, whose only change is where the program is.
unit() {
    mkdir -p "$scratch/$1"
    unit_name=${2%%.*}.service
    sed -e "s:/usr/sbin/colibri-daemon:$bin/colibri-daemon:" -e "s:/usr/bin/colibri-web:$bin/colibri-web:" "$linux/$2" > "$scratch/$1/$unit_name"
    printf '%s\n' "$scratch/$1/$unit_name"
}

verified() {
    # It may print a complaint and exit 0.
    systemd-analyze verify --man=no "$@" > "$scratch/verified" 2>&1
    grep colibri "$scratch/verified" > "$scratch/complaints" || return 0
    cat "$scratch/complaints"
    return 1
}

service_is_well_formed() {
    verified "$(unit service colibri-daemon.service)"
}

user_service_is_well_formed() {
    XDG_RUNTIME_DIR=$scratch verified --user "$(unit user colibri-daemon.user.service)"
}

web_services_are_well_formed() {
    verified "$(unit web colibri-web.service)"
    XDG_RUNTIME_DIR=$scratch verified --user "$(unit web-user colibri-web.user.service)"
}

drop_in_is_well_formed() {
    loosened=$(unit loosened colibri-daemon.service)
    mkdir -p "$loosened.d"
    cp "$linux/confinement.conf" "$loosened.d/"
    verified "$loosened"
}

# In tenths, as far as a file is exposed by systemd's measure of 0 to 10.
exposure() {
    systemd-analyze security --offline=true --no-pager "$1" |
        sed -n 's/.*Overall exposure level for .*: \([0-9]*\)\.\([0-9]\) .*/\1\2/p' | sed 's/^0*\(.\)/\1/'
}

is_hardened() {
    measured=$(exposure "$(unit hardened colibri-daemon.service)")
    printf 'exposure %s tenths\n' "$measured"
    [ "$measured" -le 25 ]
}

# It runs no agents, so it takes more than the daemon's unit can; the document says how much.
web_is_hardened() {
    measured=$(exposure "$(unit web-hardened colibri-web.service)")
    printf 'exposure %s tenths\n' "$measured"
    same "$(sed -n 's/.*exposure of `colibri-web.service` is \([0-9]\)\.\([0-9]\).*/\1\2/p' "$repository/docs/linux.md" | sed 's/^0*\(.\)/\1/')" "$measured"
    [ "$measured" -lt "$(exposure "$(unit beside colibri-daemon.service)")" ]
}

# Both files as one: not every version looks for drop-ins beside a file.
is_loosened_as_told() {
    mkdir "$scratch/both"
    cat "$linux/colibri-daemon.service" "$linux/confinement.conf" > "$scratch/both/colibri-daemon.service"
    measured=$(exposure "$scratch/both/colibri-daemon.service")
    same "$(sed -n 's/.*takes the exposure from \([0-9]\)\.\([0-9]\) to \([0-9]\)\.\([0-9]\).*/\1\2 \3\4/p' "$repository/docs/linux.md")" \
        "$(exposure "$(unit told colibri-daemon.service)") $measured"
}

setting() {
    sed -n "s/^$1=//p" "$linux/${2:-colibri-daemon.service}"
}

# systemd must not kill before the daemon has ended its agents, nor start while it may not be ready yet.
leaves_the_daemon_its_time() {
    same mixed "$(setting KillMode)"
    same notify "$(setting Type)"
    [ "$(setting TimeoutStopSec)" -gt 15 ]
    [ "$(setting WatchdogSec)" -ge 90 ]
}

# What takes all memory is ended in its stead: the daemon lifts this protection from its agents.
is_the_last_that_is_ended() {
    same -900 "$(setting OOMScoreAdjust)"
    same avoid "$(setting ManagedOOMPreference)"
    same continue "$(setting OOMPolicy)"
}

# node compiles as it runs, a provider is reached by network, and an agent's tools run under what SHELL says.
leaves_agents_what_they_need() {
    same '' "$(setting MemoryDenyWriteExecute)$(setting PrivateNetwork)$(setting IPAddressDeny)$(setting ProtectControlGroups)$(setting PrivateUsers)$(setting ProcSubset)"
    setting RestrictAddressFamilies | grep -q 'AF_INET AF_INET6 AF_NETLINK'
    setting Environment | grep -qx 'SHELL=/bin/bash'
}

# Loopback and the daemon's socket are all that it reaches; the socket is the group's.
web_reaches_the_daemon_alone() {
    same 'localhost any' "$(setting IPAddressAllow colibri-web.service) $(setting IPAddressDeny colibri-web.service)"
    same 'AF_UNIX AF_INET AF_INET6' "$(setting RestrictAddressFamilies colibri-web.service)"
    same "$(setting Group)" "$(setting SupplementaryGroups colibri-web.service)"
    setting Environment | grep -qx "$(setting Environment colibri-web.service | grep COLIBRI_DAEMON_SOCKET)"
    same 0700 "$(setting StateDirectoryMode colibri-web.service)"
    setting ExecStart colibri-web.service | grep -q -- " --token-file /var/lib/$(setting StateDirectory colibri-web.service)/token "
}

# Each line of the sample, and none at all. The token below /dev/null cannot be made: a right command line ends with 1 before it listens,
# and a wrong one with 2.
web_options_are_known() {
    same 4 "$(grep -c '^#COLIBRI_WEB_OPTIONS=' "$linux/web.env")"
    { echo; sed -n 's/^#COLIBRI_WEB_OPTIONS=//p' "$linux/web.env"; } > "$scratch/options"
    while read -r options; do
        for name in colibri-web.service colibri-web.user.service; do
            # shellcheck disable=SC2046,SC2086  # systemd splits it so, too
            set -- $(setting ExecStart "$name" | sed -e 's/^[^ ]*//' -e 's/ $COLIBRI_WEB_OPTIONS//' -e 's:/var/lib/[^ ]*:/dev/null/token:') $options
            case " $* " in *' --token-file '*) ;; *) set -- "$@" --token-file /dev/null/token ;; esac
            case " $* " in *' --write '*) ;; *) set -- "$@" --write ;; esac
            status=0
            "$bin/colibri-web" "$@" > "$scratch/said" 2>&1 || status=$?
            grep -q '/dev/null/' "$scratch/said" || cat "$scratch/said"
            same 1 "$status"
        done
    done < "$scratch/options"
}

settings_are_known() {
    setting Environment > "$scratch/environment"
    grep -v '^#' "$linux/colibri.env" | cat >> "$scratch/environment"
    sed -n 's/^#\(COLIBRI_.*\)/\1/p' "$linux/colibri.env" >> "$scratch/environment"
    # shellcheck disable=SC2046  # one assignment a word
    env -i $(cat "$scratch/environment") "$bin/colibri-daemon" --check-config > "$scratch/effective"
    while read -r line; do
        case $line in
            COLIBRI_*) grep -qF "${line%%=*}=" "$scratch/effective" || { printf '%s is no setting\n' "$line"; return 1; } ;;
        esac
    done < "$scratch/environment"
    grep -qx COLIBRI_DB_PATH=/var/lib/colibri/colibri.sqlite "$scratch/effective"
}

makes_user_and_places() {
    mkdir -p "$scratch/root/etc" "$scratch/root/usr/lib/sysusers.d" "$scratch/root/usr/lib/tmpfiles.d"
    cp "$linux/sysusers.conf" "$scratch/root/usr/lib/sysusers.d/colibri.conf"
    cp "$linux/tmpfiles.conf" "$scratch/root/usr/lib/tmpfiles.d/colibri.conf"
    systemd-sysusers --root="$scratch/root" colibri.conf
    grep -q ':Colibri daemon:/var/lib/colibri:/usr/sbin/nologin$' "$scratch/root/etc/passwd"
    grep -q ':Colibri web glasspane:/var/lib/colibri-web:/usr/sbin/nologin$' "$scratch/root/etc/passwd"
    printf 'root:x:0:0::/root:/bin/sh\n' >> "$scratch/root/etc/passwd"
    printf 'root:x:0:\n' >> "$scratch/root/etc/group"
    systemd-tmpfiles --root="$scratch/root" --create colibri.conf
    user=$(sed -n 's/^colibri:x:\([0-9]*\):\([0-9]*\):.*/\1:\2/p' "$scratch/root/etc/passwd")
    same "600 $user etc/colibri/provider.env
750 $user run/colibri
750 $user var/lib/colibri
750 $user var/lib/colibri/work
750 $user var/log/colibri" \
        "$(cd "$scratch/root" && stat -c '%a %u:%g %n' etc/colibri/provider.env run/colibri var/lib/colibri var/lib/colibri/work var/log/colibri)"
}

analyze() {
    if [ -z "$reason" ]; then check "$@"; else skip "$1" "$reason"; fi
}

reason=''
if ! command -v systemd-analyze >/dev/null; then
    reason='systemd-analyze is not installed'
fi
analyze 'systemd finds nothing wrong with the unit' service_is_well_formed
analyze 'systemd finds nothing wrong with the unit for a user' user_service_is_well_formed
analyze "systemd finds nothing wrong with the web glasspane's units" web_services_are_well_formed
analyze 'systemd finds nothing wrong with the drop-in for confinement' drop_in_is_well_formed
analyze 'its exposure is 2.5 at most' is_hardened
analyze "the web glasspane's exposure is what the document says, and less than the daemon's" web_is_hardened
analyze 'the drop-in costs what the document says' is_loosened_as_told
check 'the daemon has its time to end its agents' leaves_the_daemon_its_time
check 'the daemon is the last that is ended for want of memory' is_the_last_that_is_ended
check 'agents have what they need' leaves_agents_what_they_need
check 'the web glasspane reaches the daemon and this machine alone' web_reaches_the_daemon_alone
check 'the web glasspane takes the options of its units and of the sample' web_options_are_known
check 'its settings and those of the sample are settings of the daemon' settings_are_known
if ! command -v systemd-sysusers >/dev/null || ! command -v systemd-tmpfiles >/dev/null; then
    skip 'sysusers and tmpfiles make the user and its places' 'systemd-sysusers or systemd-tmpfiles is not installed'
elif [ "$(id -u)" -ne 0 ]; then
    skip 'sysusers and tmpfiles make the user and its places' 'only root can give files away'
else
    check 'sysusers and tmpfiles make the user and its places' makes_user_and_places
fi
tap_done
