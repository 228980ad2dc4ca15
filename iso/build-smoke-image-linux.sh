#!/bin/sh
# Builds the Linux smoke image: a Debian kernel, and an initramfs of busybox, the static executables and the acceptance.
set -eu

usage() {
    cat <<'END'
usage: build-smoke-image-linux.sh --binaries DIR -o DIR [--kernel FILE] [--cache DIR] [--help]

Writes DIR/vmlinuz and DIR/initramfs.cpio.gz, which scripts/boot-smoke.sh boots. In the
initramfs are busybox, colibri-daemon, colibri, colibri-test-agent, acceptance.sh, the
two scripts of iso/smoke-linux, passwd and group, and a manifest; nothing else.

  --binaries DIR  the executables of scripts/build.sh --static
  -o DIR          where the image goes
  --kernel FILE   a kernel with a serial console, in place of Debian's
  --cache DIR     where Debian's kernel package is kept once it was fetched
                  (default: .cache/smoke in the repository)
  --help          this text

The kernel is fetched as a package by apt-get and unpacked, not installed. A build that
fails leaves DIR as it was.
END
}

fail() {
    printf 'build-smoke-image-linux.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
binaries='' output='' kernel='' cache=$repository/.cache/smoke
while [ $# -gt 0 ]; do
    case $1 in
        --binaries | -o | --kernel | --cache)
            if [ $# -lt 2 ] || [ -z "$2" ]; then
                fail "$1 needs a value (try: build-smoke-image-linux.sh --help)" 2
            fi
            case $1 in
                --binaries) binaries=$2 ;;
                -o) output=$2 ;;
                --kernel) kernel=$2 ;;
                --cache) cache=$2 ;;
            esac
            shift
            ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: build-smoke-image-linux.sh --help)" 2 ;;
    esac
    shift
done
[ -n "$binaries" ] || fail '--binaries DIR is missing: where are the static executables? (try: scripts/build.sh --static -o dist/static)' 2
[ -n "$output" ] || fail '-o DIR is missing: where does the image go?' 2

[ "$(uname -s)/$(uname -m)" = Linux/x86_64 ] || fail "no smoke image for $(uname -s) on $(uname -m): it is made on x86-64 Linux"
for program in colibri-daemon colibri colibri-test-agent; do
    [ -x "$binaries/$program" ] || fail "no executable $binaries/$program (try: scripts/build.sh --static -o $binaries)"
    if ldd "$binaries/$program" 2>/dev/null | grep -q '=>'; then
        fail "$binaries/$program is not static, and the image has no libraries (try: scripts/build.sh --static -o $binaries)"
    fi
done
[ -x /bin/busybox ] || fail 'there is no /bin/busybox (try: apt-get install busybox-static)'
if ldd /bin/busybox 2>/dev/null | grep -q '=>'; then
    fail '/bin/busybox is not static (try: apt-get install busybox-static)'
fi

