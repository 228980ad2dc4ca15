#!/bin/sh
# The tests' own harness: a failing check fails, a test that stops early is no success.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

inner() {
    mkdir -p "$scratch/tests/packaging/lib"
    cp "$repository/tests/packaging/lib/tap.sh" "$scratch/tests/packaging/lib/"
    { printf '. "%s/tests/packaging/lib/tap.sh"\n' "$scratch"; cat; } > "$scratch/tests/packaging/inner.test.sh"
    inner_status=0
    sh "$scratch/tests/packaging/inner.test.sh" > "$scratch/inner.out" 2>&1 || inner_status=$?
}

failing_check_fails() {
    inner <<'END'
check 'is true' true
check 'is false' sh -c 'echo why; exit 3'
first_line_fails() { false; true; }
check 'fails in its first line' first_line_fails
skip 'is elsewhere' 'no such system'
tap_done
END
    same 1 "$inner_status"
    same 'ok 1 - is true
not ok 2 - is false
# why
not ok 3 - fails in its first line
ok 4 - is elsewhere # SKIP no such system
1..4' "$(cat "$scratch/inner.out")"
}

early_end_fails() {
    inner <<'END'
check 'is true' true
exit 0
END
    same 1 "$inner_status"
    grep -q '^Bail out!' "$scratch/inner.out"
}

check 'a check that fails is shown with what it printed, and fails its test' failing_check_fails
check 'a test that ends before its plan has failed' early_end_fails
tap_done
