#!/bin/sh
# FreeBSD's rc scripts, as far as Linux can tell: their text, and what they ask of daemon(8), su(1), pw(8) and the rest for every
# variable, under stand-ins whose limits lib/rc.subr-stand-in.sh states.
# shellcheck disable=SC2016,SC2154,SC2317,SC2329  # functions are called through `check`; the sourced files set `repository`, `scratch`, `root`; text is quoted as it is
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"
# shellcheck source=tests/packaging/lib/freebsd-root.sh
. "$(dirname -- "$0")/lib/freebsd-root.sh"

packaging=$repository/packaging/freebsd
services='colibri_daemon colibri_web hermes_daemon'

at_end() {
    for root in "$scratch"/root.*; do
        if [ -d "$root" ]; then end_root; fi
    done
}

# --- The text.

each_script() {
    for service in $services; do
        "$@" "$packaging/$service.in"
    done
}

# The settings of a service, without its name in front.
settings() {
    sed -n "s/^: \\\${$1_\([a-z_]*\):=.*/\1/p" "$packaging/$1.in"
}

dash_reads() {
    dash -n "$1"
}

find_checkbashisms() {
    checkbashisms=$(command -v checkbashisms) && return 0
    checkbashisms=$repository/.cache/checkbashisms/usr/bin/checkbashisms
    [ -e "$checkbashisms" ] && return 0
    # One perl script of a package that would bring a mail system along.
    mkdir -p "$repository/.cache/checkbashisms" 2>/dev/null &&
        (cd "$repository/.cache/checkbashisms" && apt-get download devscripts && dpkg-deb -x devscripts_*.deb . && rm -f devscripts_*.deb) \
            >/dev/null 2>&1 && [ -e "$checkbashisms" ]
}

no_bashisms() {
    perl "$checkbashisms" "$1"
}

# What is neither the service's, nor the script's own (_name), nor rc.subr's, nor the environment of what is started.
only_own_variables() {
    name=$(basename "$1" .in)
    sed 's/^[[:space:]]*#.*//' "$1" | grep -oE '\$\{?[A-Za-z_][A-Za-z0-9_]*|^[[:space:]]*[A-Za-z_][A-Za-z0-9_]*=' | tr -d '${=[:blank:]' | sort -u |
        grep -vE "^(${name}_[a-z_]+|_[a-z_]*|name|desc|rcvar|command|command_args|procname|pidfile|extra_commands|(start|status|stop|reload|health)_(cmd|precmd|postcmd)|rc_(flags|pid|fast)|PATH|HOME)$" > "$scratch/foreign" || :
    same '' "$(cat "$scratch/foreign")"
}

one_placeholder() {
    same '' "$(grep -oE '%%[A-Z_]+%%' "$1" | sort -u | grep -v '^%%PREFIX%%$')"
    same '' "$(grep -n '/usr/local' "$1")"
}

sample_has_every_setting() {
    for service in $services; do
        for setting in $(settings "$service"); do
            default=$(sed -n "s/^: \\\${${service}_$setting:=\"\(.*\)\"}\$/\1/p" "$packaging/$service.in" |
                sed 's,%%PREFIX%%,/usr/local,g; s,^${colibri_daemon_db%/\*},/var/db/colibri,')
            if [ "${service}_$setting" = colibri_daemon_enable ]; then default=YES; fi
            found=$(sed -n "s/^#*${service}_$setting=\"\([^\"]*\)\".*/\1/p" "$packaging/rc.conf.sample")
            if ! grep -q "^#*${service}_$setting=" "$packaging/rc.conf.sample"; then printf '%s_%s is missing\n' "$service" "$setting"; return 1; fi
            same "${service}_$setting=$default" "${service}_$setting=$found"
        done
    done
}

