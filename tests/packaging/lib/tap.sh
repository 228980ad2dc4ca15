# shellcheck shell=sh
# Sourced by the tests of scripts and packaging, which print the Test Anything Protocol:
#
#   check NAME COMMAND...   `ok` when the command returns 0; else `not ok`, with what it printed
#   skip NAME REASON        a check that cannot be made here, and why
#   tap_done                the plan and the result; the last line of every test
#
# Sets `scratch`, a folder of the test's own that goes at its end, and `repository`. Reads COLIBRI_BIN_DIR and COLIBRI_STATIC_BIN_DIR,
# the native executables under test.

# shellcheck disable=SC2034  # read by the tests
repository=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd -P)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/colibri-test.XXXXXX")
tap_count=0
tap_failed=0

# A test that starts something defines `at_end` to end it.
at_end() { :; }
tap_end() {
    tap_status=$?
    trap - EXIT
    at_end
    rm -rf "$scratch"
    if [ "${tap_finished:-no}" = no ]; then
        printf 'Bail out! %s ended early with status %s\n' "${0##*/}" "$tap_status"
        exit 1
    fi
    exit "$tap_status"
}
trap tap_end EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

check() {
    tap_count=$((tap_count + 1))
    tap_name=$1
    shift
    # In a subshell of its own, where every line of it must succeed; `if (...)` would switch `-e` off inside.
    set +e
    (set -e; "$@") >"$scratch/.tap-output" 2>&1 </dev/null
    tap_status=$?
    if [ "$tap_status" -eq 0 ]; then
        printf 'ok %s - %s\n' "$tap_count" "$tap_name"
    else
        tap_failed=$((tap_failed + 1))
        printf 'not ok %s - %s\n' "$tap_count" "$tap_name"
        sed 's/^/# /' "$scratch/.tap-output"
    fi
}

skip() {
    tap_count=$((tap_count + 1))
    printf 'ok %s - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

# Compares two texts; shows both when they differ.
same() {
    if [ "$1" != "$2" ]; then
        printf 'expected: %s\nfound:    %s\n' "$1" "$2"
        return 1
    fi
}

tap_done() {
    printf '1..%s\n' "$tap_count"
    tap_finished=yes
    [ "$tap_failed" -eq 0 ]
    exit
}
