# shellcheck shell=sh disable=SC1091,SC2034,SC2086,SC2154
# What the tests put in the place of FreeBSD's /etc/rc.subr. It keeps to what rc.subr(8) promises to scripts, as far as ours use it:
#
#   load_rc_config, checkyesno, check_pidfile, check_jail, load_kld, err, warn
#   run_rc_command: start, stop, restart, status, reload, rcvar and extra_commands; the prefixes fast, force, one and quiet;
#     NAME_cmd, NAME_precmd, NAME_postcmd; ${name}_env, _flags, _user, _limits, _login_class, _nice, _chdir and _oomprotect
#   the command line of start, put together and evaluated as FreeBSD 15's is: limits, su -m, sh -c, env, command, flags, arguments
#
# Its limits. It is no rc.subr: nothing here shows that ours parses under FreeBSD's sh, that a variable of rc.subr's own does not stand
# in the way, or that service jails, cpuset, fib, chroot, required_* and rc.conf.d work. The programs that it calls (su,
# limits, pw, daemon ...) are stand-ins, too, which write down what they are asked and do little or nothing. What only FreeBSD can show
# is shown on FreeBSD.
#
# The tests rewrite the absolute paths in it as they do in the scripts: `/etc/rc.conf` is that of their own root.

checkyesno() {
    eval "_value=\${$1}"
    case $_value in
        [Yy][Ee][Ss] | [Tt][Rr][Uu][Ee] | [Oo][Nn] | 1) return 0 ;;
        [Nn][Oo] | [Ff][Aa][Ll][Ss][Ee] | [Oo][Ff][Ff] | 0) return 1 ;;
        *) warn "\$$1 is not set properly - see rc.conf(5)."; return 1 ;;
    esac
}

err() {
    _exit=$1
    shift
    printf '%s: ERROR: %s\n' "$0" "$*" >&2
    exit "$_exit"
}

warn() {
    printf '%s: WARNING: %s\n' "$0" "$*" >&2
}

load_rc_config() {
    . /etc/rc.conf
}

check_jail() {
    [ "$(/sbin/sysctl -n "security.jail.$1" 2>/dev/null)" = 1 ]
}

load_kld() {
    if [ "$1" = -e ]; then shift 2; fi
    /sbin/kldstat -q -m "$1" || /sbin/kldload "$1"
}

# Prints the pid in the file if its process is called so.
check_pidfile() {
    [ -f "$1" ] || return 0
    _pid=
    read -r _pid _junk < "$1"
    [ -n "$_pid" ] || return 0
    /bin/ps -ww -o command= -p "$_pid" 2>/dev/null | while read -r _arg0 _arguments; do
        _base=${2##*/}
        case $_arg0 in
            "$2" | "$_base" | "$_base:" | "($_base)" | "[$_base]") printf '%s' "$_pid" ;;
        esac
    done
}

_run_precmd() {
    if [ -n "$_precmd" ] && ! eval "$_precmd" && [ -z "$rc_force" ]; then
        return 1
    fi
}

_run_postcmd() {
    if [ -n "$_postcmd" ]; then
        eval "$_postcmd"
        _return=$?
    fi
}

_run() {
    eval "$1"
    _return=$?
    [ "$_return" -eq 0 ] || [ -n "$rc_force" ]
}

run_rc_command() {
    _return=0
    rc_arg=$1
    _prefix=
    case $rc_arg in
        fast*) rc_arg=${rc_arg#fast} rc_fast=yes rc_quiet=yes ;;
        force*) rc_arg=${rc_arg#force} _prefix=force rc_force=yes; eval "$rcvar=YES" ;;
        one*) rc_arg=${rc_arg#one} _prefix=one; eval "$rcvar=YES" ;;
        quiet*) rc_arg=${rc_arg#quiet} _prefix=quiet rc_quiet=yes ;;
    esac
    case " start stop restart rcvar status $extra_commands " in
        *" $rc_arg "*) ;;
        *) printf 'Usage: %s [fast|force|one|quiet](...)\n' "$0" >&2; exit 1 ;;
    esac
    eval "rc_flags=\$${name}_flags _env=\$${name}_env _user=\$${name}_user _limits=\$${name}_limits _nice=\$${name}_nice _chdir=\$${name}_chdir _oomprotect=\$${name}_oomprotect"
    eval "_login_class=\${${name}_login_class:-daemon}"
    if [ "$_user" = "$(/usr/bin/id -un)" ]; then
        unset _user
    fi
    rc_pid=$(check_pidfile "$pidfile" "${procname:-$command}")

    case $rc_arg in
        rcvar)
            printf '# %s : %s\n#\n' "$name" "$desc"
            eval "printf '%s=\"%s\"\n' \"\$rcvar\" \"\$$rcvar\""
            return 0
            ;;
        status) ;;
        stop) if [ -z "$rc_pid" ] && ! checkyesno "$rcvar"; then _not_enabled; return 0; fi ;;
        *) if ! checkyesno "$rcvar"; then _not_enabled; return 0; fi ;;
    esac
    if [ "$rc_arg" = start ] && [ -z "$rc_fast" ] && [ -n "$rc_pid" ]; then
        printf '%s already running?  (pid=%s).\n' "$name" "$rc_pid" >&2
        return 1
    fi
    eval "_cmd=\$${rc_arg}_cmd _precmd=\$${rc_arg}_precmd _postcmd=\$${rc_arg}_postcmd"
    if [ -n "$_cmd" ]; then
        if [ -n "$_env" ]; then
            eval "export -- $_env"
        fi
        _run_precmd || return 1
        _run "$_cmd" || return 1
        _run_postcmd
        return "$_return"
    fi
    case $rc_arg in
        status)
            if [ -z "$rc_pid" ]; then
                printf '%s is not running.\n' "$name"
                return 1
            fi
            printf '%s is running as pid %s.\n' "$name" "$rc_pid"
            ;;
        start)
            if ! _run_precmd; then
                warn "failed precmd routine for $name"
                return 1
            fi
            printf 'Starting %s.\n' "$name"
            _doit="${_env:+env $_env }$command $rc_flags $command_args"
            if [ -n "$_user" ]; then
                _doit="su -m $_user -c 'sh -c \"$_doit\"'"
            fi
            if [ -n "$_nice" ]; then
                _doit="nice -n $_nice $_doit"
            fi
            if ! _run "${_chdir:+cd $_chdir && }limits -C $_login_class $_limits $_doit"; then
                warn "failed to start $name"
                return 1
            fi
            _run_postcmd
            # After the start alone, by the pid in the file, and not in a jail.
            if [ -n "$_oomprotect" ] && [ -f /usr/bin/protect ] && ! check_jail jailed; then
                rc_pid=$(check_pidfile "$pidfile" "${procname:-$command}")
                case $_oomprotect in
                    [Aa][Ll][Ll]) /usr/bin/protect -d -i -p "$rc_pid" ;;
                    [Yy][Ee][Ss]) /usr/bin/protect -p "$rc_pid" ;;
                esac
            fi
            ;;
        restart)
            (run_rc_command "${_prefix}stop")
            (run_rc_command "${_prefix}start")
            _return=$?
            ;;
    esac
    return "$_return"
}

_not_enabled() {
    if [ -z "$rc_quiet" ]; then
        printf "Cannot '%s' %s. Set %s to YES in /etc/rc.conf or use 'one%s' instead of '%s'.\n" "$rc_arg" "$name" "$rcvar" "$rc_arg" "$rc_arg"
    fi
}