# Besides, what rc.subr knows of itself.
sample_has_no_other_setting() {
    grep -oE '(colibri_daemon|colibri_web|hermes_daemon)_[a-z_]+' "$packaging/rc.conf.sample" | sort -u > "$scratch/sampled"
    while read -r variable; do
        service=$(printf '%s\n' "$variable" | grep -oE '^(colibri_daemon|colibri_web|hermes_daemon)')
        case ${variable#"$service"_} in limits) continue ;; esac
        settings "$service" | grep -qx "${variable#"$service"_}" || { printf '%s is no setting\n' "$variable"; return 1; }
    done < "$scratch/sampled"
}

manual_has_every_setting() {
    for service in $services; do
        for setting in $(settings "$service"); do
            grep -qE "^\.It Va ${service}_$setting( |\$)" "$repository/docs/man/colibri_daemon.8" || { printf '%s_%s is missing\n' "$service" "$setting"; return 1; }
            grep -qE "^# ${service}_$setting \(" "$packaging/$service.in" || { printf '%s_%s is not in the head of the script\n' "$service" "$setting"; return 1; }
        done
    done
}

manuals_are_well_formed() {
    mandoc -T lint -W warning "$repository"/docs/man/*.[18]
}

port_has_its_files() {
    port=$packaging/sysutils/colibri
    for file in Makefile pkg-descr pkg-plist files/colibri_daemon.in files/colibri_web.in files/hermes_daemon.in files/pkg-message.in; do
        [ -f "$port/$file" ] || { printf '%s is missing\n' "$file"; return 1; }
    done
    same "$(sed -n 's/.*<Version>\(.*\)<\/Version>.*/\1/p' "$repository/Directory.Build.props")" "$(sed -n 's/^DISTVERSION=[[:space:]]*//p' "$port/Makefile")"
    for manual in "$repository"/docs/man/*.[18]; do
        grep -q "/${manual##*/}\.gz\$" "$port/pkg-plist" || { printf '%s is not in pkg-plist\n' "$manual"; return 1; }
    done
}

# What the Makefile installs and pkg-plist lists are the same programs, and all that build.sh makes.
port_has_every_program() {
    port=$packaging/sysutils/colibri
    programs=$(sed -n "s/^for program in \(.*\); do\$/\1/p" "$repository/scripts/build.sh" | head -n 1 | tr ' ' '\n' | LC_ALL=C sort)
    same "$programs" "$(sed -n 's,^[[:blank:]]*${INSTALL_PROGRAM} ${WRKDIR}/bin/\([a-z-]*\) .*,\1,p' "$port/Makefile" | LC_ALL=C sort)"
    same "$programs" "$(sed -n 's,^bin/,,p' "$port/pkg-plist" | LC_ALL=C sort)"
}

newsyslog_entry_fits() {
    same '/var/log/colibri/daemon.log colibri:colibri 640 7 1000 * JC /var/run/colibri/supervisor.pid' \
        "$(grep -v '^#' "$packaging/newsyslog-colibri.conf" | tr -s '\t' ' ')"
}

if command -v shellcheck >/dev/null 2>&1; then
    check 'the rc scripts pass shellcheck' each_script shellcheck
else
    skip 'the rc scripts pass shellcheck' 'shellcheck is not installed'
fi
if find_checkbashisms; then
    check 'the rc scripts hold no bashism' each_script no_bashisms
else
    skip 'the rc scripts hold no bashism' 'checkbashisms is not installed and cannot be had'
fi
if command -v dash >/dev/null 2>&1; then
    check 'dash can read the rc scripts' each_script dash_reads
else
    skip 'dash can read the rc scripts' 'dash is not installed'
fi
check 'the rc scripts know no variable outside their own name' each_script only_own_variables
check 'PREFIX is the only placeholder, and nothing is bound to one prefix' each_script one_placeholder
check 'rc.conf.sample shows every setting with its default' sample_has_every_setting
check 'rc.conf.sample shows nothing that is no setting' sample_has_no_other_setting
check 'every setting is in colibri_daemon(8) and at the head of its script' manual_has_every_setting
if command -v mandoc >/dev/null 2>&1; then
    check 'the manual pages are well-formed' manuals_are_well_formed
else
    skip 'the manual pages are well-formed' 'mandoc is not installed'
