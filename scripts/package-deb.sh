#!/bin/sh
# Builds the Debian package from native executables.
set -eu

usage() {
    cat <<'END'
usage: package-deb.sh [--binaries DIR] [-o DIR] [--version VERSION] [--help]

Makes colibri_VERSION-1_ARCH.deb of colibri-daemon, colibri, colibri-web,
colibri-mcp and colibri-test-agent with their manual pages, the completions that
colibri prints, the systemd units and the rest of packaging/linux, and prints its
path. The same input gives the same bytes: files have the time of
SOURCE_DATE_EPOCH, or of the last commit.

  --binaries DIR      where the executables are (default: dist/ in the repository,
                      built by build.sh where it is missing); static ones will do;
                      another machine's need an emulator of it (qemu-user)
  -o DIR              where the package goes (default: dist/ in the repository)
  --version VERSION   instead of the one in Directory.Build.props
  --help              this text

DEBFULLNAME and DEBEMAIL name the maintainer.
END
}

fail() {
    printf 'package-deb.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
binaries='' output=$repository/dist version=''
while [ $# -gt 0 ]; do
    case $1 in
        --binaries | -o | --version)
            if [ $# -lt 2 ] || [ -z "$2" ]; then
                fail "$1 needs a value (try: package-deb.sh --help)" 2
            fi
            case $1 in
                --binaries) binaries=$2 ;;
                -o) output=$2 ;;
                --version) version=$2 ;;
            esac
            shift
            ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: package-deb.sh --help)" 2 ;;
    esac
    shift
done
for tool in dpkg-deb readelf gzip md5sum; do
    command -v "$tool" >/dev/null || fail "$tool is not installed (try: apt-get install dpkg binutils gzip coreutils)"
done
if [ -z "$version" ]; then
    version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$repository/Directory.Build.props")
fi
case $version in
    [0-9]*) ;;
    *) fail "version $version does not start with a digit (try: --version 0.1.1)" 2 ;;
esac
if [ -z "$binaries" ]; then
    binaries=$repository/dist
    if [ ! -e "$binaries/colibri-daemon" ]; then
        "$repository/scripts/build.sh" >&2
    fi
fi
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$repository" log -1 --format=%ct 2>/dev/null || stat -c %Y "$repository/Directory.Build.props")
fi
export SOURCE_DATE_EPOCH

machine='' wanted=0
for program in colibri-daemon colibri colibri-web colibri-mcp colibri-test-agent; do
    file=$binaries/$program
    if [ ! -f "$file" ] || [ ! -x "$file" ]; then
        fail "$file is missing or not executable (try: scripts/build.sh -o $binaries)"
    fi
    found=$(readelf -h "$file" 2>/dev/null | sed -n 's/^ *Machine: *//p')
    [ -n "$found" ] || fail "$file is no ELF executable (try: scripts/build.sh -o $binaries)"
    [ "${machine:-$found}" = "$found" ] || fail "$file is for $found, colibri-daemon for $machine (try: scripts/build.sh -o $binaries)"
    machine=$found
    # The newest symbol version that any of them asks glibc for; a static one asks for none.
    for symbols in $(readelf -V "$file" | sed -n 's/.*Name: GLIBC_2\.\([0-9]*\).*/\1/p'); do
        if [ "$symbols" -gt "$wanted" ]; then wanted=$symbols; fi
    done
done
case $machine in
    *X86-64*) architecture=amd64 ;;
    AArch64) architecture=arm64 ;;
    *) fail "no Debian architecture is known here for $machine" ;;
