#!/bin/sh
# An evening and a morning with Colibri, on a terminal of 80 columns and 24 lines, from the executables themselves.
set -eu

usage() {
    cat <<'END'
usage: transcript.sh [--check] [--page FILE] [--binaries DIR] [--help]

Starts a private daemon, puts five tasks on its board in the evening, and looks
at them in the morning. Writes what an operator types and reads into
docs/evening.md, screen by screen.

  --check         writes nothing: fails if a screen does not fit 80 columns and
                  24 lines, or differs from the page by more than times and ids
  --page FILE     the page, in place of docs/evening.md
  --binaries DIR  where the executables are, in place of dist
  --help          this text
END
}

fail() {
    printf 'transcript.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
page=$repository/docs/evening.md binaries=$repository/dist check=no
while [ $# -gt 0 ]; do
    case $1 in
        --check) check=yes ;;
        --page | --binaries)
            [ $# -ge 2 ] || fail "$1 needs a value" 2
            case $1 in --page) page=$2 ;; *) binaries=$2 ;; esac
            shift
            ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: transcript.sh --help)" 2 ;;
    esac
    shift
done
command -v git >/dev/null 2>&1 || fail 'there is no git on PATH: the tasks are done in a repository'
binaries=$(CDPATH='' cd -- "$binaries" && pwd -P) || fail 'there are no executables (scripts/build.sh makes them)'
# shellcheck source=scripts/lib/story.sh
. "$repository/scripts/lib/story.sh"

PATH=$binaries:$PATH
# As long as the name that the page has for it: lines are folded by what is in them.
folder=$(mktemp -d /tmp/ce.XXXXXX)
shown=/home/ann/work
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
cat >> "$COLIBRI_CONFIG" <<END

[agents.careful]
kind = "pi"
binary = "$binaries/colibri-test-agent"
args = ["--rpc", "--ask"]
END
written=$folder/page
# The names of directories are no part of the story.
plain() { sed -e "s|$folder|$shown|g" -e "s|$binaries|/usr/bin|g"; }

# A screen: a heading, then commands, each by show.
screen() {
    printf '\n%s\n\n' "$1" >> "$written"
    : > "$folder/screen"
}
show() {
    typed "$@" >> "$folder/screen"
    "$@" >> "$folder/screen" 2>&1 || fail "this ended with $?: $*
$(cat "$folder/screen")"
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
    sed -e 's/^/    /' -e 's/ *$//' "$folder/screen.plain" >> "$written"
}

# A task of the evening. Its agents have ended before the next one is given, so that the order of what they leave is always the same.
give() {
    show colibri add "$@"
    given=$((given + 1))
    if [ "$given" -lt 5 ]; then colibri wait "$given" --timeout 120 >/dev/null 2>&1 || [ $? -eq 1 ] || fail "task $given does not end"; fi
}

cat > "$written" <<'END'
# An evening and a morning

Five tasks for one repository, given in the evening and looked at in the morning, on a terminal of 80 columns and 24 lines. `scripts/transcript.sh`
made this page with a daemon of its own, and a test holds it against the executables. The agents are stand-ins that need no model.

The configuration file:

END
plain < "$COLIBRI_CONFIG" | sed -e 's/^/    /' -e 's/ *$//' >> "$written"

start_daemon
cd "$folder/site"
given=0
screen '## The evening'
give 'Greet by name at login' --agent pi
give 'Write the release notes' --agent pi
give 'List the contributors' --agent pi
give 'Speed up the parser' --agent pi
give 'Drop the old table' --agent careful
end_screen

# The night.
tries=0
until colibri inbox --json | grep -q '"kind":"question"'; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || fail 'the agent of task 5 asks nothing'
    sleep 0.1
done
agent=$(colibri inbox | sed -n 's/.*colibri answer \(a[0-9]*\) .*/\1/p')

screen '## The morning

What waits for a person:'
show colibri inbox
end_screen
screen 'What did the first one do? Its check failed once, went back to the agent, and passed.'
show_head 21 colibri get-task 1
end_screen
screen 'The change itself:'
show colibri diff 1
end_screen
screen 'Three changes land; the check runs on each merged result. The question is answered, and the failure is sent back with a hint.'
show colibri land 1 2 3
show colibri answer "$agent" --yes
show colibri retry 4 --feedback 'hello.sh must say hello'
show colibri wait 5 --timeout 120
show colibri wait 4 --timeout 120
show git log --oneline --first-parent
end_screen
screen 'What is left:'
show colibri inbox
show colibri land 4
show colibri list-tasks
end_screen
end_daemon

# What differs from run to run.
# A busy machine may not have looked at the workspace when the first task is added, which add then says.
mask() {
    sed -E -e 's/[0-9a-f]{8}-[0-9a-f-]{27}/ID/g' \
        -e 's/(^|[^0-9a-z])[0-9a-f]{7,40}($|[^0-9a-z])/\1COMMIT\2/g' -e 's/(^|[^0-9a-z])[0-9a-f]{7,40}($|[^0-9a-z])/\1COMMIT\2/g' \
        -e 's/[0-9-]{10}T[0-9:.]*Z/TIME/g' -e 's/(^|[ (])[0-9][0-9.,]* ?(ms|s|m|h|seconds?|minutes?)($|[ ,.;)])/\1TIME\3/g' \
        -e '/it is being looked at$/d' -e 's/ +/ /g' "$1"
}
if [ "$check" = yes ]; then
    [ -f "$page" ] || fail "there is no $page (scripts/transcript.sh writes it)"
    mask "$page" > "$folder/known"
    mask "$written" > "$folder/now"
    diff -u "$folder/known" "$folder/now" || fail "${page#"$repository/"} is not what the executables print now (scripts/transcript.sh writes it)"
else
    cp "$written" "$page"
    printf 'written: %s\n' "$page"
fi