fi
check 'the port is whole, and of this version' port_has_its_files
check 'the port installs every program' port_has_every_program
check 'the log is rotated by a signal to its supervisor' newsyslog_entry_fits

# --- What is asked of the system.

# What is in rc.conf besides the defaults is on standard input.
started() {
    make_root
    install_stubs
    rc_conf
    service colibri_daemon start
    same '0 Starting colibri_daemon.' "$service_status $(said)"
}

# A line of rc.conf, and what is said of it.
refused() {
    if [ -z "${root:-}" ]; then
        make_root
        install_stubs
    fi
    printf 'colibri_daemon_enable=YES\n%s\n' "$1" | below_root > "$root/etc/rc.conf"
    service colibri_daemon start
    same "1 /usr/local/etc/rc.d/colibri_daemon: ERROR: $2" "$service_status $(said)"
    same '' "$(daemon_arguments)"
}

seen() {
    cat "$root/seen/$1"
}

service_path=/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin

# log, delay, path, flags
expected_arguments() {
    printf '%s\n' -f -H -t colibri_daemon -P /var/run/colibri/supervisor.pid -p /var/run/colibri/daemon.pid -o "$1" -R "$2" /usr/bin/env "PATH=$3" \
        /usr/local/bin/colibri-daemon
    if [ -n "$4" ]; then printf '%s\n' "$4" | tr ' ' '\n'; fi
}

defaults() {
    started </dev/null
    same "$(expected_arguments /var/log/colibri/daemon.log 5 "$service_path" '')" "$(daemon_arguments)"
    same "$root/var/run/colibri/colibri.sock" "$(seen COLIBRI_DAEMON_SOCKET)"
    same "$root/var/db/colibri/colibri.sqlite" "$(seen COLIBRI_DB_PATH)"
    same "$root/var/db/colibri/sessions" "$(seen COLIBRI_SESSIONS_DIR)"
    same 'smart 4 30s' "$(seen COLIBRI_COST_MODE) $(seen COLIBRI_MAX_AGENTS) $(seen COLIBRI_SCHEDULER_INTERVAL)"
    same "$root/var/db/colibri colibri $root/bin/sh" "$(seen HOME) $(seen USER) $(seen SHELL)"
    same 'limits -C daemon
su -m colibri -c sh -c "/usr/sbin/daemon  -f -H -t colibri_daemon' "$(calls | grep -E '^(limits|su)' | tail -n 2 | sed 's/ -P .*//')"
}

command_line_settings() {
    started <<'CONF'
colibri_daemon_log=/var/log/elsewhere/x.log
colibri_daemon_restart_delay=17
colibri_daemon_path=/opt/bin:/bin
colibri_daemon_flags="--one  two=2"
colibri_daemon_limits="-l 64"
colibri_daemon_login_class=agents
CONF
    same "$(expected_arguments /var/log/elsewhere/x.log 17 /opt/bin:/bin '--one two=2')" "$(daemon_arguments)"
    same 'limits -C agents -l 64' "$(calls | grep '^limits' | sort -u)"
}

# Its children do not inherit it. Whose pid it is, is seen with the real program, in freebsd-service.test.sh.
protected() {
    started </dev/null
    same 'protect -p' "$(calls | grep '^protect' | cut -d ' ' -f 1,2)"
    started <<'CONF'
colibri_daemon_oomprotect=NO
CONF
    same '' "$(calls | grep '^protect')"
}

# Whatever is in a value must come out as it is, through su's shell and another one.
odd_values() {
    for value in "'two words'" "'it'\\''s'" "'\"quoted\"'" "'\$HOME \`id\` \$(id) \\\\'" "'a
b'" "'*'" "'; exit 7'"; do
        started <<CONF
colibri_daemon_cost_mode=$value
colibri_daemon_max_agents=$value
colibri_daemon_scheduler_interval=$value
colibri_daemon_agent_binary=$value
colibri_daemon_agent_args=$value
CONF
        eval "expected=$value"
        for name in COST_MODE MAX_AGENTS SCHEDULER_INTERVAL AGENT_BINARY AGENT_ARGS; do
            same "COLIBRI_$name=$expected." "COLIBRI_$name=$(seen "COLIBRI_$name")."
        done
        same "$(expected_arguments /var/log/colibri/daemon.log 5 "$service_path" '')" "$(daemon_arguments)"
    done
}