stage=$(mktemp -d)
cleanup() {
    rm -rf "$stage"
    rm -f "$output/.vmlinuz.$$" "$output/.initramfs.$$"
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# The newest kernel package that was fetched before, or the one the archive has now.
fetch_kernel() {
    mkdir -p "$cache"
    package=$(find "$cache" -name 'linux-image-*.deb' | sort | tail -n 1)
    if [ -z "$package" ]; then
        command -v apt-get >/dev/null 2>&1 || fail 'Debian'"'"'s kernel is fetched with apt-get, which is not here: give --kernel FILE'
        name=$(kernel_package)
        if [ -z "$name" ] || ! (cd "$stage" && apt-get download "$name") >"$stage/log" 2>&1; then
            # Lists of packages that are old name a version that is gone.
            if [ "$(id -u)" -eq 0 ]; then apt-get update </dev/null >"$stage/log" 2>&1 || :; fi
            name=$(kernel_package)
            [ -n "$name" ] || fail 'apt knows no linux-image-cloud-amd64 (try: apt-get update; or give --kernel FILE)'
            (cd "$stage" && apt-get download "$name") >"$stage/log" 2>&1 ||
                fail "$name cannot be fetched: $(tail -n 1 "$stage/log") (try: apt-get update; or give --kernel FILE)"
        fi
        package=$cache/$name.deb
        mv "$stage/$name"_*.deb "$package.$$"
        mv -f "$package.$$" "$package"
    fi
    dpkg-deb --fsys-tarfile "$package" | tar -x -f - -C "$stage" ./boot || fail "$package cannot be unpacked (try: rm $package)"
    kernel=$(find "$stage/boot" -name 'vmlinuz-*' | head -n 1)
    [ -n "$kernel" ] || fail "$package holds no kernel (try: rm $package)"
}

# The package that the metapackage stands for.
kernel_package() {
    apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1
}

if [ -z "$kernel" ]; then fetch_kernel; fi
[ -r "$kernel" ] || fail "--kernel $kernel: cannot be read"

root=$stage/root
put() {
    mkdir -p "$root/$(dirname -- "$2")"
    cp "$1" "$root/$2"
    chmod "$3" "$root/$2"
}
mkdir "$root"
put "$repository/iso/smoke-linux/init.sh" init 0755
put /bin/busybox bin/busybox 0755
ln -s busybox "$root/bin/sh"
put "$repository/iso/smoke-linux/service.sh" usr/local/sbin/colibri-service 0755
put "$repository/scripts/acceptance.sh" usr/local/share/colibri/acceptance.sh 0555
for program in colibri-daemon colibri colibri-test-agent; do
    put "$binaries/$program" "usr/local/bin/$program" 0555
done
mkdir -p "$root/etc"
printf 'root:x:0:0:root:/root:/bin/sh\ncolibri:x:840:840:Colibri:/var/db/colibri:/bin/false\n' > "$root/etc/passwd"
printf 'root:x:0:\ncolibri:x:840:\n' > "$root/etc/group"
chmod 0644 "$root/etc/passwd" "$root/etc/group"
# The service makes its own at its start; here for the log that is opened first.
mkdir -p "$root/var/db" "$root/var/run" "$root/var/log"
find "$root" -type d -exec chmod 0755 {} +

entry() {
    printf '    {"path": "/%s", "mode": "0%s", "owner": "root:root", "size": %s, "sha256": "%s"}' \
        "$1" "$(stat -c %a "$root/$1")" "$(stat -c %s "$root/$1")" "$(sha256sum "$root/$1" | cut -d ' ' -f 1)"
}
build=$("$binaries/colibri-daemon" --version | sed 's/^[^ ]* //')
version=${build%%+*}
commit=${build#"$version"}
commit=${commit#+}
{
    printf '{\n  "schema": "clawdie.iso.build.v1",\n  "version": "%s",\n  "commit": "%s",\n  "lane": "linux-smoke",\n  "files": [\n' "$version" "$commit"
    separator=''
    for file in usr/local/bin/colibri usr/local/bin/colibri-daemon usr/local/bin/colibri-test-agent \
        usr/local/sbin/colibri-service usr/local/share/colibri/acceptance.sh; do
        printf '%s' "$separator"
        entry "$file"
        separator=',
'
    done
    printf '\n  ]\n}\n'
} > "$stage/manifest"
put "$stage/manifest" usr/local/share/colibri/manifest.json 0444

# busybox's own cpio: nothing more to install, and files belong to root whoever builds.
(cd "$root" && find . | LC_ALL=C sort | /bin/busybox cpio -o -H newc -R 0:0) 2>"$stage/log" > "$stage/initramfs" ||
    fail "the initramfs cannot be packed: $(tail -n 1 "$stage/log")"
gzip -1 "$stage/initramfs"

mkdir -p "$output"
cp "$kernel" "$output/.vmlinuz.$$"
cp "$stage/initramfs.gz" "$output/.initramfs.$$"
mv -f "$output/.vmlinuz.$$" "$output/vmlinuz"
mv -f "$output/.initramfs.$$" "$output/initramfs.cpio.gz"
printf '%s  %s bytes\n' "$output/vmlinuz" "$(wc -c < "$output/vmlinuz" | tr -d ' ')" \
    "$output/initramfs.cpio.gz" "$(wc -c < "$output/initramfs.cpio.gz" | tr -d ' ')"
