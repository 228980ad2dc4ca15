# shellcheck shell=sh
# Real agents for tests and the demo, from the npm registry into a cache of their own. Source it, then:
#
#   pi=$(real_pi)     # path of a `pi` that runs Pi 1.6.0 on a Node it is content with
#   codex=$(real_codex) claude=$(real_claude) opencode=$(real_opencode)     # 404, 384 and 177 MB on disk
#   gemini=$(real_gemini) qwen=$(real_qwen) copilot=$(real_copilot)
#   droid=$(real_droid) goose=$(real_goose) cline=$(real_cline)     # 243, 269 and 152 MB on disk
#   playwright=$(real_playwright) axe=$(real_axe)     # what drives a browser and looks at a page, for the web pages
#
#   clients=$(mcp_clients)     # a directory whose node_modules have the MCP inspector, the official TypeScript SDK and ajv; 123 MB on disk
#   suite=$(mcp_conformance)     # the same for the official conformance suite; 51 MB on disk
#
# Nothing is installed outside ${COLIBRI_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/colibri-tests}. Each function prints a path, or one
# line on stderr that says what is missing; it then returns 75 (EX_TEMPFAIL of sysexits.h) where the thing cannot be had here or now, for
# want of npm, of a registry that answers or of a build for this platform, and 1 where something is wrong. Two callers at once are safe:
# both fetch, one rename wins.

REAL_PI_VERSION=1.6.0
REAL_CODEX_VERSION=0.171.0
REAL_CLAUDE_VERSION=2.1.332
REAL_OPENCODE_VERSION=1.18.33
REAL_GEMINI_VERSION=0.61.0
REAL_QWEN_VERSION=0.24.4
REAL_COPILOT_VERSION=1.0.102
REAL_DROID_VERSION=0.225.2
REAL_GOOSE_VERSION=0.20.1
REAL_CLINE_VERSION=3.0.65
MCP_INSPECTOR_VERSION=2.12.0
MCP_SDK_VERSION=1.32.2
MCP_CONFORMANCE_VERSION=0.1.16
REAL_JITI_VERSION=2.7.0
REAL_PLAYWRIGHT_VERSION=1.65.1
REAL_AXE_VERSION=4.14.1
REAL_NODE_MAJOR=22
REAL_NODE_MINOR=19

real_agents_cache() {
    if [ -n "${COLIBRI_TEST_CACHE:-}" ]; then
        printf '%s\n' "$COLIBRI_TEST_CACHE"
    elif [ -n "${XDG_CACHE_HOME:-${HOME:-}}" ]; then
        printf '%s\n' "${XDG_CACHE_HOME:-$HOME/.cache}/colibri-tests"
    else
        echo 'real-agents: neither COLIBRI_TEST_CACHE, XDG_CACHE_HOME nor HOME is set (try: COLIBRI_TEST_CACHE=/tmp/colibri-tests)' >&2
        return 1
    fi
}

# _real_agents_unpack SPEC DIR: the npm package SPEC, unpacked, becomes DIR, whole or not at all.
_real_agents_unpack() (
    set -eu
    spec=$1 dir=$2
    [ ! -d "$dir" ] || exit 0
    if ! command -v npm >/dev/null 2>&1; then
        echo "real-agents: npm is not on PATH, so $spec cannot be fetched (try: apt install npm, or pkg install npm)" >&2
        exit 75
    fi
    mkdir -p "$(dirname "$dir")"
    temporary=$(mktemp -d "$dir.XXXXXX")
    trap 'rm -rf "$temporary"' EXIT
    trap 'exit 1' HUP INT TERM
    # A registry that does not answer should cost seconds, not npm's default of minutes.
    if ! (cd "$temporary" && npm pack --loglevel=error --fetch-retries=1 --fetch-timeout=60000 "$spec" >npm.out 2>npm.err); then
        echo "real-agents: npm could not fetch $spec: $(cat "$temporary/npm.out" "$temporary/npm.err" | head -n 1) (is the registry reachable? try: npm ping)" >&2
        if npm ping --fetch-retries=0 --fetch-timeout=10000 >/dev/null 2>&1; then exit 1; else exit 75; fi
    fi
    (cd "$temporary" && tar -xzf ./*.tgz --strip-components=1 && rm -f ./*.tgz npm.out npm.err)
    chmod 755 "$temporary"
    # Losing the race moves ours into the winner's folder instead of onto it; the winner's is as good.
    mv "$temporary" "$dir"
    rm -rf "${dir:?}/${temporary##*/}"
)

_real_node_is_new_enough() {
    "$1" -e "const [a, b] = process.versions.node.split('.').map(Number);
        process.exit(a > $REAL_NODE_MAJOR || a === $REAL_NODE_MAJOR && b >= $REAL_NODE_MINOR ? 0 : 1)" >/dev/null 2>&1
}

