#!/bin/sh
# Measures Colibri beside its peers on this machine: prints one table, writes bench/results.json. docs/benchmarks.md explains each row.
set -eu

usage() {
    cat <<'END_OF_USAGE'
usage: bench.sh [--quick | --growth] [NAME...]

Installs the peers that lack (a peer that cannot be had is skipped, with a
word), builds release executables, measures, prints one table and writes
bench/results.json. COLIBRI_BIN_DIR names executables to measure instead.

  --quick    one round and smaller sizes: to see that it works
  --growth   how cost grows: four sizes each of ping, cycle, list, idle-panes
             and streams (those alone without a NAME)
  --help     this text

Rows: cold-start idle-rss ping fold spawn first-byte create cycle list
idle-panes idle-cpu streams watched append sessions cli-ping starts control
sizes (all without a NAME).
END_OF_USAGE
}

fail() {
    printf 'bench.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
all_rows='cold-start idle-rss ping fold spawn first-byte create cycle list idle-panes idle-cpu streams watched append sessions cli-ping starts control sizes'
chosen_rows=''
quick=no growth=no rounds=7
for argument in "$@"; do
    case $argument in
        --quick) quick=yes rounds=1 ;;
        --growth) growth=yes rounds=3 ;;
        --help | -h) usage; exit 0 ;;
        -*) fail "unknown option $argument (try: bench.sh --help)" 2 ;;
        *)
            case " $all_rows " in
                *" $argument "*) chosen_rows="$chosen_rows $argument" ;;
                *) fail "no row is called $argument; there are: $all_rows" 2 ;;
            esac
            ;;
    esac
done
if [ "$growth" = yes ]; then chosen_rows=${chosen_rows:-ping cycle list idle-panes streams}; fi
chosen_rows=${chosen_rows:-$all_rows}
# Of what takes long, or shows little noise.
few_rounds=3
if [ "$quick" = yes ]; then few_rounds=1; fi

wants_row() { case " $chosen_rows " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }

wants_peer() {
    case $1 in
        redis) wants_row cold-start || wants_row idle-rss || wants_row ping || wants_row create || wants_row cli-ping ;;
        supervisord) wants_row control || wants_row idle-rss ;;
        s6) wants_row control ;;
        simdjson) wants_row fold ;;
    esac
}

# shellcheck source=scripts/lib/prerequisites.sh
. "$repository/scripts/lib/prerequisites.sh"
# shellcheck source=scripts/lib/bench-peers.sh
. "$repository/scripts/lib/bench-peers.sh"
# shellcheck source=scripts/lib/bench-servers.sh
. "$repository/scripts/lib/bench-servers.sh"
# shellcheck source=scripts/lib/bench-report.sh
. "$repository/scripts/lib/bench-report.sh"
# shellcheck source=scripts/lib/bench-rows.sh
. "$repository/scripts/lib/bench-rows.sh"
# shellcheck source=scripts/lib/bench-rows-board.sh
. "$repository/scripts/lib/bench-rows-board.sh"
# shellcheck source=scripts/lib/bench-rows-agents.sh
. "$repository/scripts/lib/bench-rows-agents.sh"
# shellcheck source=scripts/lib/bench-rows-control.sh
. "$repository/scripts/lib/bench-rows-control.sh"

# shellcheck disable=SC2119  # no more than building needs
require_prerequisites
tools=$repository/.cache/bench/tools
mkdir -p "$tools" "$repository/bench"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/colibri-bench.XXXXXX")
cleanup() {
    stop_servers
    rm -rf "$scratch"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

build_executables() {
    if [ -n "${COLIBRI_BIN_DIR:-}" ]; then
        bin=$(CDPATH='' cd -- "$COLIBRI_BIN_DIR" && pwd -P) || fail "COLIBRI_BIN_DIR $COLIBRI_BIN_DIR: no such folder"
    else
        bin=$repository/.cache/bench/bin
        "$repository/scripts/build.sh" -o "$bin" >&2
    fi
    if wants_row fold || wants_row spawn || wants_row append || wants_row sessions; then publish_benchmarks; fi
}

# The rows that measure a library inside a process of their own, built as the executables are.
publish_benchmarks() {
    if [ -x "$tools/colibri-benchmarks" ] && [ -z "$(find "$repository/src" "$repository/tests/Colibri.Benchmarks" "$repository"/*.props \
        \( -name '*.cs' -o -name '*.csproj' -o -name '*.props' \) -not -path '*/obj/*' -newer "$tools/colibri-benchmarks")" ]; then
        return 0
    fi
    DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
    export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO MSBUILDDISABLENODEREUSE DOTNET_CLI_USE_MSBUILD_SERVER
    if ! dotnet publish "$repository/tests/Colibri.Benchmarks" --configuration Release --output "$scratch/publish" \
        --artifacts-path "$repository/.cache/build/bench" --nologo --verbosity quiet -p:UseSharedCompilation=false \
        >"$scratch/log" 2>&1 </dev/null; then
        cat "$scratch/log" >&2
        fail 'Colibri.Benchmarks did not build'
    fi
    mv -f "$scratch/publish/colibri-benchmarks" "$tools/colibri-benchmarks"
}

prepare_peers
build_executables

for chosen in $chosen_rows; do
    printf '%s ...\n' "$chosen" >&2
    "row_$(printf '%s' "$chosen" | tr - _)"
done

print_json > "$repository/bench/results.json"
print_table
