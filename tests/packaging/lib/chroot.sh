# shellcheck shell=sh
# Sourced by tests that want a Debian with nothing in it, made by debootstrap once and kept under .cache/:
#
#   chroot_reason          prints why there can be none here, or nothing
#   chroot_make DIR        puts one into DIR; it needs chroot_reason to be silent
#   chroot_run DIR CMD...  runs a command in it, with a /proc and process numbers of its own: all that it starts ends with it
#
# Reads `repository`.
: "${repository:?}"

chroot_reason() {
    if [ "$(id -u)" -ne 0 ]; then
        echo 'only root can make a root file system'
    elif ! command -v debootstrap >/dev/null; then
        echo 'debootstrap is not installed'
    elif ! unshare --mount --pid --fork true 2>/dev/null; then
        echo 'no namespaces can be made here'
    elif [ ! -e "$(chroot_archive)" ] && ! chroot_fetch; then
        echo "debootstrap failed: $(tail -n 1 "$repository/.cache/debootstrap/log")"
    fi
}

chroot_suite() {
    # shellcheck source=/dev/null
    (. /etc/os-release && if [ "${ID:-}" = debian ]; then printf '%s\n' "$VERSION_CODENAME"; else echo bookworm; fi)
}

chroot_archive() {
    printf '%s/.cache/debootstrap/%s-%s.tar\n' "$repository" "$(chroot_suite)" "$(dpkg --print-architecture)"
}

# shellcheck disable=SC2016  # SITE is apt's
# Where this machine has its own packages from; nothing where it does not say, which leaves it to debootstrap.
chroot_mirror() {
    apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | grep '/debian/*$' | head -n 1
}

chroot_fetch() (
    set -e
    archive=$(chroot_archive)
    mkdir -p "${archive%/*}"
    made=$(mktemp -d "${archive%/*}/root.XXXXXX")
    trap 'rm -rf "$made" "$archive.$$"' EXIT
    chmod 755 "$made"
    mirror=$(chroot_mirror)
    debootstrap --variant=minbase "$(chroot_suite)" "$made" ${mirror:+"$mirror"} >"${archive%/*}/log" 2>&1
    rm -rf "$made"/var/cache/apt/archives/*.deb "$made"/var/lib/apt/lists/*
    tar -C "$made" --one-file-system -cf "$archive.$$" .
    mv "$archive.$$" "$archive"
)

chroot_make() {
    mkdir -p "$1"
    tar -C "$1" -xpf "$(chroot_archive)"
    chmod 755 "$1"
}

chroot_run() {
    chroot_root=$1
    shift
    # shellcheck disable=SC2016  # $0 and $@ are the inner shell's
    unshare --mount --pid --fork --kill-child env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        DEBIAN_FRONTEND=noninteractive LC_ALL=C sh -c 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"' "$chroot_root" "$@"
}
