#!/bin/sh
# Publishes colibri-daemon, colibri, colibri-mcp, colibri-web and colibri-test-agent as native executables for this machine, or on x86-64 Linux for aarch64.
set -eu

usage() {
    cat <<'END'
usage: build.sh [-o DIR] [--arch ARCH] [--static] [--map] [--help]

Publishes colibri-daemon, colibri, colibri-mcp, colibri-web and
colibri-test-agent as native executables for this machine: one file each, SQLite
inside the daemon. What lacks for it is installed where that takes no password.

  -o DIR      where the executables go (default: dist/ in the repository,
              dist/arm64 for another machine's)
  --arch ARCH for which processor: x64 or arm64 (default: this machine's);
              x86-64 Linux builds for arm64 Linux as well
  --static    link libc in as well: no shared library is needed at run time
  --map       leave a map of what was compiled, for size-report.sh
  --help      this text

A build that fails leaves DIR as it was.
END
}

fail() {
    printf 'build.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
output='' architecture=''
static=no
map=no
while [ $# -gt 0 ]; do
    case $1 in
        -o)
            if [ $# -lt 2 ] || [ -z "$2" ]; then
                fail "$1 needs a value (try: build.sh --help)" 2
            fi
            output=$2
            shift
            ;;
        --arch)
            case ${2:-} in
                x64 | arm64) architecture=$2 ;;
                *) fail "--arch is x64 or arm64 (try: build.sh --help)" 2 ;;
            esac
            shift
            ;;
        --static) static=yes ;;
        --map) map=yes ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: build.sh --help)" 2 ;;
    esac
    shift
done
host=$(uname -s)/$(uname -m)
case $host in
    Linux/x86_64 | FreeBSD/amd64) own=x64 ;;
    Linux/aarch64 | FreeBSD/arm64) own=arm64 ;;
    *) fail "no native build for $(uname -s) on $(uname -m)" ;;
esac
cross=no
if [ "${architecture:-$own}" != "$own" ]; then
    cross=yes
    [ "$host" = Linux/x86_64 ] || fail "an executable for $architecture is built on $architecture, or for arm64 on x86-64 Linux: this is $(uname -s) on $(uname -m)"
fi
if [ -z "$output" ]; then
    output=$repository/dist
    if [ "$cross" = yes ]; then output=$output/$architecture; fi
