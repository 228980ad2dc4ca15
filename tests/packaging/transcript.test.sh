#!/bin/sh
# docs/evening.md is what the executables print: an evening and a morning, on a terminal of 80 columns and 24 lines.
# shellcheck disable=SC2154,SC2317,SC2329  # set by tap.sh; functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

bin=${COLIBRI_BIN_DIR:-$repository/dist}

page_is_what_is_printed() {
    "$repository/scripts/transcript.sh" --binaries "$bin" --check
}

# A page that differs in one word is no page of these executables.
another_page_is_refused() {
    sed 's/Greet by name at login/Greet by number at login/' "$repository/docs/evening.md" > "$scratch/other.md"
    status=0
    "$repository/scripts/transcript.sh" --binaries "$bin" --page "$scratch/other.md" --check > "$scratch/said" 2>&1 || status=$?
    same 1 "$status"
    grep -q '^-.*Greet by number at login' "$scratch/said"
    grep -q 'is not what the executables print now' "$scratch/said"
}

wrong_word_is_refused() {
    status=0
    "$repository/scripts/transcript.sh" --chekc > "$scratch/said" 2>&1 || status=$?
    same 2 "$status"
    same 'transcript.sh: unknown option --chekc (try: transcript.sh --help)' "$(cat "$scratch/said")"
}

check 'docs/evening.md is what the executables print' page_is_what_is_printed
check 'a page with another word in it is refused' another_page_is_refused
check 'an unknown option is refused' wrong_word_is_refused
tap_done
