# shellcheck shell=sh
# Sourced: finds what building and testing need, and installs what lacks where there is a package manager to ask.
#
#   require_prerequisites [static] [arm64] [test]
#
# Says nothing and does nothing when nothing lacks. Reads `repository`, the root of the checkout; sets SQLITE_ARCHIVE; for `static` also STATIC_COMPILER, empty
# where only the GNU linker is there. `arm64` is for a build on x86-64 for aarch64: SQLITE_ARCHIVE is aarch64's then, and CROSS_COMPILER and CROSS_OBJCOPY
# are set.

missing_packages=''
missing_things=''
lists_are_fresh=no

lacks() {
    # The thing in words, and its package on Debian and on FreeBSD ("-": in the base system, or not a package there).
    missing_things="$missing_things
  $1"
    if [ "$prerequisites_system" = freebsd ]; then
        set -- "$1" "$3"
    fi
    if [ "$2" != - ]; then
        missing_packages="$missing_packages $2"
    fi
}

find_sqlite_archive() {
    for directory in \
        "$(pkg-config --variable=libdir sqlite3 2>/dev/null || :)" \
        "/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || printf '%s-linux-gnu' "$(uname -m)")" \
        /usr/local/lib /usr/lib64 /usr/lib
    do
        if [ -f "$directory/libsqlite3.a" ]; then
            printf '%s\n' "$directory/libsqlite3.a"
            return 0
        fi
    done
    return 1
}

# A clang whose own lld is new enough for static-pie: 14 fails on it.
find_static_compiler() {
    for version in 22 21 20 19 18 17 16; do
        if command -v "clang-$version" >/dev/null 2>&1 && command -v "ld.lld-$version" >/dev/null 2>&1; then
            printf '%s\n' "clang-$version"
            return 0
        fi
    done
    return 1
}

# Whether Debian's lists name these packages. A new machine has no lists yet, which must not read as "no such package".
debian_has() {
    if ! apt-cache show "$@" >/dev/null 2>&1 && [ "$lists_are_fresh" = no ] && can_be_root; then
        lists_are_fresh=yes
        as_root apt-get update </dev/null >/dev/null 2>&1 || :
    fi
    apt-cache show "$@" >/dev/null 2>&1
}

# Installed beside the machine's own, or fetched into the checkout.
find_arm64_sqlite() {
    # shellcheck disable=SC2154  # set by the script that sources this
    for directory in /usr/lib/aarch64-linux-gnu "$repository/.cache/arm64/usr/lib/aarch64-linux-gnu"; do
        if [ -f "$directory/libsqlite3.a" ]; then
            printf '%s\n' "$directory/libsqlite3.a"
            return 0
        fi
    done
    return 1
}

# Debian's own package for arm64, through a state of apt's own: the machine's packages and architectures stay as they are.
fetch_arm64_sqlite() {
    mkdir -p "$repository/.cache" && fetched=$(mktemp -d "$repository/.cache/arm64.XXXXXX") || return 1
    fetch_result=0
    (
        mkdir -p "$fetched/state/lists/partial" "$fetched/cache/archives/partial" "$fetched/root" && cd "$fetched" || exit 1
        set -- -q -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o "Dir::State=$fetched/state" -o "Dir::Cache=$fetched/cache" \
            -o Dir::State::status=/dev/null -o "APT::Sandbox::User=$(id -un)"
        # A source that has nothing for arm64 does not matter as long as another one has this package.
        apt-get "$@" update </dev/null || :
        apt-get "$@" download libsqlite3-dev </dev/null && dpkg-deb -x libsqlite3-dev_*.deb root
    ) >"$fetched/log" 2>&1 || fetch_result=1
    # Another build may have been faster.
    if [ "$fetch_result" -eq 0 ]; then
        mv -T "$fetched/root" "$repository/.cache/arm64" 2>/dev/null || find_arm64_sqlite >/dev/null || fetch_result=1
    else
        tail -n 3 "$fetched/log" >&2
    fi
    rm -rf "$fetched"
    return "$fetch_result"
}

links() {
    links_scratch=$(mktemp -d) || return 1
    printf 'int main(void) { return 0; }\n' > "$links_scratch/main.c"
    if command -v clang >/dev/null 2>&1; then links_compiler=clang; else links_compiler=gcc; fi
    links_result=0
    "$links_compiler" "$links_scratch/main.c" -o "$links_scratch/main" >/dev/null 2>&1 || links_result=1
    rm -rf "$links_scratch"
    return "$links_result"
}

