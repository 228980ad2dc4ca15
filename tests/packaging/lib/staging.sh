# shellcheck shell=sh
# shellcheck disable=SC2154,SC2034  # scratch and repository are set by tap.sh; what is set here is read by the tests
# Sourced after tap.sh by the tests that stage an image:
#
#   snapshot DIR               every path with kind, mode, owner, and of files size, time and content; of links where they lead
#   build_program NAME VERSION COMMIT OUTPUT [CC-OPTIONS]
#                              a small executable that answers --version as ours do
#   small_programs DIR [VERSION [COMMIT]]
#                              all five of them: a staging looks at them as at the real ones, and takes a tenth of the time
#   checkout DIR               a copy of what staging reads, for a test to break
#   poke FILE OFFSET OCTAL     changes one byte
#   refused PATTERN COMMAND... `COMMAND --destdir $root` ends with 1, one line on stderr that matches and says what to do, and nothing else changed

small_commit=0123456789abcdef0123456789abcdef01234567
umask 022

snapshot() {
    (
        cd "$1" || exit
        # A directory's time and size tell of names that came and went, which is no difference.
        find . -exec ls -ldn {} + | awk '{ line = $1 " " $3 " " $4; if ($1 ~ /^-/) line = line " " $5 " " $6 $7 $8; for (i = 9; i <= NF; i++) line = line " " $i; print line }' |
            sed 's/^\([^ ]*\)[.+@] /\1 /' | LC_ALL=C sort
        find . -type f -exec cksum {} + | LC_ALL=C sort
    )
}

compiler() { for candidate in cc gcc clang; do if command -v "$candidate" >/dev/null 2>&1; then echo "$candidate"; return; fi; done; }

build_program() {
    program_name=$1 program_version=$2 program_commit=$3 program_output=$4
    shift 4
    printf '#include <stdio.h>\nconst char text[] = "%s+%s";\nint main(int n, char **a) { return printf("%%s %s\\n", "%s") < 0 || text[n] == 1 || !a; }\n' \
        "$program_version" "$program_commit" "$program_version" "$program_name" >"$scratch/program.c"
    "$(compiler)" -Os -s "$@" "$scratch/program.c" -o "$program_output"
}

small_programs() {
    mkdir -p "$1"
    for program in colibri-daemon colibri colibri-web colibri-mcp colibri-test-agent; do
        build_program "$program" "${2:-0.1.0}" "${3:-$small_commit}" "$1/$program" -static
    done
}

checkout() {
    mkdir -p "$1/scripts" "$1/packaging" "$1/docs" "$1/iso"
    cp "$repository/Directory.Build.props" "$1/"
    cp -R "$repository/scripts/lib" "$repository/scripts/stage-colibri-iso.sh" "$repository/scripts/acceptance.sh" "$1/scripts/"
    cp -R "$repository/packaging/freebsd" "$1/packaging/"
    cp -R "$repository/docs/man" "$1/docs/"
    cp "$repository"/iso/* "$1/iso/" 2>/dev/null || :
}

poke() { printf '%b' "\\0$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null; }

refused() {
    pattern=$1
    shift
    snapshot "$root" >"$scratch/before"
    status=0
    "$@" --destdir "$root" >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
    snapshot "$root" >"$scratch/after"
    cat "$scratch/stdout" "$scratch/stderr"
    same 1 "$status"
    same '' "$(cat "$scratch/stdout")"
    same 1 "$(wc -l <"$scratch/stderr" | tr -d ' ')"
    grep -q "^stage-colibri-iso.sh: .*$pattern" "$scratch/stderr"
    # What to do next is in brackets.
    grep -q '(.*)$' "$scratch/stderr"
    diff "$scratch/before" "$scratch/after"
}
