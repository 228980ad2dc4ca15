#!/bin/sh
# What fills the native executables: builds them with the compiler's map, and prints it by assembly.
set -eu

usage() {
    cat <<'END_OF_USAGE'
usage: size-report.sh [--top N] [--help]

Builds colibri-daemon, colibri, colibri-mcp, colibri-web and colibri-test-agent
with a map of what the compiler made, and prints for each executable its size
and its target, and the assemblies whose compiled code and data fill it, largest
first.

  --top N    assemblies to print for each (default: 12)
  --help     this text

"code" is methods, "data" their types, dictionaries and tables before they are
packed. What no assembly owns stands under its kind, in parentheses.
END_OF_USAGE
}

fail() {
    printf 'size-report.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
top=12
while [ $# -gt 0 ]; do
    case $1 in
        --top)
            case ${2:-} in
                '' | *[!0-9]*) fail "--top needs a number (try: size-report.sh --help)" 2 ;;
            esac
            top=$2
            shift
            ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: size-report.sh --help)" 2 ;;
    esac
    shift
done

scratch=$(mktemp -d "${TMPDIR:-/tmp}/colibri-size.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

: > "$scratch/start"
"$repository/scripts/build.sh" --map -o "$scratch/bin" >&2

# report PROGRAM PROJECT TARGET-IN-MIB
report() {
    size=$(wc -c < "$scratch/bin/$1" | tr -d ' ')
    map=$(find "$repository/.cache/build" -path "*/$2/*" -name "$1.map.xml" -newer "$scratch/start" | head -n 1)
    response=$(find "$repository/.cache/build" -path "*/$2/*" -name "$1.ilc.rsp" | head -n 1)
    if [ -z "$map" ] || [ -z "$response" ]; then fail "$1: the build left no map"; fi
    # The names of assemblies, as the compiler writes them into its symbols.
    sed -n -e 's/^-r:.*\/\(.*\)\.dll$/\1/p' -e 's/^\/.*\/\(.*\)\.dll$/\1/p' "$response" | sort -u > "$scratch/assemblies"
    printf '%s  %s bytes, %s of its target of %s MiB\n\n' "$1" "$size" \
        "$(awk -v size="$size" -v target="$3" 'BEGIN { printf "%.0f %%", 100 * size / (target * 1048576) }')" "$3"
    printf '  %-40s%8s%12s%12s\n' assembly methods code data
    LC_ALL=C awk -F '"' -v top="$top" '
        function of_name(name,    i, rest) {
            rest = name
            sub(/^_ZTV[0-9]+/, "", rest)
            # A symbol of a table begins with the kind of table: find the assembly a little way in.
            for (i = 1; i <= 40 && i <= length(rest); i++)
                if (i == 1 || substr(rest, i - 1, 1) == "_" || substr(rest, 1, i - 1) ~ /^__[A-Za-z]+$/)
                    for (length_tried = 60; length_tried >= 4; length_tried--)
                        if (substr(rest, i, length_tried) in assemblies && substr(rest, i + length_tried, 1) == "_")
                            return assemblies[substr(rest, i, length_tried)]
            return ""
        }
        FNR == NR {
            mangled = $0
            gsub(/[^A-Za-z0-9]/, "_", mangled)
            sub(/^System_Private_/, "S_P_", mangled)
            assemblies[mangled] = $0
            next
        }
        $3 ~ /Length=/ {
            kind = $1
            gsub(/[ <]|Name=/, "", kind)
            where = of_name($2)
            if (where == "") where = "(" kind ")"
            seen[where] = 1
            if (kind == "MethodCode") { code[where] += $4; methods[where]++ } else data[where] += $4
        }
        END {
            for (where in seen)
                printf "%d\t%s\t%d\t%d\t%d\n", code[where] + data[where], where, methods[where], code[where], data[where]
        }' "$scratch/assemblies" "$map" | sort -rn | head -n "$top" |
        awk -F '\t' '{ printf "  %-40s%8d%12d%12d\n", $2, $3, $4, $5 }'
    printf '\n'
}

report colibri-daemon Colibri.Daemon 6
report colibri Colibri.Cli 4
report colibri-mcp Colibri.Mcp 10
report colibri-web Colibri.Web 10
report colibri-test-agent Colibri.TestAgent 2
