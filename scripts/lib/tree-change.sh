# shellcheck shell=sh
# shellcheck disable=SC2034  # what is set in capitals is read by the script that sources this
# Changes a directory tree all or nothing: an error or a signal takes back what was done, and after kill -9 the next call does. Source it, then:
#
#   change_recover ROOT SCRATCH
#                         takes back, or finishes, what a change of ROOT that was killed left behind; returns 1,
#                         with CHANGE_ERROR set, while one is under way
#   change_apply ROOT PLAN TREE SCRATCH
#                         carries the plan out; returns 1, with CHANGE_ERROR set and ROOT as it was, when a step fails;
#                         sets CHANGE_NOTE when all was done and something old could not be removed
#
# A plan has one step a line, paths relative to ROOT and without blanks, OWNER as UID:GID or `-` to leave it:
#
#   account USER                           user and group made by pw(8); the step after which `@USER` can stand for an owner
#   dir PATH MODE OWNER                    made
#   attr PATH MODE OWNER OLDMODE OLDOWNER  changed
#   put PATH MODE OWNER new|old            from TREE/PATH; `old`: in place of what is there
#   drop PATH                              removed
#   dropaccount USER                       removed by pw(8)
#   dropdir PATH                           removed at the end, if it is empty then; else it is named in CHANGE_KEPT
#
# How: every new file is first written whole beside its place (.NAME.colibri-new), then renamed there; what stood there keeps a second name
# (.NAME.colibri-old) until the end. ROOT/.colibri-staging holds the plan before the first step and makes a second change wait its turn;
# that it is renamed to .colibri-staging.done is the instant at which the change has happened. rc, newsyslog and man read no dot-files.

CHANGE_ACCOUNT_FILES='etc/master.passwd etc/passwd etc/pwd.db etc/spwd.db etc/group'

change_new() { printf '%s\n' "$change_root/${1%"${1##*/}"}.${1##*/}.colibri-new"; }
change_old() { printf '%s\n' "$change_root/${1%"${1##*/}"}.${1##*/}.colibri-old"; }

# When a process began, beside its pid the only thing that tells it from a later one. Empty when it is gone.
change_started_at() {
    if [ -r "/proc/$1/stat" ]; then
        # Field 22, counted behind the command's name, which may hold blanks.
        sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
    else
        ps -o lstart= -p "$1" 2>/dev/null | tr -s ' ' '_'
    fi
}

change_same_file() {
    change_first=$(ls -di "$1") && change_second=$(ls -di "$2") &&
        [ "$(printf '%s\n' "$change_first" | awk '{ print $1 }')" = "$(printf '%s\n' "$change_second" | awk '{ print $1 }')" ]
}

# Puts back what the second name stands for; a link that was made and never used only goes.
change_put_back() {
    change_saved=$(change_old "$1")
    [ -e "$change_saved" ] || return 0
    if [ -e "$change_root/$1" ] && change_same_file "$change_saved" "$change_root/$1"; then
        rm -f "$change_saved"
    else
        mv -f "$change_saved" "$change_root/$1"
    fi
}

# Every step is safe to take back whether it was taken, half taken, or not.
change_back() {
    change_result=0
    change_made=$(sed -n 's/^dir \([^ ]*\) .*/\1/p' "$change_root/.colibri-staging" | sort -r)
    while read -r change_step change_path change_a change_b change_c change_d; do
        case $change_step in
            put)
                rm -f "$(change_new "$change_path")" || change_result=1
                if [ "$change_c" = old ]; then
                    change_put_back "$change_path" || change_result=1
                else
                    rm -f "$change_root/$change_path" || change_result=1
                fi
                ;;
            drop) change_put_back "$change_path" || change_result=1 ;;
            attr)
                chmod "$change_c" "$change_root/$change_path" || change_result=1
                [ "$change_d" = - ] || chown "$change_d" "$change_root/$change_path" || change_result=1
                ;;
            account | dropaccount)
                for change_file in $CHANGE_ACCOUNT_FILES; do
                    rm -f "$(change_new "$change_file")" || change_result=1
                    change_put_back "$change_file" || change_result=1
                done
                ;;
        esac
    done <"$change_root/.colibri-staging"
    # The deepest first.
    for change_path in $change_made; do
        [ ! -d "$change_root/$change_path" ] || rmdir "$change_root/$change_path" || change_result=1
    done
    if [ "$change_result" -eq 0 ]; then
        rm -f "$change_root/.colibri-staging"
    fi
    return "$change_result"
}

