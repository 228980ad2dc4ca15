# shellcheck shell=sh
# A private daemon with a repository, for demo.sh and transcript.sh: begin_story FOLDER, then start_daemon; end_daemon stops it.
# shellcheck disable=SC2154  # set by the caller
# Wants: binaries (where the executables are, which are in PATH too), fail().

# A repository with a check that passes, an agent for it, and the configuration file of the story.
begin_story() {
    story=$1
    COLIBRI_DAEMON_SOCKET=$story/colibri.sock
    COLIBRI_DB_PATH=$story/state/colibri.sqlite
    COLIBRI_SESSIONS_DIR=$story/state/sessions
    COLIBRI_CONFIG=$story/colibri.toml
    COLIBRI_SCHEDULER_INTERVAL=1s
    COLIBRI_MAX_AGENTS=8
    COLUMNS=80
    export COLIBRI_DAEMON_SOCKET COLIBRI_DB_PATH COLIBRI_SESSIONS_DIR COLIBRI_CONFIG COLIBRI_SCHEDULER_INTERVAL COLIBRI_MAX_AGENTS COLUMNS
    mkdir -p "$story/state" "$story/site/tests"
    (
        cd "$story/site" || exit
        git init --quiet --initial-branch=main
        git config user.name 'An Operator'
        git config user.email operator@example.org
        printf '%s\n' '#!/bin/sh' 'echo hello' > hello.sh
        printf '%s\n' "test \"\$(sh hello.sh)\" = hello || { echo 'hello.sh does not say hello'; exit 1; }" > tests/hello
        # shellcheck disable=SC2016  # the script's own variable
        printf '%s\n' 'for test in tests/*; do sh "$test" || { echo "FAILED $test"; exit 1; }; done' 'echo all tests passed' > test.sh
        git add .
        git commit --quiet --message 'Say hello'
    )
    cat > "$story/agent.sh" <<END
#!/bin/sh
# Plays an agent: does what the prompt asks for in this directory, then tells of it as Pi does.
for prompt; do :; done
case \$prompt in
# A run that goes on in the agent's own session is told what is new alone.
*'does not greet ann'*) printf '%s\n' '#!/bin/sh' 'echo "Hello, \$1"' > login.sh ;;
*'Greet by name'*)
    printf '%s\n' '#!/bin/sh' 'echo "hi \$1"' > login.sh
    printf '%s\n' 'said=\$(sh login.sh ann)' '[ "\$said" = "Hello, ann" ] || { echo "it does not greet ann: \$said"; exit 1; }' > tests/login
    ;;
*'must say hello'*) printf '%s\n' '#!/bin/sh' 'echo hello # at once' > hello.sh ;;
*parser*) printf '%s\n' 'echo helo' > hello.sh ;;
*) printf '%s\n' "\$prompt" | sed 1q > "\$(printf '%s' "\$prompt" | sed 1q | tr -c 'A-Za-z\n' '-').txt" ;;
esac
exec $binaries/colibri-test-agent --turns 1 --emit-usage "\$@"
END
    chmod +x "$story/agent.sh"
    cat > "$COLIBRI_CONFIG" <<END
[agents.pi]
kind = "pi"
binary = "$story/agent.sh"

[workspaces.site]
path = "$story/site"
check = "sh test.sh"
rework = 1
END
}

start_daemon() {
    colibri-daemon --pidfile "$story/colibri.pid" 2>"$story/daemon.log" &
    daemon=$!
    tries=0
    until colibri ping >/dev/null 2>&1; do
        kill -0 "$daemon" 2>/dev/null || fail 'the daemon did not start'
        tries=$((tries + 1))
        [ "$tries" -lt 600 ] || fail 'the daemon does not answer'
        sleep 0.05
    done
    # A task of a workspace that is still being looked at says so.
    until colibri inbox --json | grep -q '"items":\[\]'; do
        tries=$((tries + 1))
        [ "$tries" -lt 1200 ] || fail "the workspace cannot be worked in: $(colibri inbox)"
        sleep 0.05
    done
}

end_daemon() {
    kill -TERM "$daemon"
    wait "$daemon" || fail "the daemon ended with $?"
    daemon=''
    if [ -e "$COLIBRI_DAEMON_SOCKET" ] || [ -e "$story/colibri.pid" ]; then
        fail 'the daemon left its socket or pidfile behind'
    fi
}

# For a trap: stops what is left, and shows the daemon's last words after a failure.
drop_daemon() {
    if [ -n "${daemon:-}" ]; then
        kill -TERM "$daemon" 2>/dev/null || :
        wait "$daemon" 2>/dev/null || :
    fi
    if [ "$1" -ne 0 ] && [ -s "$story/daemon.log" ]; then
        printf '\nthe last of the daemon log:\n' >&2
        tail -n 20 "$story/daemon.log" >&2
    fi
}

# A command as an operator would type it.
typed() {
    printf '$'
    for word in "$@"; do
        case $word in *[!A-Za-z0-9_./=-]*) printf " '%s'" "$word" ;; *) printf ' %s' "$word" ;; esac
    done
    printf '\n'
}
