#!/bin/sh
# An evening and a morning with Colibri, on a terminal of 80 columns and 24 lines, from the executables themselves.
set -eu

usage() {
    cat <<'END'
usage: transcript.sh [--check] [--help]

Starts a private daemon from dist/, puts five tasks on its board in the evening,
and looks at them in the morning. Writes what an operator types and reads into
docs/evening.md, screen by screen.

  --check  writes nothing: fails if a screen does not fit 80 columns and 24
           lines, or differs from docs/evening.md by more than times, costs
           and ids
  --help   this text
END
}

fail() {
    printf 'transcript.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
page=$repository/docs/evening.md
check=no
while [ $# -gt 0 ]; do
    case $1 in
        --check) check=yes ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: transcript.sh --help)" 2 ;;
    esac
    shift
done
# shellcheck source=scripts/lib/story.sh
. "$repository/scripts/lib/story.sh"

PATH=$repository/dist:$PATH
folder=$(mktemp -d /tmp/colibri-evening.XXXXXX)
daemon=''
finish() {
    status=$?
    trap - EXIT HUP INT TERM
    drop_daemon "$status"
    rm -rf "$folder"
    exit "$status"
}
trap finish EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

begin_story "$folder"
written=$folder/page
# The folder's name is no part of the story.
plain() { sed "s|$folder|/srv|g"; }

# A screen: a heading, then commands, each by show.
screen() {
    printf '\n%s\n\n' "$1" >> "$written"
    : > "$folder/screen"
}
show() {
    typed "$@" >> "$folder/screen"
    "$@" >> "$folder/screen" 2>&1 || :
}
# The first lines of what a command prints, as the operator asks for.
show_head() {
    count=$1
    shift
    typed "$@" | sed "s/\$/ | head -$count/" >> "$folder/screen"
    "$@" 2>&1 | head -n "$count" >> "$folder/screen"
}
end_screen() {
    plain < "$folder/screen" > "$folder/screen.plain"
    lines=$(wc -l < "$folder/screen.plain")
    [ "$lines" -le 24 ] || { cat "$folder/screen.plain" >&2; fail "a screen has $lines lines: a terminal has 24"; }
    wide=$(LC_ALL=C.UTF-8 awk 'length($0) > 80 { print; exit }' "$folder/screen.plain")
    [ -z "$wide" ] || fail "a line is wider than 80 columns: $wide"
    sed 's/^/    /' "$folder/screen.plain" | sed 's/^    $//' >> "$written"
}

cat > "$written" <<'END'
# An evening and a morning

Five tasks for one repository, given in the evening and looked at in the morning, on a terminal of 80 columns and 24 lines. `scripts/transcript.sh`
made this page with a daemon of its own. The agents are stand-ins that need no model.

The configuration file:

END
plain < "$COLIBRI_CONFIG" | sed 's/^/    /' | sed 's/^    $//' >> "$written"

start_daemon
cd "$folder/site"
screen '## The evening'
show colibri add 'Greet by name at login' --agent pi
show colibri add 'Write the release notes' --agent pi
show colibri add 'List the contributors' --agent pi
show colibri add 'Speed up the parser' --agent pi --max-attempts 1
show colibri add 'Drop the old table' --agent careful
end_screen

# The night.
colibri wait 1 2 3 4 --timeout 120 >/dev/null 2>&1 || :
tries=0
until colibri inbox --json | grep -q '"kind":"question"'; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail 'the agent of task 5 asks nothing'
    sleep 0.1
done

screen '## The morning'
show colibri inbox
end_screen
screen 'What did the first one do? Its check failed once, went back to the agent, and passed.'
show_head 20 colibri get-task 1
end_screen
screen 'The change itself:'
show colibri diff 1
end_screen
screen 'Three changes land; the check runs on each merged result. The question is answered, and the failure is sent back with a hint.'
show colibri land 1 2 3
question=$(colibri snapshot --json | sed -n 's/.*"request":"\([^"]*\)".*/\1/p')
agent=$(colibri snapshot --json | sed -n 's/.*"label":"\([^"]*\)"[^{}]*"activity":"blocked".*/\1/p')
show colibri answer "$agent" --request "$question" --yes
show colibri retry 4 --feedback 'hello.sh must say hello'
show colibri wait 5 --timeout 60
show git log --oneline --first-parent
end_screen
end_daemon

# What differs from run to run.
mask() {
    sed -e 's/[0-9a-f]\{8\}-[0-9a-f-]\{27\}/ID/g' -e 's/\b[0-9a-f]\{12\}\b/COMMIT/g' -e 's/\b[0-9a-f]\{7\}\b/COMMIT/g' \
        -e 's/[0-9][0-9.]* \{0,1\}\(ms\|s\|m\|h\|seconds\{0,1\}\)\b *[0-9]* \{0,1\}\(ms\)\{0,1\}/TIME /g' -e 's/[0-9-]\{10\}T[0-9:.]*Z/TIME/g' -e 's/ \{1,\}/ /g' "$1"
}
if [ "$check" = yes ]; then
    mask "$page" > "$folder/known"
    mask "$written" > "$folder/now"
    diff -u "$folder/known" "$folder/now" || fail 'docs/evening.md is not what the executables print now (scripts/transcript.sh writes it)'
else
    cp "$written" "$page"
    printf 'written: %s\n' "$page"
fi