fi
case $output in
    /*) ;;
    *) output=$(pwd)/$output ;;
esac

# shellcheck source=scripts/lib/prerequisites.sh
. "$repository/scripts/lib/prerequisites.sh"
# shellcheck source=scripts/lib/elf.sh
. "$repository/scripts/lib/elf.sh"
if [ "$cross" = yes ]; then
    require_prerequisites "$architecture"
elif [ "$static" = yes ]; then
    require_prerequisites static
else
    require_prerequisites
fi

# What is made is not tracked by its options, so every kind of build has intermediate files of its own.
artifacts=$repository/.cache/build/native
if [ "$cross" = yes ]; then artifacts=$artifacts-$architecture; fi
if [ "$static" = yes ]; then artifacts=$artifacts-static; fi
if [ "$map" = yes ]; then artifacts=$artifacts-map; fi
mkdir -p "$artifacts"

# One build at a time in one set of intermediate files. -o: no process started here may keep the lock when this one ends.
if [ "${COLIBRI_BUILD_LOCK:-}" != "$artifacts" ]; then
    COLIBRI_BUILD_LOCK=$artifacts
    export COLIBRI_BUILD_LOCK
    set -- -o "$output"
    if [ "$cross" = yes ]; then set -- "$@" --arch "$architecture"; fi
    if [ "$static" = yes ]; then set -- "$@" --static; fi
    if [ "$map" = yes ]; then set -- "$@" --map; fi
    if command -v flock >/dev/null 2>&1; then
        exec flock -o "$artifacts/lock" "$repository/scripts/build.sh" "$@"
    elif command -v lockf >/dev/null 2>&1; then
        exec lockf -k "$artifacts/lock" "$repository/scripts/build.sh" "$@"
    fi
fi

stage=$(mktemp -d "$artifacts/stage.XXXXXX")
cleanup() {
    rm -rf "$stage"
    for program in colibri-daemon colibri colibri-mcp colibri-web colibri-test-agent; do
        rm -f "$output/.$program.$$"
    done
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# No build server outlives the build.
DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0
export DOTNET_CLI_TELEMETRY_OPTOUT DOTNET_NOLOGO MSBUILDDISABLENODEREUSE DOTNET_CLI_USE_MSBUILD_SERVER

set -- --configuration Release --artifacts-path "$artifacts" --nologo --verbosity quiet \
    "-p:SqliteArchive=$SQLITE_ARCHIVE" -p:UseSharedCompilation=false
if [ "$map" = yes ]; then set -- "$@" -p:IlcGenerateMapFile=true; fi
if [ "$cross" = yes ]; then
    # gcc is no driver for this: the compiler's targets pass --target, which is clang's.
    set -- "$@" "-p:NativeArchitecture=$architecture" -p:LinkerFlavor=lld "-p:CppCompilerAndLinker=$CROSS_COMPILER" "-p:ObjCopyName=$CROSS_OBJCOPY"
    if [ "$static" = yes ]; then set -- "$@" -p:StaticExecutable=true; fi
elif [ "$static" = yes ]; then
    set -- "$@" -p:StaticExecutable=true
    if [ -n "$STATIC_COMPILER" ]; then
        set -- "$@" -p:LinkerFlavor=lld "-p:CppCompilerAndLinker=$STATIC_COMPILER"
    else
        # GNU ld cannot make a static position-independent executable of this.
        set -- "$@" -p:PositionIndependentExecutable=false
    fi
fi

publish() {
    project=$1
    shift
    mkdir "$stage/$project"
    if ! dotnet publish "$repository/src/$project/$project.csproj" --output "$stage/$project" "$@" \
        >"$stage/log" 2>&1 </dev/null; then
        cat "$stage/log" >&2
        fail "$project did not build"
    fi
}

# Beside itself an executable needs libc, libm and the loader, and a static one nothing.
check_libraries() {
    if [ "$cross" = yes ]; then
        # ldd(1) runs the loader, which is the other machine's.
        if ! elf_read "$1" || [ "$ELF_MACHINE" != aarch64 ]; then fail "${1##*/} is not for aarch64"; fi
        foreign=$(aarch64-linux-gnu-readelf -d "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
            grep -v -x -e 'libc\.so\.6' -e 'libm\.so\.6' -e 'ld-linux-aarch64\.so\.1' || :)
        if [ "$static" = yes ] && [ "$ELF_LINKAGE" != static ]; then fail "${1##*/} is not static"; fi
        if [ -n "$foreign" ]; then fail "${1##*/} needs more than libc, libm and the loader: $foreign"; fi
        return 0
    fi
    if [ "$(uname -s)" != Linux ] || ! command -v ldd >/dev/null 2>&1; then
        return 0
    fi
    if [ "$static" = yes ]; then
        if ldd "$1" >/dev/null 2>&1 && ldd "$1" | grep -q '=>'; then
            fail "${1##*/} is not static: $(ldd "$1" | tr -s '\n\t' '  ')"
        fi
        return 0
    fi
    foreign=$(ldd "$1" | grep -v -e 'linux-vdso\.so' -e '/ld-linux' -e 'libc\.so\.6 ' -e 'libm\.so\.6 ' || :)
    if [ -n "$foreign" ]; then
        fail "${1##*/} needs more than libc, libm and the loader:$foreign"
    fi
}

publish Colibri.Daemon "$@"
publish Colibri.Cli "$@"
publish Colibri.Web "$@"
publish Colibri.Mcp "$@"
publish Colibri.TestAgent "$@"
mkdir "$stage/bin"
mv "$stage/Colibri.Daemon/colibri-daemon" "$stage/Colibri.Cli/colibri" "$stage/Colibri.Mcp/colibri-mcp" "$stage/Colibri.Web/colibri-web" "$stage/Colibri.TestAgent/colibri-test-agent" "$stage/bin"
for program in colibri-daemon colibri colibri-mcp colibri-web colibri-test-agent; do
    check_libraries "$stage/bin/$program"
done

# Copied beside the old ones first: putting them in place is then a rename each, and a running old one is not written into.
mkdir -p "$output"
for program in colibri-daemon colibri colibri-mcp colibri-web colibri-test-agent; do
    cp "$stage/bin/$program" "$output/.$program.$$"
done
for program in colibri-daemon colibri colibri-mcp colibri-web colibri-test-agent; do
    mv -f "$output/.$program.$$" "$output/$program"
    printf '%s  %s bytes\n' "$output/$program" "$(wc -c < "$output/$program" | tr -d ' ')"
done
