# shellcheck shell=sh
# Sourced: the checks of test.sh that are functions. Each prints what is wrong and fails, or says nothing.
#
#   sh -c '. "$0" && "$@"' scripts/lib/source-checks.sh CHECK [ARGUMENT...]      in the root of the repository

# Scripts that git does not know yet are checked too, those it ignores are not.
shell_scripts() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files --cached --others --exclude-standard -- '*.sh' .ci/run
    else
        find . -name '*.sh' -not -path '*/bin/*' -not -path '*/obj/*' -not -path './.cache/*' -print
        printf '%s\n' .ci/run
    fi
}

check_scripts() {
    scripts_list=$(mktemp) || return 1
    shell_scripts > "$scripts_list"
    scripts_result=0
    while IFS= read -r script; do
        if [ -f "$script" ]; then
            shellcheck -x "$script" || scripts_result=1
        fi
    done < "$scripts_list"
    rm -f "$scripts_list"
    return "$scripts_result"
}

# Prints the lines of src/ that hold the pattern, comments aside, and fails if there are any.
no_line_in_source() {
    pattern=$1
    shift
    ! grep -rnE --include='*.cs' --exclude-dir=bin --exclude-dir=obj "$@" -e "$pattern" src | grep -vE '^[^:]*:[0-9]*: *//'
}
