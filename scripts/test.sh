#!/bin/sh
# Builds the native executables and runs every test and check there is; the last line is the sum.
set -eu

usage() {
    cat <<'END'
usage: test.sh [--unit | --native-unit | --e2e | --packaging | --arm64 | --quick] [--help]

Installs what is missing (or says what to install), builds into dist/, runs the
unit tests, the same unit tests as native code, the end-to-end tests on the
native executables, the tests of scripts and packaging, the checks of format,
scripts and source, and the benchmarks once over, unjudged. Each part has a limit
of time: at its end what still runs is named, the part is ended and has failed, and
the next one runs. All of them have 85 minutes. The last line is the sum:
N passed, N failed.

  --unit       the unit tests only, compiled just in time; nothing native is built
  --native-unit
               the unit tests only, compiled to a native executable of their own
  --e2e        the native build and the end-to-end tests only
  --packaging  the native builds and the tests of scripts and packaging only
  --arm64      the executables for aarch64 only: built, and run under qemu-aarch64
  --quick      the unit tests and the checks; nothing native is built
  --help       this text
END
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
unit=yes native_unit=yes e2e=yes packaging=yes arm64=yes checks=yes benchmarks=yes
case ${1:-} in
    '') ;;
    --unit) native_unit=no e2e=no packaging=no arm64=no checks=no benchmarks=no ;;
    --native-unit) unit=no e2e=no packaging=no arm64=no checks=no benchmarks=no ;;
    --e2e) unit=no native_unit=no packaging=no arm64=no checks=no benchmarks=no ;;
    --packaging) unit=no native_unit=no e2e=no arm64=no checks=no benchmarks=no ;;
    --arm64) unit=no native_unit=no e2e=no packaging=no checks=no benchmarks=no ;;
    --quick) native_unit=no e2e=no packaging=no arm64=no benchmarks=no ;;
    --help | -h) usage; exit 0 ;;
    *) printf 'test.sh: unknown option %s (try: test.sh --help)\n' "$1" >&2; exit 2 ;;