# _real_agents_platform: this machine as npm's packages of executables are named after it.
_real_agents_platform() {
    case "$(uname -s)-$(uname -m)" in
        Linux-x86_64) echo linux-x64 ;;
        Linux-aarch64) echo linux-arm64 ;;
        Darwin-arm64) echo darwin-arm64 ;;
        Darwin-x86_64) echo darwin-x64 ;;
        *) return 75 ;;
    esac
}

# _real_agents_native NAME SPEC VERSION PATTERN: an agent that is one executable. SPEC has @PLATFORM@ in it; PATTERN is where it lies.
_real_agents_native() {
    if ! _platform=$(_real_agents_platform); then
        echo "real-agents: npm has no $1 for $(uname -sm)" >&2
        return 75
    fi
    _cache=$(real_agents_cache) || return $?
    _agent="$_cache/$1-$3-$_platform"
    _real_agents_unpack "$(printf '%s\n' "$2" | sed "s/@PLATFORM@/$_platform/")" "$_agent" || return $?
    for _executable in "$_agent"/$4; do
        if [ -x "$_executable" ]; then
            printf '%s\n' "$_executable"
            return 0
        fi
    done
    echo "real-agents: no executable $4 in $_agent (try: rm -r $_agent)" >&2
    return 1
}

real_codex() {
    _real_agents_native codex "@openai/codex@$REAL_CODEX_VERSION-@PLATFORM@" "$REAL_CODEX_VERSION" 'vendor/*/bin/codex'
}

real_claude() {
    _real_agents_native claude "@anthropic-ai/claude-code-@PLATFORM@@$REAL_CLAUDE_VERSION" "$REAL_CLAUDE_VERSION" claude
}

# The baseline build of x86-64 asks for no AVX2, which not every virtual machine has.
real_opencode() {
    case "$(uname -m)" in
        x86_64) _baseline=-baseline ;;
        *) _baseline= ;;
    esac
    _real_agents_native opencode "opencode-@PLATFORM@$_baseline@$REAL_OPENCODE_VERSION" "$REAL_OPENCODE_VERSION" bin/opencode
}

# The same of droid's.
real_droid() {
    case "$(uname -m)" in
        x86_64) _baseline=-baseline ;;
        *) _baseline= ;;
    esac
    _real_agents_native droid "@factory/cli-@PLATFORM@$_baseline@$REAL_DROID_VERSION" "$REAL_DROID_VERSION" bin/droid
}

# The package has a version of its own: this one holds goose 1.34.
real_goose() {
    _real_agents_native goose "@aaif/goose-binary-@PLATFORM@@$REAL_GOOSE_VERSION" "$REAL_GOOSE_VERSION" bin/goose
}

real_cline() {
    _real_agents_native cline "@cline/cli-@PLATFORM@@$REAL_CLINE_VERSION" "$REAL_CLINE_VERSION" bin/cline
}

# real_node: the machine's own Node where it is new enough, else one from the registry.
real_node() {
    _node=$(command -v node 2>/dev/null || true)
    if [ -n "$_node" ] && _real_node_is_new_enough "$_node"; then
        printf '%s\n' "$_node"
        return 0
    fi
    # The package `node` only fetches one of these by an install script; they hold the executable itself.
    if ! _platform=$(_real_agents_platform); then
        echo "real-agents: Node >= $REAL_NODE_MAJOR.$REAL_NODE_MINOR is not on PATH and npm has none for $(uname -sm) (try: pkg install node22)" >&2
        return 75
    fi
    _cache=$(real_agents_cache) || return $?
    _node="$_cache/node-$REAL_NODE_MAJOR-$_platform"
    _real_agents_unpack "node-$_platform@$REAL_NODE_MAJOR" "$_node" || return $?
    if ! _real_node_is_new_enough "$_node/bin/node"; then
        echo "real-agents: $_node/bin/node does not run here or is older than $REAL_NODE_MAJOR.$REAL_NODE_MINOR (try: rm -r $_node)" >&2
        return 1
    fi
    printf '%s\n' "$_node/bin/node"
}