# What is left to do once the change has happened. What cannot be done now the next call does.
change_finish() {
    change_result=0
    while read -r change_step change_path change_a change_b change_c change_d; do
        case $change_step in
            put | drop) rm -f "$(change_old "$change_path")" || change_result=1 ;;
            account | dropaccount)
                for change_file in $CHANGE_ACCOUNT_FILES; do rm -f "$(change_old "$change_file")" || change_result=1; done
                ;;
        esac
    done <"$change_root/.colibri-staging.done"
    CHANGE_KEPT=''
    change_dropped=$(sed -n 's/^dropdir //p' "$change_root/.colibri-staging.done" | sort -r)
    for change_path in $change_dropped; do
        [ -d "$change_root/$change_path" ] || continue
        rmdir "$change_root/$change_path" 2>/dev/null || CHANGE_KEPT="$CHANGE_KEPT /$change_path"
    done
    if [ "$change_result" -eq 0 ]; then rm -f "$change_root/.colibri-staging.done" || change_result=1; fi
    return "$change_result"
}

change_recover() {
    change_root=${1%/}
    change_scratch=$2
    if [ -f "$change_root/.colibri-staging" ]; then
        change_pid=$(sed -n '1s/^by \([0-9]*\) .*/\1/p' "$change_root/.colibri-staging")
        change_start=$(sed -n '1s/^by [0-9]* //p' "$change_root/.colibri-staging")
        if [ -n "$change_start" ] && [ "$(change_started_at "$change_pid")" = "$change_start" ]; then
            CHANGE_ERROR="process $change_pid is changing ${change_root:-/} (wait for it, then try again)"
            return 1
        fi
        if ! change_back 2>"$change_scratch/error"; then
            CHANGE_ERROR="a change of ${change_root:-/} that was killed cannot be taken back: $(change_reason)"
            return 1
        fi
    fi
    if [ -f "$change_root/.colibri-staging.done" ] && ! change_finish 2>"$change_scratch/error"; then
        CHANGE_ERROR="what an earlier change of ${change_root:-/} replaced cannot be removed: $(change_reason)"
        return 1
    fi
    for change_file in "$change_root"/.colibri-staging.[0-9]*; do
        [ -f "$change_file" ] || continue
        [ -n "$(change_started_at "${change_file##*.}")" ] || rm -f "$change_file"
    done
}

change_reason() {
    # A shell puts its own name and the line in front, a tool its name.
    change_words=$(sed -n '$s/^[^:]*: *\([0-9]*: *\)\{0,1\}//p' "$change_scratch/error")
    printf '%s\n' "${change_words:-a step failed without a word}"
}

# What a step's owner stands for in figures; a user is looked up when it can have been made.
change_owner() {
    case $1 in
        @*)
            awk -F : -v user="${1#@}" '$1 == user { print $3 ":" $4; found = 1; exit } END { exit !found }' "$change_root/etc/passwd" || {
                echo "passwd: no user ${1#@} in $change_root/etc/passwd" >&2
                return 1
            }
            ;;
        *) printf '%s\n' "$1" ;;
    esac
}

change_set() {
    if [ "$3" != - ]; then
        change_figures=$(change_owner "$3") && chown "$change_figures" "$1" || return 1
    fi
    chmod "$2" "$1"
}

# pw(8) writes files of its own making: each is copied whole under another name before it may touch them.
change_save_accounts() {
    for change_file in $CHANGE_ACCOUNT_FILES; do
        [ -f "$change_root/$change_file" ] || continue
        cp -p "$change_root/$change_file" "$(change_new "$change_file")" &&
            mv -f "$(change_new "$change_file")" "$(change_old "$change_file")" || return 1
    done
}

change_pw() {
    if [ -n "$change_root" ]; then pw -R "$change_root" "$@"; else pw "$@"; fi </dev/null
}