# The SDK that global.json asks for; also where its install script puts it, off PATH.
have_dotnet() {
    if ! command -v dotnet >/dev/null 2>&1 && [ -x "${HOME:-/nonexistent}/.dotnet/dotnet" ]; then
        PATH="$HOME/.dotnet:$PATH"
        export PATH
    fi
    (cd "$repository" && dotnet --version) >/dev/null 2>&1
}

collect_missing() {
    missing_packages=''
    missing_things=''
    if ! have_dotnet; then
        lacks 'the .NET 10 SDK' - dotnet
    fi
    if ! command -v clang >/dev/null 2>&1 && ! command -v gcc >/dev/null 2>&1; then
        lacks 'a C compiler to link with (clang or gcc)' 'gcc libc6-dev' -
    elif ! links; then
        lacks 'the C library with its headers' libc6-dev -
    fi
    if ! command -v objcopy >/dev/null 2>&1 && ! command -v llvm-objcopy >/dev/null 2>&1; then
        lacks 'objcopy' binutils -
    fi
    if ! SQLITE_ARCHIVE=$(find_sqlite_archive); then
        lacks 'SQLite as a static library (libsqlite3.a)' libsqlite3-dev sqlite3
    fi
    if [ "$prerequisites_system" = freebsd ] && [ ! -e /usr/local/lib/libinotify.so ]; then
        lacks 'libinotify' - libinotify
    fi
    STATIC_COMPILER='' CROSS_COMPILER='' CROSS_OBJCOPY=''
    for kind in "$@"; do
        case $kind in
            static)
                if ! STATIC_COMPILER=$(find_static_compiler) && [ "$prerequisites_system" = debian ] && debian_has clang-19 lld-19; then
                    lacks 'clang and lld 19 for a static position-independent executable' 'clang-19 lld-19' -
                fi
                ;;
            arm64)
                if ! command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 || [ ! -f /usr/aarch64-linux-gnu/lib/libc.a ]; then
                    lacks 'a C compiler and the C library for aarch64' 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross' -
                fi
                if CROSS_COMPILER=$(find_static_compiler) && command -v "llvm-objcopy-${CROSS_COMPILER#clang-}" >/dev/null 2>&1; then
                    CROSS_OBJCOPY=llvm-objcopy-${CROSS_COMPILER#clang-}
                else
                    lacks 'clang, lld and llvm-objcopy of one version, 16 or later (clang-19, ld.lld-19, llvm-objcopy-19)' 'clang-19 lld-19 llvm-19' -
                fi
                if ! SQLITE_ARCHIVE=$(find_arm64_sqlite); then
                    if [ "$prerequisites_system" = debian ] && fetch_arm64_sqlite; then
                        SQLITE_ARCHIVE=$(find_arm64_sqlite)
                    else
                        lacks 'SQLite for aarch64 as a static library (/usr/lib/aarch64-linux-gnu/libsqlite3.a)' - -
                    fi
                fi
                ;;
            test)
                if ! nc -h 2>&1 | grep -q -e '-[A-Za-z]*U'; then
                    lacks 'a netcat that speaks to Unix sockets (nc -U)' netcat-openbsd -
                fi
                # Asked for only where it is one package away: elsewhere that check is skipped, with a word.
                if [ "$prerequisites_system" = debian ] && ! command -v bwrap >/dev/null 2>&1; then
                    lacks 'bubblewrap' bubblewrap -
                fi
                if [ "$prerequisites_system" = debian ] && [ ! -e /bin/busybox ]; then
                    lacks 'a static busybox' busybox-static -
                fi
                if [ "$prerequisites_system" = debian ] && [ "$(uname -m)" = x86_64 ] && ! command -v qemu-system-x86_64 >/dev/null 2>&1; then
                    lacks 'qemu for x86-64' qemu-system-x86 -
                fi
                # The layouts of aarch64 are compiled, and its executables are built and run, where that is a package away.
                if [ "$prerequisites_system" = debian ] && [ "$(uname -m)" = x86_64 ] &&
                    { ! command -v aarch64-linux-gnu-gcc >/dev/null 2>&1 || [ ! -f /usr/aarch64-linux-gnu/lib/libc.a ] ||
                        ! command -v qemu-aarch64 >/dev/null 2>&1; }; then
                    lacks 'a C compiler, the C library and an emulator for aarch64' 'gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user' -
                fi
                # The Debian package is tried in a Debian of its own, and the unit is read by systemd's tools.
                if [ "$prerequisites_system" = debian ] && ! command -v debootstrap >/dev/null 2>&1; then
                    lacks 'debootstrap' debootstrap -
                fi
                if [ "$prerequisites_system" = debian ] && ! command -v systemd-analyze >/dev/null 2>&1; then
                    lacks 'systemd' systemd -
                fi
                if [ "$prerequisites_system" = debian ] && ! command -v shellcheck >/dev/null 2>&1; then
                    lacks 'shellcheck' shellcheck -
                fi
                if [ "$prerequisites_system" = debian ] && ! command -v strace >/dev/null 2>&1; then
                    lacks 'strace' strace -
                fi
                # It drives the screen of colibri top.
                if [ "$prerequisites_system" = debian ] && ! command -v tmux >/dev/null 2>&1; then
                    lacks 'tmux' tmux -
                fi
                # The host's clock is set for the daemon alone.
                if [ "$prerequisites_system" = debian ] && ! command -v faketime >/dev/null 2>&1; then
                    lacks 'faketime' faketime -
                fi
                # The web pages are looked at in it.
                if [ "$prerequisites_system" = debian ] && ! command -v chromium >/dev/null 2>&1; then
                    lacks 'chromium' chromium -
                fi
                if [ "$prerequisites_system" = debian ] && ! command -v mandoc >/dev/null 2>&1; then
                    lacks 'mandoc' mandoc -
                fi
                ;;
        esac
    done
}