esac
if [ $# -gt 1 ]; then
    printf 'test.sh: one option at most (try: test.sh --help)\n' >&2
    exit 2
fi

cd "$repository"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'legs_interrupted 129' HUP
trap 'legs_interrupted 130' INT
trap 'legs_interrupted 143' TERM
# shellcheck source=scripts/lib/legs.sh
. "$repository/scripts/lib/legs.sh"
legs_begin 85

# shellcheck source=scripts/lib/prerequisites.sh
. "$repository/scripts/lib/prerequisites.sh"
set -- test
if [ "$packaging" = yes ]; then set -- test static; fi
# shellcheck disable=SC2016  # for the inner shell
# Package managers wait for mirrors and locks, so they have a limit as well. What is there by now is only looked up after that.
leg 'what lacks is installed' 900 sh -c 'repository=$1; . "$repository/scripts/lib/prerequisites.sh"; shift; require_prerequisites "$@"' "$0" "$repository" "$@"
cat "$scratch/output"
if [ "$leg_status" -ne 0 ]; then
    printf 'FAIL  what lacks is installed%s\n0 passed, 1 failed\n' "${leg_problem:+: $leg_problem}"
    exit 1
fi
require_prerequisites "$@"

# No build server outlives the tests.
DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO MSBUILDDISABLENODEREUSE DOTNET_CLI_USE_MSBUILD_SERVER UseSharedCompilation

passed=0 failed=0 skipped=0

# Runs a command that says nothing when all is well; its output is shown when it fails. Its limit comes second, in seconds.
check() {
    check_name=$1
    leg "$@"
    if [ "$leg_status" -eq 0 ]; then
        printf 'ok    %s\n' "$check_name"
        passed=$((passed + 1))
    else
        leg_failed "$check_name"
    fi
}

# Says what failed, why, and what it printed: one failure.
leg_failed() {
    cat "$scratch/output"
    printf 'FAIL  %s: %s\n' "$1" "${leg_problem:-exit code $leg_status}"
    failed=$((failed + 1))
}

skip() {
    printf 'skip  %s: %s\n' "$1" "$2"
    skipped=$((skipped + 1))
}

# A count from the root of a JUnit report: tests, failures, errors or skipped.
report_count() {
    tr '\n>' ' \n' < "$1" | sed -n "s/.*<testsuites .* $2=\"\([0-9][0-9]*\)\".*/\1/p" | awk '{ sum += $1 } END { print sum + 0 }'
}

# The test cases of a JUnit report that hold the element, a line each: NAME: the message of that element.
report_cases() {
    tr '\n' ' ' < "$1" | sed 's/<testcase /\
<testcase /g' | sed -n "s/^<testcase [^>]*name=\"\([^\"]*\)\" classname=\"\([^\"]*\)\"[^>]*> *<$2 [^>]*message=\"\([^\"]*\)\".*/\2.\1: \3/p" |
        sed -e 's/&#xA;/ /g' -e 's/&quot;/"/g' -e "s/&apos;/'/g" -e 's/&lt;/</g' -e 's/&gt;/>/g' -e 's/&amp;/\&/g'
}

# The tests that a run began and did not end, of the lines that tests/*/TestRun.cs writes.
tests_under_way() {
    sed -n 's/^begin //p' "$1" | sort > "$scratch/begun"
    sed -n 's/^end //p' "$1" | sort | comm -23 "$scratch/begun" - | sed 's/^/  under way: /'
}

# Runs tests by a command and adds their report to the sum: what they print is for people and changes with the runner.
run_tests() {
    test_name=$1 test_limit=$2
    shift 2
    report=$scratch/report.xml
    rm -f "$report"
    : > "$scratch/trace"
    leg "$test_name" "$test_limit" env TUNIT_ENABLE_JUNIT_REPORTER=1 "COLIBRI_TEST_TRACE=$scratch/trace" \
        "$@" --results-directory "$scratch" --junit-output-path "$report"
    tests_failed=0
    if [ -n "$leg_problem" ] || [ ! -s "$report" ]; then
        leg_problem=${leg_problem:-no report (exit code $leg_status)}
        leg_failed "$test_name"
        tests_under_way "$scratch/trace"
        [ -s "$report" ] || return 0
    else
        cat "$scratch/output"
    fi
    tests_failed=$(($(report_count "$report" failures) + $(report_count "$report" errors)))
    tests_skipped=$(report_count "$report" skipped)
    tests_passed=$(($(report_count "$report" tests) - tests_failed - tests_skipped))
    report_cases "$report" skipped | sed 's/^/skip  /'
    # A run may fail without a failed test: when none was found, or when its process broke after the last one.
    if [ -z "$leg_problem" ] && [ "$leg_status" -ne 0 ] && [ "$tests_failed" -eq 0 ]; then
        printf 'FAIL  %s: exit code %s\n' "$test_name" "$leg_status"
        tests_failed=1
    fi
    printf '%s: %s passed, %s failed, %s skipped\n' "$test_name" "$tests_passed" "$tests_failed" "$tests_skipped"
    passed=$((passed + tests_passed)) failed=$((failed + tests_failed)) skipped=$((skipped + tests_skipped))
}

# The build has a limit of its own: the time of the tests is theirs alone.
run_project() {
    leg "$1 (build)" 480 dotnet build "tests/$3" --configuration Release --nologo --verbosity quiet
    if [ "$leg_status" -ne 0 ]; then
        leg_failed "$1 (build)"
        return 0
    fi
    run_tests "$1" "$2" dotnet test --project "tests/$3" --configuration Release --no-build --no-progress
}

# The same tests as native code, compiled with the settings of the product: what only its compiler breaks is seen here alone.
run_native_unit_tests() {
    native_tests=$repository/.cache/build/unit-tests
    rm -rf "$native_tests/program"
    leg 'unit tests as native code (build)' 1200 \
        dotnet publish tests/Colibri.UnitTests --configuration Release --output "$native_tests/program" --artifacts-path "$native_tests" \
        --nologo --verbosity quiet "-p:SqliteArchive=$SQLITE_ARCHIVE"
    if [ "$leg_status" -ne 0 ]; then
        leg_failed 'unit tests as native code (build)'
        return 0
    fi
    run_tests 'unit tests as native code' 900 "$native_tests/program/Colibri.UnitTests" --progress off
    # A native failure shows the values and no expression, for there is no source to take it from.
    if [ -s "$report" ] && [ "$tests_failed" -gt 0 ]; then
        printf 'compiled just in time a failure shows the asserted expression too:\n'
        { report_cases "$report" failure; report_cases "$report" error; } |
            sed -n "s|^\([A-Za-z0-9_]*\)\.\([A-Za-z0-9_]*\).*|  dotnet test --project tests/Colibri.UnitTests --treenode-filter '/*/*/\1/\2*'|p" | sort -u
    fi
}

# Runs one test that prints TAP and adds its checks to the sum. Its limit comes second, in seconds.
run_tap() {
    leg "$1" "$2" "$1"
    sed 's/^/  /' "$scratch/output"
    tap_planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' "$scratch/output")
    tap_skipped=$(grep -c '^ok .*# SKIP ' "$scratch/output" || :)
    tap_passed=$(($(grep -c '^ok ' "$scratch/output" || :) - tap_skipped))
    tap_failed=$(grep -c '^not ok ' "$scratch/output" || :)
    # A limit that was hit, a plan that is missing or not kept, or an exit code without a failed check, is a failure of its own.
    if [ -n "$leg_problem" ]; then
        printf 'FAIL  %s: %s\n' "$1" "$leg_problem"
        tap_failed=$((tap_failed + 1))
    elif [ "${tap_planned:-0}" -ne $((tap_passed + tap_skipped + tap_failed)) ] || { [ "$leg_status" -ne 0 ] && [ "$tap_failed" -eq 0 ]; }; then
        printf 'FAIL  %s: exit code %s, plan %s\n' "$1" "$leg_status" "${tap_planned:-none}"
        tap_failed=$((tap_failed + 1))
    fi
    passed=$((passed + tap_passed)) failed=$((failed + tap_failed)) skipped=$((skipped + tap_skipped))
}

# Builds the product; its limit is in seconds. Fails, and counts that, when it does not build.
build() {
    build_name=$1
    shift
    leg "$build_name" 480 scripts/build.sh "$@"
    if [ "$leg_status" -ne 0 ]; then
        leg_failed "$build_name"
        return 1
    fi
    cat "$scratch/output"
}

# shellcheck disable=SC2016  # for the inner shell
check_source() {
    source_check=$1
    shift
    check "$source_check" 300 sh -c '. "$0" && "$@"' "$repository/scripts/lib/source-checks.sh" "$@"
}

if [ "$checks" = yes ]; then
    if command -v shellcheck >/dev/null 2>&1; then
        check_source 'scripts pass shellcheck' check_scripts
    else
        skip 'scripts pass shellcheck' 'shellcheck is not installed'
    fi
    check_source 'native imports are in Colibri.Posix alone' no_line_in_source '(DllImport|LibraryImport)' --exclude-dir=Colibri.Posix
    check_source 'no code starts processes through the class library' no_line_in_source 'System\.Diagnostics\.Process([^A-Za-z]|$)|(^|[^A-Za-z.])Process\.Start|ProcessStartInfo'
    check 'source is formatted' 600 dotnet format colibri.slnx --verify-no-changes
fi
if [ "$unit" = yes ]; then
    run_project 'unit tests' 900 Colibri.UnitTests
fi
if [ "$native_unit" = yes ]; then
    run_native_unit_tests
fi
if [ "$e2e" = yes ] || [ "$packaging" = yes ]; then
    if build 'native build'; then
        COLIBRI_BIN_DIR=$repository/dist
        export COLIBRI_BIN_DIR
    else
        e2e=no packaging=no benchmarks=no
    fi
fi
if [ "$e2e" = yes ]; then
    run_project 'end-to-end tests' 2400 Colibri.EndToEndTests
fi
if [ "$packaging" = yes ]; then
    if build 'static build' --static -o dist/static; then
        COLIBRI_STATIC_BIN_DIR=$repository/dist/static
        export COLIBRI_STATIC_BIN_DIR
        # The appliance's executables are these: what it answers must survive a power cut there.
        if [ "$(uname -s)" = Linux ]; then
            run_tests 'syncs of the static executables' 480 env "COLIBRI_BIN_DIR=$COLIBRI_STATIC_BIN_DIR" \
                dotnet test --project tests/Colibri.EndToEndTests --configuration Release --no-progress --treenode-filter '/*/*/SyncCallTests/*'
        fi
        for test in tests/packaging/*.test.sh; do
            # A leg of its own: it builds what it tries.
            if [ "$test" != tests/packaging/arm64.test.sh ]; then run_tap "$test" 480; fi
        done
    fi
fi
if [ "$arm64" = yes ]; then
    run_tap tests/packaging/arm64.test.sh 720
fi

if [ "$benchmarks" = yes ]; then
    # Their figures are shown and not judged: a shared machine is no witness.
    leg 'benchmarks run' 600 scripts/bench.sh --quick
    if [ "$leg_status" -eq 0 ]; then
        sed -n '/Colibri .*peer/,$p' "$scratch/output"
        printf 'ok    benchmarks run\n'
        passed=$((passed + 1))
    else
        leg_failed 'benchmarks run'
    fi
fi

if [ "$skipped" -gt 0 ]; then
    printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
else
    printf '%s passed, %s failed\n' "$passed" "$failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