odd_paths() {
    started <<'CONF'
colibri_daemon_socket="/var/run/colibri/with blank/it's.sock"
colibri_daemon_db='/var/db/colibri/$x/"b".sqlite'
CONF
    same "$root/var/run/colibri/with blank/it's.sock" "$(seen COLIBRI_DAEMON_SOCKET)"
    same "$root"'/var/db/colibri/$x/"b".sqlite' "$(seen COLIBRI_DB_PATH)"
    same "$root"'/var/db/colibri/$x/sessions' "$(seen COLIBRI_SESSIONS_DIR)"
}

empty_is_default() {
    started <<'CONF'
colibri_daemon_socket=
colibri_daemon_db=
colibri_daemon_sessions=
colibri_daemon_cost_mode=
colibri_daemon_max_agents=
colibri_daemon_scheduler_interval=
colibri_daemon_log=
colibri_daemon_path=
colibri_daemon_restart_delay=
colibri_daemon_user=
colibri_daemon_group=
colibri_daemon_svcj=
colibri_daemon_provider_env=
colibri_daemon_env=
CONF
    same "$(expected_arguments /var/log/colibri/daemon.log 5 "$service_path" '')" "$(daemon_arguments)"
    same smart "$(seen COLIBRI_COST_MODE)"
}

refuses_what_cannot_pass() {
    plain='only letters, digits and _./:=,+@- may be in it'
    for setting in user group log path; do
        for value in "a'b" 'a$b' 'a;b' 'a"b' 'a\b' 'a*b'; do
            refused "colibri_daemon_$setting='$(printf %s "$value" | sed "s/'/'\\\\''/g")'" "colibri_daemon_$setting=\"$value\" cannot be used: $plain"
        done
    done
    refused 'colibri_daemon_log="/var/log/a b"' "colibri_daemon_log=\"/var/log/a b\" cannot be used: $plain"
    refused "colibri_daemon_flags='a;b c'" 'colibri_daemon_flags="a;b c" cannot be used: only letters, digits, blanks and _./:=,+@- may be in it'
}

refuses_wrong_numbers_and_paths() {
    for setting in restart_delay start_timeout stop_timeout; do
        for value in 0 08 -1 1.5 '5 -u root' 1000000; do
            refused "colibri_daemon_$setting='$value'" "colibri_daemon_$setting=\"$value\" cannot be used: use whole seconds, 1 to 99999"
        done
    done
    for setting in socket db sessions log provider_env; do
        refused "colibri_daemon_$setting=there/x" "colibri_daemon_$setting=\"there/x\" cannot be used: use an absolute path"
    done
}

environment_words() {
    started <<'CONF'
colibri_daemon_env="COLIBRI_STALL_AFTER='2 h' COLIBRI_COST_MODE=max PATH=/opt/agents/bin:/bin"
CONF
    same '2 h max' "$(seen COLIBRI_STALL_AFTER) $(seen COLIBRI_COST_MODE)"
    same "$(expected_arguments /var/log/colibri/daemon.log 5 /opt/agents/bin:/bin '')" "$(daemon_arguments)"
    same '' "$(grep STALL_AFTER "$root/calls")"
}

unclosed_environment() {
    refused "colibri_daemon_env=\"A='b\"" \
        "colibri_daemon_env cannot be used: write it as in sh(1), NAME=VALUE NAME='a value with blanks'"
}