# Runs a package manager as root, or returns non-zero where that takes a password.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_be_root() {
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; }
}

install_packages() {
    printf 'Installing:%s\n' "$missing_packages"
    install_log=$(mktemp)
    install_result=0
    # shellcheck disable=SC2086  # a list of package names
    case $prerequisites_system in
        debian)
            as_root env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y --no-install-recommends $missing_packages </dev/null >"$install_log" 2>&1 ||
                {
                    as_root apt-get update </dev/null >"$install_log" 2>&1 &&
                        as_root env DEBIAN_FRONTEND=noninteractive \
                            apt-get install -y --no-install-recommends $missing_packages </dev/null >>"$install_log" 2>&1
                } || install_result=1
            ;;
        freebsd)
            as_root env ASSUME_ALWAYS_YES=yes pkg install $missing_packages </dev/null >"$install_log" 2>&1 || install_result=1
            ;;
    esac
    if [ "$install_result" -ne 0 ]; then
        tail -n 20 "$install_log" >&2
    fi
    rm -f "$install_log"
    return "$install_result"
}

prerequisites_fail() {
    printf '%s: this is missing:%s\n' "${0##*/}" "$missing_things" >&2
    if [ -n "$missing_packages" ]; then
        case $prerequisites_system in
            debian) printf 'Install it:\n  apt-get install%s\n' "$missing_packages" >&2 ;;
            freebsd) printf 'Install it:\n  pkg install%s\n' "$missing_packages" >&2 ;;
            *) printf 'Its packages on Debian, for comparison:%s\n' "$missing_packages" >&2 ;;
        esac
    fi
    if ! have_dotnet; then
        printf '.NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0\n' >&2
    fi
    exit 1
}

require_prerequisites() {
    case $(uname -s) in
        FreeBSD) prerequisites_system=freebsd ;;
        Linux) if command -v apt-get >/dev/null 2>&1; then prerequisites_system=debian; else prerequisites_system=other; fi ;;
        *) prerequisites_system=other ;;
    esac
    collect_missing "$@"
    if [ -n "$missing_packages" ] && [ "$prerequisites_system" != other ] && can_be_root; then
        if install_packages; then
            collect_missing "$@"
        fi
    fi
    if [ -n "$missing_things" ]; then
        prerequisites_fail
    fi
    # Read by the script that sources this.
    export SQLITE_ARCHIVE STATIC_COMPILER CROSS_COMPILER CROSS_OBJCOPY
}