# The highest number below 1000 that neither a user nor a group has: from 1001 on pw(8) gives numbers to people.
change_free_number() {
    change_number=$(awk -F: '{ taken[$3] = 1 } END { for (n = 999; n > 100; n--) if (!(n in taken)) { print n; exit } }' \
        "$change_root/etc/passwd" "$change_root/etc/group")
    [ -n "$change_number" ]
}

change_account() {
    change_save_accounts || return 1
    if ! grep -q "^$1:" "$change_root/etc/group"; then change_free_number && change_pw groupadd "$1" -g "$change_number" || return 1; fi
    change_free_number && change_pw useradd "$1" -u "$change_number" -g "$1" -d "/var/db/$1" -s /usr/sbin/nologin -c 'Colibri agent supervisor' -w no
}

change_forward() {
    while read -r change_step change_path change_a change_b change_c change_d; do
        case $change_step in
            account) change_account "$change_path" ;;
            dir) mkdir -m 0700 "$change_root/$change_path" && change_set "$change_root/$change_path" "$change_a" "$change_b" ;;
            attr) change_set "$change_root/$change_path" "$change_a" "$change_b" ;;
            put)
                change_file=$(change_new "$change_path")
                cp "$change_tree/$change_path" "$change_file" && change_set "$change_file" "$change_a" "$change_b"
                ;;
        esac || return 1
    done <"$change_root/.colibri-staging"
    # All that takes room is written. What follows are names.
    while read -r change_step change_path change_a change_b change_c change_d; do
        case $change_step in
            put)
                { [ "$change_c" = new ] || ln "$change_root/$change_path" "$(change_old "$change_path")"; } &&
                    mv -f "$(change_new "$change_path")" "$change_root/$change_path"
                ;;
            drop) mv -f "$change_root/$change_path" "$(change_old "$change_path")" ;;
            dropaccount)
                change_save_accounts && change_pw userdel "$change_path" &&
                    { ! grep -q "^$change_path:" "$change_root/etc/group" || change_pw groupdel "$change_path"; }
                ;;
        esac || return 1
    done <"$change_root/.colibri-staging"
}

# Leaves by a signal only with everything taken back.
change_interrupted() {
    trap '' HUP INT TERM
    rm -f "$change_journal"
    [ "$change_ours" = no ] || change_back 2>/dev/null || :
    exit "$1"
}

change_apply() {
    change_root=${1%/}
    change_plan=$2 change_tree=$3 change_scratch=$4
    CHANGE_ERROR='' CHANGE_NOTE='' CHANGE_KEPT=''
    change_journal=$change_root/.colibri-staging.$$
    change_umask=$(umask)
    umask 077
    change_ours=no
    trap 'change_interrupted 129' HUP
    trap 'change_interrupted 130' INT
    trap 'change_interrupted 143' TERM
    # The name appears with all of its content or not at all, and only one can have it.
    if ! { { printf 'by %s %s\n' "$$" "$(change_started_at $$)" && cat "$change_plan"; } >"$change_journal" &&
        ln "$change_journal" "$change_root/.colibri-staging"; } 2>"$change_scratch/error"; then
        CHANGE_ERROR="$(change_reason) (${change_root:-/} is as it was: mend that and try again)"
        rm -f "$change_journal"
        umask "$change_umask"
        return 1
    fi
    change_ours=yes
    rm -f "$change_journal"
    change_status=0
    change_forward 2>"$change_scratch/error" || change_status=1
    trap '' HUP INT TERM
    if [ "$change_status" -eq 0 ]; then
        mv "$change_root/.colibri-staging" "$change_root/.colibri-staging.done" 2>"$change_scratch/error" || change_status=1
    fi
    if [ "$change_status" -eq 0 ]; then
        change_finish 2>"$change_scratch/error" || CHANGE_NOTE="what was replaced is not all removed: $(change_reason) (the next call tries again)"
    else
        CHANGE_ERROR=$(change_reason)
        if change_back 2>"$change_scratch/error"; then
            CHANGE_ERROR="$CHANGE_ERROR (${change_root:-/} is as it was: mend that and try again)"
        else
            CHANGE_ERROR="$CHANGE_ERROR; not all of it could be taken back: $(change_reason) (the next call tries again)"
        fi
    fi
    umask "$change_umask"
    return "$change_status"
}