# What rc.subr(8) and a login shell were seen to export on FreeBSD 15.1. A value of the operator's may be the same as theirs.
clean_environment() {
    typed='RC_PID=4711 DEBUG_DO= DEBUG_SKIP= DEBUGGING= _TTY=/dev/pts/0 MM_CHARSET=UTF-8 BLOCKSIZE=K LANG=C.UTF-8 COLIBRI_MAX_AGENTS=9 COLIBRI_STALL_KILL=on HOME=/root EDITOR=vi'
    started <<'CONF'
colibri_daemon_env="LANG=C.UTF-8 GREETING='good day'"
CONF
    typed=
    # _ and PWD are the shell's through which daemon(8) starts it.
    same 'COLIBRI_AGENT_ARGS COLIBRI_AGENT_BINARY COLIBRI_COST_MODE COLIBRI_DAEMON_SOCKET COLIBRI_DB_PATH COLIBRI_MAX_AGENTS COLIBRI_SCHEDULER_INTERVAL COLIBRI_SESSIONS_DIR GREETING HOME LANG LOGNAME PATH SHELL USER' \
        "$(tr '\n\0' '_\n' < "$root/seen/environment" | sed 's/=.*//' | grep -vxE '_|PWD|SHLVL' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
    same "4 $root/var/db/colibri" "$(seen COLIBRI_MAX_AGENTS) $(seen HOME)"
}

check 'nothing reaches the daemon but what the operator has set' clean_environment
check 'the defaults give the command line and the environment they should' defaults
check 'log, delay, path, flags, limits and login class are on the command line' command_line_settings
check 'cost_mode, max_agents, scheduler_interval, agent_binary and agent_args pass whole, whatever is in them' odd_values
check 'the daemon is protected from the OOM killer, unless that is off' protected
check 'socket and database may have blanks and quotes in their names' odd_paths
check 'an empty setting is its default' empty_is_default
check 'what su and two shells would take apart is refused' refuses_what_cannot_pass
check 'numbers and paths that cannot be used are refused' refuses_wrong_numbers_and_paths
check 'env reaches the daemon and no command line; a PATH in it is for the daemon alone' environment_words
check 'an env that no shell can read is refused' unclosed_environment

# --- Users, directories, modules.

first_start_makes_everything() {
    started </dev/null
    same 'pw groupadd -n colibri -g 998
pw useradd -n colibri -u 997 -g colibri -d /var/db/colibri -s /usr/sbin/nologin -c Colibri agent supervisor -w no' "$(calls | grep '^pw')"
    for directory in /var/run/colibri /var/db/colibri /var/log/colibri; do
        calls | grep -qx "install -d -o colibri -g colibri -m 0750 $directory" || { printf '%s\n' "$directory"; return 1; }
        same 750 "$(stat -c %a "$root$directory")"
    done
    calls | grep -qx 'install -o colibri -g colibri -m 0640 /dev/null /var/log/colibri/daemon.log'
    same 640 "$(stat -c %a "$root/var/log/colibri/daemon.log")"
    service colibri_daemon stop
    : > "$root/calls"
    service colibri_daemon start
    same '0 ' "$service_status $(calls | grep '^pw')"
}

other_user() {
    started <<'CONF'
colibri_daemon_user=supervisor
colibri_daemon_group=agents
CONF
    calls | grep -q '^pw useradd -n supervisor -u 997 -g agents '
    calls | grep -qx 'install -d -o supervisor -g agents -m 0750 /var/run/colibri'
    calls | grep -q '^su -m supervisor -c sh -c'
}

other_directories_are_left_alone() {
    make_root
    install_stubs
    mkdir -p "$root/data/mine"
    chmod 0700 "$root/data/mine"
    printf 'colibri_daemon_db=%s/data/mine/c.sqlite\ncolibri_daemon_socket=%s/var/run/colibri.sock\ncolibri_daemon_sessions=%s/data/new\n' "$root" "$root" "$root" | rc_conf
    service colibri_daemon start
    same 0 "$service_status"
    same 700 "$(stat -c %a "$root/data/mine")"
    same '' "$(calls | grep '^install' | grep -E ' (/var/run|/data/mine)$')"
    calls | grep -qx 'install -d -o colibri -g colibri -m 0750 /data/new'
}