esac
# Another machine's colibri is run by an emulator, with that machine's loader where it is not static.
emulator=''
case $architecture/$(uname -m) in
    amd64/x86_64 | arm64/aarch64) ;;
    arm64/*) emulator='qemu-aarch64 -L /usr/aarch64-linux-gnu' ;;
    amd64/*) emulator='qemu-x86_64 -L /usr/x86_64-linux-gnu' ;;
esac
[ -z "$emulator" ] || command -v "${emulator%% *}" >/dev/null ||
    fail "$binaries/colibri cannot be run here, and it prints its completions itself (try: apt-get install qemu-user)"
depends=passwd
if [ "$wanted" -gt 0 ]; then depends="libc6 (>= 2.$wanted), passwd"; fi

stage=$(mktemp -d)
# mktemp's 0700 would be the package's root.
chmod 755 "$stage"
trap 'rm -rf "$stage" "${partial:-}"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
umask 022
linux=$repository/packaging/linux
root=$stage/root

put() {
    put_target=$root$3
    mkdir -p "$(dirname "$put_target")"
    install -m "$1" "$2" "$put_target"
}
compress() {
    mkdir -p "$(dirname "$root$1")"
    gzip -9n > "$root$1"
    chmod 644 "$root$1"
}

put 755 "$binaries/colibri-daemon" /usr/sbin/colibri-daemon
put 755 "$binaries/colibri" /usr/bin/colibri
for program in colibri-web colibri-mcp colibri-test-agent; do put 755 "$binaries/$program" "/usr/bin/$program"; done
completion() {
    # shellcheck disable=SC2086  # a command and its options
    if ! $emulator "$binaries/colibri" completion "$1" > "$stage/completion" 2>"$stage/complaint" </dev/null || [ ! -s "$stage/completion" ]; then
        fail "$binaries/colibri prints no completion for $1 (try: $emulator${emulator:+ }$binaries/colibri completion $1)"
    fi
    put 644 "$stage/completion" "$2"
}
completion bash /usr/share/bash-completion/completions/colibri
completion zsh /usr/share/zsh/vendor-completions/_colibri
completion fish /usr/share/fish/vendor_completions.d/colibri.fish
for page in colibri.1 colibri-mcp.1 colibri-test-agent.1 colibri-daemon.8 colibri-web.8; do
    compress "/usr/share/man/man${page##*.}/$page.gz" < "$repository/docs/man/$page"
done
# Both names of the directory are one since Debian 12, and the helpers of 12 look for units under this one.
for unit in colibri-daemon colibri-web; do
    put 644 "$linux/$unit.service" "/lib/systemd/system/$unit.service"
    put 644 "$linux/$unit.user.service" "/usr/lib/systemd/user/$unit.service"
done
put 644 "$linux/sysusers.conf" /usr/lib/sysusers.d/colibri.conf
put 644 "$linux/tmpfiles.conf" /usr/lib/tmpfiles.d/colibri.conf
put 644 "$linux/colibri.env" /etc/colibri/colibri.env
put 644 "$linux/web.env" /etc/colibri/web.env
put 644 "$linux/provider.env" /usr/share/colibri/provider.env
put 644 "$linux/confinement.conf" /usr/share/doc/colibri/examples/confinement.conf
put 644 "$repository/packaging/colibri.toml.example" /usr/share/doc/colibri/examples/colibri.toml
put 644 "$repository/packaging/grafana/colibri.json" /usr/share/doc/colibri/examples/grafana.json
put 644 "$repository/docs/linux.md" /usr/share/doc/colibri/linux.md
{ cat "$linux/debian/copyright"; sed -e 1,2d -e 's/^$/./' -e 's/^/ /' "$repository/LICENSE"; } > "$stage/copyright"
put 644 "$stage/copyright" /usr/share/doc/colibri/copyright
maintainer="${DEBFULLNAME:-The Colibri authors} <${DEBEMAIL:-colibri@localhost.localdomain}>"
compress /usr/share/doc/colibri/changelog.Debian.gz <<END
colibri ($version-1) unstable; urgency=medium

  * Colibri $version.

 -- $maintainer  $(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")
END

mkdir "$root/DEBIAN"
for script in postinst prerm postrm; do
    install -m 755 "$linux/debian/$script" "$root/DEBIAN/$script"
done
printf '/etc/colibri/%s\n' colibri.env web.env > "$root/DEBIAN/conffiles"
(cd "$root" && find . -path ./DEBIAN -prune -o -path ./etc -prune -o -type f -print | LC_ALL=C sort | sed 's:^\./::' | xargs md5sum) > "$root/DEBIAN/md5sums"
cat > "$root/DEBIAN/control" <<END
Package: colibri
Version: $version-1
Architecture: $architecture
Maintainer: $maintainer
Installed-Size: $(find "$root" -path "$root/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
Depends: $depends
Recommends: git, tzdata
Suggests: bubblewrap
Section: admin
Priority: optional
Description: supervisor of AI coding agents
 A small always-on daemon that keeps a durable task board, starts a coding agent
 on each queued task, watches what it does, keeps its session log and judges the
 outcome. This package has the daemon, its command line client, the web
 glasspane, an MCP server, a test agent that needs no model, and systemd units.
END
find "$root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +

mkdir -p "$output"
package=$output/colibri_$version-1_$architecture.deb
partial=$package.$$
dpkg-deb --root-owner-group -Zxz --build "$root" "$partial" >/dev/null
mv -f "$partial" "$package"
printf '%s\n' "$package"
