#!/bin/sh
# Builds a bootable FreeBSD image with Colibri staged in it and little else: what the acceptance is run on.
set -eu

usage() {
    cat <<'END'
usage: build-smoke-image.sh --base FILE --kernel FILE -o IMAGE [--binaries DIR]
                            [--size SIZE] [--hermes] [--help]

On a FreeBSD host, as root: unpacks base.txz and kernel.txz of a release, stages
Colibri with the test agent, and makes a raw disk image of it: GPT, a UFS root,
and what UEFI and a BIOS start from. Console on the serial line, where root logs
in without a password: for a test, and never for a network.

  --base FILE     base.txz of the release (15.0 or later)
  --kernel FILE   kernel.txz of the same release
  -o IMAGE        the image to write; one that is there is replaced at the end
  --binaries DIR  the executables (default: as scripts/stage-colibri-iso.sh)
  --size SIZE     of the root file system at least, for makefs(8) (default: 3g)
  --hermes        with the service hermes_daemon
  --help          this text

Boot it with scripts/boot-smoke.sh, which runs the acceptance. On Linux the
smaller counterpart is iso/build-smoke-image-linux.sh.
END
}

fail() {
    printf 'build-smoke-image.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
base='' kernel='' target='' binaries='' size=3g hermes=no
while [ $# -gt 0 ]; do
    case $1 in
        --base | --kernel | -o | --binaries | --size)
            if [ $# -lt 2 ] || [ -z "$2" ]; then
                fail "$1 needs a value (try: build-smoke-image.sh --help)" 2
            fi
            case $1 in
                --base) base=$2 ;;
                --kernel) kernel=$2 ;;
                -o) target=$2 ;;
                --binaries) binaries=$2 ;;
                --size) size=$2 ;;
            esac
            shift
            ;;
        --hermes) hermes=yes ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: build-smoke-image.sh --help)" 2 ;;
    esac
    shift
done
if [ -z "$base" ] || [ -z "$kernel" ] || [ -z "$target" ]; then
    fail '--base, --kernel and -o are all needed (try: build-smoke-image.sh --help)' 2
fi
case $size in
    [1-9]*[gm]) ;;
    *) fail "--size $size: a number and m or g, as 3g" 2 ;;
esac

if [ "$(uname -s)" != FreeBSD ]; then
    fail 'this takes makefs(8) and mkimg(1) of a FreeBSD host (on Linux: iso/build-smoke-image-linux.sh)'
fi
if [ "$(id -u)" -ne 0 ]; then
    fail 'files of the image belong to root (run this as root)'
fi
for tool in makefs mkimg pw; do
    command -v "$tool" >/dev/null 2>&1 || fail "no $tool on PATH (it is in the base system: PATH=/bin:/sbin:/usr/bin:/usr/sbin)"
done
for set in "$base" "$kernel"; do
    [ -f "$set" ] || fail "no $set (fetch it from releases/ of a FreeBSD mirror)"
done
if [ "$(uname -m)" != amd64 ]; then
    fail "no image for $(uname -m), only for amd64"
fi
directory=$(CDPATH='' cd -- "$(dirname -- "$target")" 2>/dev/null && pwd -P) || fail "no directory $(dirname -- "$target") (make it first)"
target=$directory/${target##*/}

COLIBRI_CHECKOUT=$repository
# shellcheck source=iso/install-colibri-service.sh
. "$repository/iso/install-colibri-service.sh"

# Unpacked, as a file system, and as an image: all three are there at one time.
case $size in
    *g) root_kib=$((${size%g} * 1048576)) ;;
    *m) root_kib=$((${size%m} * 1024)) ;;
esac
check_free_space "$directory" $((root_kib * 3))

work=$(mktemp -d "$directory/.colibri-smoke.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$work/root
mkdir "$tree"

# Runs a step; what it prints is shown when it fails.
step() {
    step_name=$1
    shift
    if ! "$@" >"$work/log" 2>&1 </dev/null; then
        tail -n 20 "$work/log" >&2
        fail "$step_name did not succeed (above: what it said)"
    fi
}

# Without file flags: an immutable file could be neither replaced nor, with the rest of this folder, removed.
step "unpacking $base" tar -xpf "$base" -C "$tree" --no-fflags
step "unpacking $kernel" tar -xpf "$kernel" -C "$tree" --no-fflags
for file in boot/loader.efi boot/pmbr boot/gptboot boot/kernel/kernel etc/defaults/rc.conf usr/sbin/daemon; do
    [ -f "$tree/$file" ] || fail "no /$file in $base and $kernel (are these base.txz and kernel.txz of one release?)"
done

cat >"$tree/etc/fstab" <<'END'
/dev/gpt/colibri-root	/	ufs	rw	1	1
END
cat >"$tree/boot/loader.conf" <<'END'
autoboot_delay="2"
beastie_disable="YES"
boot_serial="YES"
console="comconsole"
comconsole_speed="115200"
END
cat >"$tree/etc/rc.conf" <<'END'
hostname="colibri-smoke"
sendmail_enable="NONE"
syslogd_flags="-ss"
dumpdev="NO"
END

set -- --with-test-agent
if [ -n "$binaries" ]; then set -- "$@" --binaries "$binaries"; fi
if [ "$hermes" = yes ]; then set -- "$@" --hermes; fi
install_colibri_service "$tree" "$@"

# 33292 KiB is the least that FAT32 takes, which is what firmware is sure to read.
mkdir -p "$work/esp/EFI/BOOT"
cp "$tree/boot/loader.efi" "$work/esp/EFI/BOOT/BOOTX64.EFI"
step 'the EFI system partition' makefs -t msdos -o fat_type=32,sectors_per_cluster=1,volume_label=EFISYS -s 33292k "$work/esp.img" "$work/esp"
# Users and groups are those of the image, not of this host.
step 'the root file system' makefs -t ffs -B little -N "$tree/etc" -o version=2,softupdates=1,label=colibri -M "$size" -f 20% "$work/root.img" "$tree"
step 'the disk image' mkimg -s gpt -f raw -b "$tree/boot/pmbr" -p "efi/colibri-esp:=$work/esp.img" -p "freebsd-boot/colibri-boot:=$tree/boot/gptboot" \
    -p "freebsd-ufs/colibri-root:=$work/root.img" -o "$work/disk.img"
mv -f "$work/disk.img" "$target"
printf '%s  %s bytes\n' "$target" "$(wc -c <"$target" | tr -d ' ')"