rotation_is_taken_up() {
    make_root
    install_stubs
    echo entry > "$root/usr/local/etc/newsyslog.conf.d/colibri.conf.sample"
    service colibri_daemon start
    same entry "$(cat "$root/usr/local/etc/newsyslog.conf.d/colibri.conf")"
}

binary_of() {
    cp "$root/usr/local/bin/colibri-daemon" "$root/stub"
    printf '\177ELF\002\001\001%b' "$1" > "$root/usr/local/bin/colibri-daemon"
    printf '%s' "${2:-}" >> "$root/usr/local/bin/colibri-daemon"
}

# It cannot run here: the start ends where it is tried, after what is looked at.
modules_for() {
    make_root
    install_stubs
    binary_of "$@"
    service colibri_daemon start
    calls | grep '^kldload' || :
}

linux_binaries_load_the_module() {
    same 'kldload linux64' "$(modules_for '\000')"
    same 'kldload linux64' "$(modules_for '\003')"
    same '' "$(modules_for '\011')"
    make_root
    install_stubs
    binary_of '\000' "$root/libexec/ld-elf.so.1"
    service colibri_daemon start
    same '' "$(calls | grep '^kldload')"
}

linux_binaries_see_the_processes() {
    make_root
    install_stubs
    binary_of '\003'
    service colibri_daemon start
    same 'mount -t linprocfs linprocfs /compat/linux/proc' "$(calls | grep '^mount')"
    service colibri_daemon start
    same 1 "$(calls | grep -c '^mount')"
    make_root
    install_stubs
    binary_of '\003'
    : > "$root/no-linprocfs"
    service colibri_daemon start
    said | grep -q 'WARNING: linprocfs cannot be mounted on /compat/linux/proc: agents that outlive the daemon are not ended, their tasks wait'
    make_root
    install_stubs
    binary_of '\011'
    service colibri_daemon start
    same '' "$(calls | grep '^mount')"
}

module_that_cannot_be_had() {
    make_root
    install_stubs
    binary_of '\003'
    : > "$root/no-modules"
    service colibri_daemon start
    same '1 /usr/local/etc/rc.d/colibri_daemon: ERROR: /usr/local/bin/colibri-daemon is a Linux binary and linux64 cannot be loaded; try: kldload linux64' "$service_status $(said)"
    : > "$root/jailed"
    service colibri_daemon start
    said | grep -q "this jail's host lacks linux64; on the host: sysrc linux_enable=YES"
}

not_installed() {
    make_root
    service colibri_daemon start
    same '1 /usr/local/etc/rc.d/colibri_daemon: ERROR: /usr/local/bin/colibri-daemon is not installed, or not executable' "$service_status $(said)"
    same '' "$(calls)"
}

check 'the first start makes user, group and directories, the second finds them' first_start_makes_everything
check 'another user and group are made and used' other_user
check 'a directory of the operator is made if missing, and else left alone' other_directories_are_left_alone
check 'a staged sample of the rotation is taken up once the user is there' rotation_is_taken_up
check 'linux64 is loaded for a Linux binary and for no other' linux_binaries_load_the_module
check 'for a Linux binary linprocfs is mounted where it is not, and else nothing' linux_binaries_see_the_processes
check 'a Linux binary without linux64 is refused with what to type' module_that_cannot_be_had
check 'without its program nothing is made or started' not_installed

# --- Keys.

# What is in the file, and a line of rc.conf.
keys_file() {
    make_root
    install_stubs
    keys=$root/usr/local/etc/colibri/provider.env
    printf '%b' "$1" | sed "s,ROOT,$root,g" > "$keys"
    chmod 0600 "$keys"
    printf '%s\n' "${2:-}" | rc_conf
    service colibri_daemon start
}

keys_refused() {
    same "1 /usr/local/etc/rc.d/colibri_daemon: ERROR: /usr/local/etc/colibri/provider.env$1" "$service_status $(said)"
    same '' "$(daemon_arguments)"
}