# real_pi: Pi's tarball is self-contained, where `npm install` of it fails on dependencies that no registry has.
real_pi() {
    _executable=$(real_node) || return $?
    _cache=$(real_agents_cache) || return $?
    _pi="$_cache/pi-$REAL_PI_VERSION"
    _real_agents_unpack "@earendil-works/pi-coding-agent@$REAL_PI_VERSION" "$_pi" || return $?
    # What Pi loads extensions with; it looks in its parent folders.
    _real_agents_unpack "jiti@$REAL_JITI_VERSION" "$_cache/node_modules/jiti" || return $?
    # Named `pi` because a supervisor tells an agent's dialect by its base name; exec, so that the pid is Pi's own.
    _wrapper="$_pi/colibri/pi"
    mkdir -p "$_pi/colibri"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$_executable" "$_pi/dist/bundle/cli.js" >"$_wrapper.$$"
    chmod 755 "$_wrapper.$$"
    mv "$_wrapper.$$" "$_wrapper"
    printf '%s\n' "$_wrapper"
}

# _real_agents_script NAME SPEC VERSION ENTRY: an agent that is a program for Node, whole in its tarball; ENTRY is where it begins.
_real_agents_script() {
    _executable=$(real_node) || return $?
    _cache=$(real_agents_cache) || return $?
    _agent="$_cache/$1-$3"
    _real_agents_unpack "$2@$3" "$_agent" || return $?
    # Named as the agent, and exec, as in real_pi.
    _wrapper="$_agent/colibri/$1"
    mkdir -p "$_agent/colibri"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$_executable" "$_agent/$4" >"$_wrapper.$$"
    chmod 755 "$_wrapper.$$"
    mv "$_wrapper.$$" "$_wrapper"
    printf '%s\n' "$_wrapper"
}

real_gemini() {
    _real_agents_script gemini @google/gemini-cli "$REAL_GEMINI_VERSION" bundle/gemini.js
}

real_qwen() {
    _real_agents_script qwen @qwen-code/qwen-code "$REAL_QWEN_VERSION" cli-entry.js
}

real_copilot() {
    _real_agents_native copilot "@github/copilot-@PLATFORM@@$REAL_COPILOT_VERSION" "$REAL_COPILOT_VERSION" copilot
}

# _real_agents_install NAME WHAT PACKAGE...: programs of many packages, so npm installs them; their install scripts, which nothing here needs, are not run.
_real_agents_install() (
    set -eu
    cache=$(real_agents_cache) || exit $?
    dir="$cache/$1" what=$2
    shift 2
    if [ ! -d "$dir" ]; then
        if ! command -v npm >/dev/null 2>&1; then
            echo "real-agents: npm is not on PATH, so $what cannot be fetched (try: apt install npm, or pkg install npm)" >&2
            exit 75
        fi
        mkdir -p "$cache"
        temporary=$(mktemp -d "$dir.XXXXXX")
        trap 'rm -rf "$temporary"' EXIT
        trap 'exit 1' HUP INT TERM
        if ! npm install --prefix "$temporary" --ignore-scripts --no-audit --no-fund --loglevel=error --fetch-retries=1 --fetch-timeout=60000 \
            "$@" >"$temporary/npm.out" 2>&1; then
            echo "real-agents: npm could not install $what: $(head -n 1 "$temporary/npm.out") (is the registry reachable? try: npm ping)" >&2
            if npm ping --fetch-retries=0 --fetch-timeout=10000 >/dev/null 2>&1; then exit 1; else exit 75; fi
        fi
        chmod 755 "$temporary"
        # As in _real_agents_unpack.
        mv "$temporary" "$dir"
        rm -rf "${dir:?}/${temporary##*/}"
    fi
    printf '%s\n' "$dir"
)

mcp_clients() {
    _real_agents_install "mcp-clients-$MCP_INSPECTOR_VERSION-$MCP_SDK_VERSION" 'the MCP clients' \
        "@modelcontextprotocol/inspector@$MCP_INSPECTOR_VERSION" "@modelcontextprotocol/sdk@$MCP_SDK_VERSION"
}

mcp_conformance() {
    _real_agents_install "mcp-conformance-$MCP_CONFORMANCE_VERSION" 'the MCP conformance suite' "@modelcontextprotocol/conformance@$MCP_CONFORMANCE_VERSION"
}

# real_playwright: the folder of the package that drives a browser; the browser is the system's.
real_playwright() {
    _cache=$(real_agents_cache) || return $?
    _real_agents_unpack "playwright-core@$REAL_PLAYWRIGHT_VERSION" "$_cache/playwright-core-$REAL_PLAYWRIGHT_VERSION" || return $?
    printf '%s\n' "$_cache/playwright-core-$REAL_PLAYWRIGHT_VERSION"
}

# real_axe: the script that looks for what keeps people from using a page.
real_axe() {
    _cache=$(real_agents_cache) || return $?
    _real_agents_unpack "axe-core@$REAL_AXE_VERSION" "$_cache/axe-core-$REAL_AXE_VERSION" || return $?
    printf '%s\n' "$_cache/axe-core-$REAL_AXE_VERSION/axe.min.js"
}
