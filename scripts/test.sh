#!/bin/sh
# Builds the native executables and runs every test and check there is; the last line is the sum.
set -eu

usage() {
    cat <<'END'
usage: test.sh [--unit | --native-unit | --e2e | --packaging | --arm64 | --quick] [--help]

Installs what is missing (or says what to install), builds into dist/, runs the
unit tests, the same unit tests as native code, the end-to-end tests on the
native executables, the tests of scripts and packaging, the checks of format,
scripts and source, and the benchmarks once over, unjudged. The last line is the
sum: N passed, N failed.

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

# shellcheck source=scripts/lib/prerequisites.sh
. "$repository/scripts/lib/prerequisites.sh"
if [ "$packaging" = yes ]; then require_prerequisites test static; else require_prerequisites test; fi
cd "$repository"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# No build server outlives the tests.
DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO MSBUILDDISABLENODEREUSE DOTNET_CLI_USE_MSBUILD_SERVER UseSharedCompilation

passed=0 failed=0 skipped=0

# Runs a command that says nothing when all is well; its output is shown when it fails.
check() {
    check_name=$1
    shift
    if "$@" >"$scratch/check" 2>&1 </dev/null; then
        printf 'ok    %s\n' "$check_name"
        passed=$((passed + 1))
    else
        cat "$scratch/check"
        printf 'FAIL  %s\n' "$check_name"
        failed=$((failed + 1))
    fi
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

# Runs tests by a command and adds their report to the sum: what they print is for people and changes with the runner.
run_tests() {
    test_name=$1
    shift
    report=$scratch/report.xml
    rm -f "$report"
    test_result=0
    TUNIT_ENABLE_JUNIT_REPORTER=1 "$@" --results-directory "$scratch" --junit-output-path "$report" </dev/null || test_result=$?
    if [ ! -s "$report" ]; then
        printf 'FAIL  %s: no report (exit code %s)\n' "$test_name" "$test_result"
        failed=$((failed + 1))
        return 0
    fi
    tests_failed=$(($(report_count "$report" failures) + $(report_count "$report" errors)))
    tests_skipped=$(report_count "$report" skipped)
    tests_passed=$(($(report_count "$report" tests) - tests_failed - tests_skipped))
    report_cases "$report" skipped | sed 's/^/skip  /'
    # A run may fail without a failed test: when none was found, or when its process broke after the last one.
    if [ "$test_result" -ne 0 ] && [ "$tests_failed" -eq 0 ]; then
        printf 'FAIL  %s: exit code %s\n' "$test_name" "$test_result"
        tests_failed=1
    fi
    printf '%s: %s passed, %s failed, %s skipped\n' "$test_name" "$tests_passed" "$tests_failed" "$tests_skipped"
    passed=$((passed + tests_passed)) failed=$((failed + tests_failed)) skipped=$((skipped + tests_skipped))
}

run_project() {
    run_tests "$1" dotnet test --project "tests/$2" --configuration Release --no-progress
}

# The same tests as native code, compiled with the settings of the product: what only its compiler breaks is seen here alone.
run_native_unit_tests() {
    native_tests=$repository/.cache/build/unit-tests
    rm -rf "$native_tests/program"
    if ! dotnet publish tests/Colibri.UnitTests --configuration Release --output "$native_tests/program" --artifacts-path "$native_tests" \
        --nologo --verbosity quiet "-p:SqliteArchive=$SQLITE_ARCHIVE" >"$scratch/publish" 2>&1 </dev/null; then
        cat "$scratch/publish"
        printf 'FAIL  unit tests as native code: they did not build\n'
        failed=$((failed + 1))
        return 0
    fi
    run_tests 'unit tests as native code' "$native_tests/program/Colibri.UnitTests" --progress off
    # A native failure shows the values and no expression, for there is no source to take it from.
    if [ -s "$report" ] && [ "$tests_failed" -gt 0 ]; then
        printf 'compiled just in time a failure shows the asserted expression too:\n'
        { report_cases "$report" failure; report_cases "$report" error; } |
            sed -n "s|^\([A-Za-z0-9_]*\)\.\([A-Za-z0-9_]*\).*|  dotnet test --project tests/Colibri.UnitTests --treenode-filter '/*/*/\1/\2*'|p" | sort -u
    fi
}

# Runs one test that prints TAP and adds its checks to the sum.
run_tap() {
    tap_result=0
    printf '%s\n' "$1"
    "$1" >"$scratch/tap" 2>&1 </dev/null || tap_result=$?
    sed 's/^/  /' "$scratch/tap"
    tap_planned=$(sed -n 's/^1\.\.\([0-9][0-9]*\)$/\1/p' "$scratch/tap")
    tap_skipped=$(grep -c '^ok .*# SKIP ' "$scratch/tap" || :)
    tap_passed=$(($(grep -c '^ok ' "$scratch/tap" || :) - tap_skipped))
    tap_failed=$(grep -c '^not ok ' "$scratch/tap" || :)
    # A plan that is missing or not kept, or an exit code without a failed check, is a failure of its own.
    if [ "${tap_planned:-0}" -ne $((tap_passed + tap_skipped + tap_failed)) ] || { [ "$tap_result" -ne 0 ] && [ "$tap_failed" -eq 0 ]; }; then
        printf 'FAIL  %s: exit code %s, plan %s\n' "$1" "$tap_result" "${tap_planned:-none}"
        tap_failed=$((tap_failed + 1))
    fi
    passed=$((passed + tap_passed)) failed=$((failed + tap_failed)) skipped=$((skipped + tap_skipped))
}

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
    shell_scripts > "$scratch/scripts"
    scripts_result=0
    while IFS= read -r script; do
        if [ -f "$script" ]; then
            shellcheck -x "$script" || scripts_result=1
        fi
    done < "$scratch/scripts"
    return "$scripts_result"
}

# Prints the lines of src/ that hold the pattern, comments aside, and fails if there are any.
no_line_in_source() {
    pattern=$1
    shift
    ! grep -rnE --include='*.cs' --exclude-dir=bin --exclude-dir=obj "$@" -e "$pattern" src | grep -vE '^[^:]*:[0-9]*: *//'
}

if [ "$checks" = yes ]; then
    if command -v shellcheck >/dev/null 2>&1; then
        check 'scripts pass shellcheck' check_scripts
    else
        skip 'scripts pass shellcheck' 'shellcheck is not installed'
    fi
    check 'native imports are in Colibri.Posix alone' no_line_in_source '(DllImport|LibraryImport)' --exclude-dir=Colibri.Posix
    check 'no code starts processes through the class library' no_line_in_source 'System\.Diagnostics\.Process([^A-Za-z]|$)|(^|[^A-Za-z.])Process\.Start|ProcessStartInfo'
    check 'source is formatted' dotnet format colibri.slnx --verify-no-changes
fi
if [ "$unit" = yes ]; then
    run_project 'unit tests' Colibri.UnitTests
fi
if [ "$native_unit" = yes ]; then
    run_native_unit_tests
fi
if [ "$e2e" = yes ] || [ "$packaging" = yes ]; then
    if scripts/build.sh; then
        COLIBRI_BIN_DIR=$repository/dist
        export COLIBRI_BIN_DIR
    else
        printf 'FAIL  native build\n'
        failed=$((failed + 1)) e2e=no packaging=no benchmarks=no
    fi
fi
if [ "$e2e" = yes ]; then
    run_project 'end-to-end tests' Colibri.EndToEndTests
fi
if [ "$packaging" = yes ]; then
    if scripts/build.sh --static -o dist/static; then
        COLIBRI_STATIC_BIN_DIR=$repository/dist/static
        export COLIBRI_STATIC_BIN_DIR
        # The appliance's executables are these: what it answers must survive a power cut there.
        if [ "$(uname -s)" = Linux ]; then
            run_tests 'syncs of the static executables' env "COLIBRI_BIN_DIR=$COLIBRI_STATIC_BIN_DIR" \
                dotnet test --project tests/Colibri.EndToEndTests --configuration Release --no-progress --treenode-filter '/*/*/SyncCallTests/*'
        fi
        for test in tests/packaging/*.test.sh; do
            # A leg of its own: it builds what it tries.
            if [ "$test" != tests/packaging/arm64.test.sh ]; then run_tap "$test"; fi
        done
    else
        printf 'FAIL  static build\n'
        failed=$((failed + 1))
    fi
fi
if [ "$arm64" = yes ]; then
    run_tap tests/packaging/arm64.test.sh
fi

if [ "$benchmarks" = yes ]; then
    # Their figures are shown and not judged: a shared machine is no witness.
    if scripts/bench.sh --quick </dev/null >"$scratch/bench" 2>&1; then
        sed -n '/Colibri .*peer/,$p' "$scratch/bench"
        printf 'ok    benchmarks run\n'
        passed=$((passed + 1))
    else
        cat "$scratch/bench"
        printf 'FAIL  benchmarks run\n'
        failed=$((failed + 1))
    fi
fi

if [ "$skipped" -gt 0 ]; then
    printf '%s passed, %s failed, %s skipped\n' "$passed" "$failed" "$skipped"
else
    printf '%s passed, %s failed\n' "$passed" "$failed"
fi
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