readable_keys() {
    for mode in 0644 0640 0604 0400 0666; do
        keys_file OPENAI_API_KEY=canary-key
        service colibri_daemon stop
        : > "$root/calls"
        chmod "$mode" "$keys"
        service colibri_daemon start
        keys_refused ' holds keys and its mode is not 0600; type: chmod 0600 /usr/local/etc/colibri/provider.env'
    done
}

own_keys() {
    keys_file OPENAI_API_KEY=canary-key "colibri_daemon_user=$(id -un)"
    same "0 $keys" "$service_status $(seen COLIBRI_PROVIDER_ENV)"
    [ ! -e "$root/seen/OPENAI_API_KEY" ]
}

linked_keys() {
    make_root
    install_stubs
    ln -s "$root/elsewhere" "$root/usr/local/etc/colibri/provider.env"
    service colibri_daemon start
    keys_refused ' is no plain file; put the keys in one'
}

missing_keys() {
    refused colibri_daemon_provider_env=/nowhere/keys 'colibri_daemon_provider_env="/nowhere/keys" is not there; make it, or unset the variable'
}

# find(1) must know the service's user: nobody is everywhere.
roots_keys() {
    keys_file '\n# a comment\n  export OPENAI_API_KEY="canary $(touch ROOT/ran) `id` \047key\047"  \r\nOTHER_KEY=canary-two # why\nEMPTY_KEY=' colibri_daemon_user=nobody
    same '0 Starting colibri_daemon.' "$service_status $(said)"
    same "canary \$(touch $root/ran) \`id\` 'key'" "$(seen OPENAI_API_KEY)"
    same 'canary-two ' "$(seen OTHER_KEY) $(seen EMPTY_KEY)"
    [ ! -e "$root/ran" ]
    [ ! -e "$root/seen/COLIBRI_PROVIDER_ENV" ]
    # Neither on a command line nor said.
    same '' "$(grep canary "$root/calls" "$root/said")"
}

roots_keys_rule_nothing() {
    for name in LD_PRELOAD PATH IFS ENV HOME SHELL; do
        keys_file "OPENAI_API_KEY=canary-key\n$name=canary-path\n" colibri_daemon_user=nobody
        keys_refused ": line 2: $name is no key; set it in colibri_daemon_env"
    done
}

roots_keys_malformed() {
    for line in 'canary' '= canary' 'A B=canary' 'A-B=canary' '1A=canary' '$(id)=canary' 'OPENAI_API_KEY = canary'; do
        keys_file "# keys\n$line\n" colibri_daemon_user=nobody
        keys_refused ': line 2 is no NAME=VALUE'
    done
    keys_file 'OPENAI_API_KEY="canary\n' colibri_daemon_user=nobody
    keys_refused ': line 1 has a quote that is not closed'
}

strangers_keys() {
    make_root
    install_stubs
    keys=$root/usr/local/etc/colibri/provider.env
    echo OPENAI_API_KEY=canary-key > "$keys"
    chmod 0600 "$keys"
    chown nobody "$keys"
    echo colibri_daemon_user=daemon | rc_conf
    service colibri_daemon start
    keys_refused ' belongs to neither root nor daemon; type: chown root /usr/local/etc/colibri/provider.env'
}

check 'keys that others may read are refused with what to type' readable_keys
check "keys of the service's user are read by the daemon itself" own_keys
check 'a link to keys is refused' linked_keys
check 'a file of keys that was asked for must be there' missing_keys
if [ "$(id -u)" -eq 0 ]; then
    check "root's keys are taken as they stand, run nothing and show nowhere" roots_keys
    check "root's keys cannot set what root's commands obey" roots_keys_rule_nothing
    check "what is no NAME=VALUE is refused by its line's number" roots_keys_malformed
    check "a stranger's keys are refused" strangers_keys
else
    skip "root's keys are taken as they stand, run nothing and show nowhere" 'only root can own files of others'
    skip "root's keys cannot set what root's commands obey" 'only root can own files of others'
    skip "what is no NAME=VALUE is refused by its line's number" 'only root can own files of others'
    skip "a stranger's keys are refused" 'only root can own files of others'
fi
tap_done
