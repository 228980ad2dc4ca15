#!/bin/sh
# Puts Colibri into the tree of an operator image, all or nothing, and takes it out again.
set -eu

usage() {
    cat <<'END'
usage: stage-colibri-iso.sh --destdir DIR [--binaries DIR] [--with-test-agent]
                            [--hermes] [--enable] [--force] [--dry-run]
       stage-colibri-iso.sh --destdir DIR --uninstall [--force] [--dry-run]

Puts the executables, the rc.d scripts, log rotation, samples, manual pages and
directories of Colibri into the root of a FreeBSD image, with a manifest of all
that at DIR/usr/local/share/colibri/manifest.json. Everything is looked at
before anything is touched; a call that fails or is interrupted leaves DIR as
it was, and one that finds all in place changes nothing.

  --destdir DIR      the image's root: with etc/ and usr/ in it, or empty
  --binaries DIR     the executables (default: dist/static, on FreeBSD dist)
  --with-test-agent  with colibri-test-agent, for the acceptance
  --hermes           with the service hermes_daemon
  --enable           the image's rc.conf starts what is staged, but for
                     colibri_web, which is the operator's to enable
  --force            also into / or what does not look like a root, and in place
                     of files and settings that are not from here
  --dry-run          print what would be done, and do nothing
  --uninstall        remove what the manifest lists, and nothing else
  --help             this text

As root, so that files can belong to root; else they belong to you, with a word.
END
}

fail() {
    printf 'stage-colibri-iso.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}
note() { printf 'stage-colibri-iso.sh: %s\n' "$1" >&2; }

repository=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
destdir='' binaries='' test_agent=no hermes=no enable=no force=no dry_run=no uninstall=no staging_options=''
while [ $# -gt 0 ]; do
    case $1 in
        --destdir | --binaries)
            if [ $# -lt 2 ] || [ -z "$2" ]; then
                fail "$1 needs a directory (try: stage-colibri-iso.sh --help)" 2
            fi
            if [ "$1" = --destdir ]; then destdir=$2; else binaries=$2 staging_options="$staging_options $1"; fi
            shift
            ;;
        --with-test-agent) test_agent=yes staging_options="$staging_options $1" ;;
        --hermes) hermes=yes staging_options="$staging_options $1" ;;
        --enable) enable=yes staging_options="$staging_options $1" ;;
        --force) force=yes ;;
        --dry-run) dry_run=yes ;;
        --uninstall) uninstall=yes ;;
        --help | -h) usage; exit 0 ;;
        *) fail "unknown option $1 (try: stage-colibri-iso.sh --help)" 2 ;;
    esac
    shift
done
if [ -z "$destdir" ]; then
    fail 'where to? --destdir DIR is missing (try: stage-colibri-iso.sh --help)' 2
fi
if [ "$uninstall" = yes ] && [ -n "$staging_options" ]; then
    fail "--uninstall takes no$staging_options: the manifest says what goes" 2
fi
if [ -z "$binaries" ]; then
    if [ "$(uname -s)" = FreeBSD ]; then binaries=$repository/dist; else binaries=$repository/dist/static; fi
fi

# shellcheck source=scripts/lib/elf.sh
. "$repository/scripts/lib/elf.sh"
# shellcheck source=scripts/lib/tree-change.sh
. "$repository/scripts/lib/tree-change.sh"
# shellcheck source=scripts/lib/build-manifest.sh
. "$repository/scripts/lib/build-manifest.sh"

scratch=$(mktemp -d "${TMPDIR:-/tmp}/colibri-stage.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
tree=$scratch/tree plan=$scratch/plan
mkdir "$tree"
: >"$plan"

# --- The root -------------------------------------------------------------------------------------------------------------------------

if [ ! -d "$destdir" ]; then
    fail "no directory $destdir (make it, or mount the image there)"
fi
root=$(CDPATH='' cd -- "$destdir" 2>/dev/null && pwd -P) || fail "$destdir cannot be entered (run this as root)"
case $root in / | //) root='' ;; esac
am_root=no root_owner=-
if [ "$(id -u)" -eq 0 ]; then am_root=yes root_owner=0:0; fi
shown=${root:-/}
manifest=usr/local/share/colibri/manifest.json

looks_like_a_root() {
    [ -f "$root/$manifest" ] || [ -z "$(ls -A "$root/")" ] || { [ -d "$root/etc" ] && { [ -d "$root/usr" ] || [ -d "$root/bin" ]; }; }
}
if [ "$force" = no ]; then
    if [ -z "$root" ]; then
        fail '--destdir / is the running system (add --force if that is what you mean)'
    elif ! looks_like_a_root; then
        fail "$shown does not look like a root: no etc/ with usr/ or bin/, and not empty (another --destdir, or --force)"
    fi
fi

# MODE UID GID, the mode with four figures.
if stat -c %a / >/dev/null 2>&1; then
    stat_of() { stat -c '%a %u %g' "$1"; }
else
    stat_of() { stat -f '%Mp%Lp %u %g' "$1"; }
fi
attributes() { stat_of "$1" | { read -r mode uid gid && printf '%04o %s:%s\n' "0$mode" "$uid" "$gid"; }; }

# Whoever can write into a directory on the way decides what root runs.
private_directory() {
    if [ ! -d "$1" ] || [ "$am_root" = no ]; then return 0; fi
    set -- "$1" "$(attributes "$1")"
    case $2 in
        ??[2367]?' '*:0 | ??[0145]?' '*) ;;
        *) fail "$1 can be written by its group (chmod g-w it first)" ;;
    esac
    case $2 in ???[2367]*) fail "$1 can be written by everybody (chmod o-w it first)" ;; esac
}

checked=' '

# A link on the way that leads out of the image would have us write to the machine that builds it.
check_place() {
    place=$root/$1
    if [ -h "$place" ] || { [ -e "$place" ] && [ ! -f "$place" ]; }; then
        fail "$place is not a plain file (remove it first)"
    fi
    while [ "$place" != "$root" ]; do
        place=${place%/*}
        [ -n "$place" ] || break
        [ -e "$place" ] || [ -h "$place" ] || continue
        case $checked in *" ${place#"$root"} "*) break ;; esac
        checked="$checked${place#"$root"} "
        reached=$(CDPATH='' cd -- "$place" 2>/dev/null && pwd -P) || fail "$place is not a directory that can be entered (remove it first)"
        case $reached/ in "$root"/*) ;; *) fail "$place leads to $reached, out of $shown (make the link relative)" ;; esac
        private_directory "$reached"
    done
}

# As far down as the path is there.
nearest_directory() {
    nearest=$root/$1
    while [ ! -d "${nearest:-/}" ]; do nearest=${nearest%/*}; done
    printf '%s\n' "${nearest:-/}"
}

# --- What is to be done ---------------------------------------------------------------------------------------------------------------

account_in_image() { [ -f "$root/etc/passwd" ] && grep -q '^colibri:' "$root/etc/passwd"; }
account=absent
if account_in_image; then
    account=present
elif [ "$am_root" = yes ] && [ -f "$root/etc/master.passwd" ] && command -v pw >/dev/null 2>&1; then
    account=made
fi

# plan_directory PATH MODE OWNER [owned]: with `owned`, mode and owner matter where it is there already.
plan_directory() {
    if [ -d "$root/$1" ]; then
        [ "${4:-}" = owned ] || return 0
        found=$(attributes "$root/$1")
        wanted=$3
        case $wanted in
            @*) if [ "$account" = made ]; then wanted=later; else wanted=$(change_root=$root && change_owner "$3"); fi ;;
            -) wanted=${found#* } ;;
        esac
        [ "$found" = "$2 $wanted" ] || printf 'attr %s %s %s %s %s\n' "$1" "$2" "$3" "${found% *}" "${found#* }" >>"$plan"
        return 0
    fi
    case $1 in */*) plan_directory "${1%/*}" 0755 "$root_owner" ;; esac
    grep -q "^dir $1 " "$plan" || printf 'dir %s %s %s\n' "$1" "$2" "$3" >>"$plan"
}

# By a staging, or from the sample that one put beside it, by the rc.d script.
staged_before() { [ "$(manifest_sha256 "$1")" = "$2" ] || [ "$(manifest_sha256 "$1.sample")" = "$2" ]; }

# plan_file PATH MODE: what lies at TREE/PATH goes there, unless it is there.
plan_file() {
    check_place "$1"
    case $1 in */*) plan_directory "${1%/*}" 0755 "$root_owner" ;; esac
    if [ ! -e "$root/$1" ]; then
        printf 'put %s %s %s new\n' "$1" "$2" "$root_owner" >>"$plan"
        return 0
    fi
    found=$(attributes "$root/$1")
    if cmp -s "$tree/$1" "$root/$1"; then
        if [ "$found" = "$2 $root_owner" ] || { [ "$am_root" = no ] && [ "${found% *}" = "$2" ]; }; then return 0; fi
    elif [ "$force" = no ] && [ "$1" != "$manifest" ] && ! staged_before "$1" "$(sha256_of "$root/$1")"; then
        fail "$root/$1 is not what a staging put there (keep a copy and remove it, or --force)"
    fi
    printf 'put %s %s %s old\n' "$1" "$2" "$root_owner" >>"$plan"
}

# What is in the manifest and not wanted any more, as a test agent in an image that is to be released.
plan_removal() {
    check_place "$1"
    [ -e "$root/$1" ] || return 0
    if [ "$force" = no ] && [ "$2" != "$(sha256_of "$root/$1")" ]; then
        fail "$root/$1 was changed since it was staged (keep a copy and remove it, or --force)"
    fi
    printf 'drop %s\n' "$1" >>"$plan"
}

# rc.conf as it is to be, in the tree; a line that says something else is somebody's decision.
plan_rc_conf() {
    rc_conf=etc/rc.conf
    check_place "$rc_conf"
    mkdir -p "$tree/etc"
    : >"$tree/$rc_conf"
    rc_mode=0644 rc_owner=$root_owner rc_kind=new
    if [ -f "$root/$rc_conf" ]; then
        cat "$root/$rc_conf" >"$tree/$rc_conf"
        found=$(attributes "$root/$rc_conf")
        rc_mode=${found% *} rc_kind=old
        if [ "$am_root" = yes ]; then rc_owner=${found#* }; fi
    fi
    for setting in "$@"; do
        for other in etc/rc.conf.local "etc/rc.conf.d/${setting%_enable}"; do
            [ ! -f "$root/$other" ] || ! grep -q "^[[:space:]]*$setting=" "$root/$other" ||
                fail "$root/$other sets $setting, and it counts more than rc.conf (remove it there, or stage without --enable)"
        done
        value=$(sed -n "s/^[[:space:]]*$setting=//p" "$tree/$rc_conf" | tail -n 1)
        bare=$(printf '%s\n' "$value" | sed -e 's/[[:space:]]*#.*//' -e "s/[\"']//g" | tr '[:lower:]' '[:upper:]')
        case $bare in
            YES | TRUE | ON | 1) continue ;;
            '') if [ -z "$value" ]; then append_line "$setting=\"YES\""; continue; fi ;;
        esac
        if [ "$force" = no ]; then
            fail "$root/$rc_conf says $setting=$value (change that line, stage without --enable, or --force)"
        fi
        sed "s/^[[:space:]]*$setting=.*/$setting=\"YES\"/" "$tree/$rc_conf" >"$scratch/rc.conf"
        cat "$scratch/rc.conf" >"$tree/$rc_conf"
        printf '%s\n' "$setting" >>"$scratch/rc-added"
    done
    if ! cmp -s "$tree/$rc_conf" "$root/$rc_conf"; then
        plan_directory etc 0755 "$root_owner"
        printf 'put %s %s %s %s\n' "$rc_conf" "$rc_mode" "$rc_owner" "$rc_kind" >>"$plan"
    fi
}
append_line() {
    if [ -s "$tree/$rc_conf" ] && [ -n "$(tail -c 1 "$tree/$rc_conf")" ]; then printf '\n' >>"$tree/$rc_conf"; fi
    printf '%s\n' "$1" >>"$tree/$rc_conf"
    printf '%s\n' "$setting" >>"$scratch/rc-added"
}

# --- The executables ------------------------------------------------------------------------------------------------------------------

# amd64 where the image does not say otherwise with a program of its own.
image_machine() {
    if [ -f "$root/bin/sh" ] && elf_read "$root/bin/sh"; then printf '%s\n' "$ELF_MACHINE"; else echo x86-64; fi
}

# Only what this kernel runs as its own is run: a shell takes any other file for a script.
runs_here() {
    case $(uname -m) in
        x86_64 | amd64) [ "$ELF_MACHINE" = x86-64 ] || return 1 ;;
        aarch64 | arm64) [ "$ELF_MACHINE" = aarch64 ] || return 1 ;;
        *) return 1 ;;
    esac
    case $(uname -s)/$ELF_SYSTEM in
        Linux/linux | FreeBSD/freebsd) ;;
        FreeBSD/linux) kldstat -q -m linux64elf 2>/dev/null ;;
        *) return 1 ;;
    esac
}

# The version with its commit: what the program says, completed by what is written in it.
version_of() {
    said=''
    if runs_here; then
        said=$("$1" --version 2>/dev/null </dev/null | sed -n '1s/.* //p') || said=''
    fi
    case $said in *+*) printf '%s\n' "$said"; return 0 ;; esac
    if [ -n "$said" ]; then
        elf_version "$1" "$said" || printf '%s\n' "$said"
    else
        # In a jail that may not lock memory it ends without a word, and is none the worse for it.
        elf_version "$1" "$(sed -n 's/.*<Version>\(.*\)<\/Version>.*/\1/p' "$repository/Directory.Build.props")" ||
            fail "$1 does not say its version, nor is one of this checkout written in it (build it anew: scripts/build.sh $build_hint)"
    fi
}

check_executable() {
    if [ ! -e "$1" ]; then
        fail "no $1 (build it: scripts/build.sh $build_hint, or name its place with --binaries)"
    elif [ ! -f "$1" ]; then
        fail "$1 is not a file (name the right place with --binaries)"
    elif [ ! -r "$1" ]; then
        fail "$1 cannot be read (run this as root)"
    elif [ ! -x "$1" ]; then
        fail "$1 is not executable (chmod 755 it, or build it anew: scripts/build.sh $build_hint)"
    elif ! elf_read "$1"; then
        fail "$1 is not an ELF executable (build it anew: scripts/build.sh $build_hint)"
    elif [ "$ELF_BITS $ELF_ORDER" != '64 little' ] || [ "$ELF_MACHINE" != "$machine" ]; then
        fail "$1 is for another architecture ($ELF_BITS bits, $ELF_ORDER-endian, $ELF_MACHINE), the image is $machine (build it on such a machine)"
    fi
    case $ELF_SYSTEM in
        linux) this_lane='linux64-static' ;;
        freebsd) this_lane='freebsd-native' ;;
        *) fail "$1 is neither a Linux nor a FreeBSD executable ($ELF_SYSTEM; build it anew: scripts/build.sh $build_hint)" ;;
    esac
    if [ "$this_lane $ELF_LINKAGE" = 'linux64-static dynamic' ]; then
        fail "$1 is dynamically linked, and the image has no Linux libraries (build it static: scripts/build.sh --static -o dist/static)"
    fi
    if [ -n "$lane" ] && [ "$lane" != "$this_lane" ]; then
        fail "$1 is $this_lane, but colibri-daemon is $lane (build them together: scripts/build.sh $build_hint)"
    fi
    lane=$this_lane
    this_version=$(version_of "$1")
    if [ -n "$version" ] && [ "$version" != "$this_version" ]; then
        fail "versions differ: $1 is $this_version, colibri-daemon $version (build them together: scripts/build.sh $build_hint)"
    fi
    version=$this_version
}

# --- The files ------------------------------------------------------------------------------------------------------------------------

# add PATH MODE SOURCE: one more file of the image, in the tree and in the list.
add() {
    [ -f "$3" ] || fail "no ${3#"$repository/"} in $repository (is the checkout whole? try: git status)"
    mkdir -p "$tree/${1%/*}"
    sed 's|%%PREFIX%%|/usr/local|g' "$3" >"$tree/$1"
    left=$(grep -o '%%[A-Za-z_]*%%' "$tree/$1" | sort -u | tr '\n' ' ') || :
    [ -z "$left" ] || fail "${3#"$repository/"}: nobody fills in $left(only %%PREFIX%% is known)"
    printf '%s %s\n' "$1" "$2" >>"$scratch/files"
}

add_shell() {
    add "$@"
    if ! sh -n "$tree/$1" 2>"$scratch/syntax"; then
        fail "${3#"$repository/"} is not a shell script that sh -n accepts: $(head -n 1 "$scratch/syntax")"
    fi
}

# A key in a sample would be in every image.
add_sample() {
    add "$@"
    if grep -E '^[[:space:]]*(export[[:space:]]+)?[A-Za-z0-9_]*(KEY|TOKEN|SECRET|PASSWORD)[A-Za-z0-9_]*=[^[:space:]#]' "$tree/$1" |
        grep -qvE "=[\"']{2}[[:space:]]*(#.*)?$"; then
        fail "${3#"$repository/"} holds a key (keys belong into the image owner's provider.env, mode 0600)"
    fi
}

stage() {
    programs='colibri-daemon colibri colibri-web colibri-mcp'
    if [ "$test_agent" = yes ]; then programs="$programs colibri-test-agent"; fi
    build_hint='--static -o dist/static'
    if [ "$(uname -s)" = FreeBSD ]; then build_hint=''; fi
    machine=$(image_machine) lane='' version=''
    for program in $programs; do check_executable "$binaries/$program"; done
    commit=${version#*+}
    if [ "$commit" = "$version" ]; then commit=unknown; fi

    : >"$scratch/files"
    : >"$scratch/rc-added"
    mkdir -p "$tree/usr/local/bin"
    for program in $programs; do
        ln -s "$(CDPATH='' cd -- "$binaries" && pwd -P)/$program" "$tree/usr/local/bin/$program"
        printf 'usr/local/bin/%s 0555\n' "$program" >>"$scratch/files"
    done
    freebsd=$repository/packaging/freebsd
    add_shell usr/local/etc/rc.d/colibri_daemon 0555 "$freebsd/colibri_daemon.in"
    add_shell usr/local/etc/rc.d/colibri_web 0555 "$freebsd/colibri_web.in"
    if [ "$hermes" = yes ]; then add_shell usr/local/etc/rc.d/hermes_daemon 0555 "$freebsd/hermes_daemon.in"; fi
    rotation=usr/local/etc/newsyslog.conf.d/colibri.conf
    if [ "$account" = absent ]; then
        # newsyslog(8) rotates no log at all while an entry names a user that is not there; the rc.d script makes both.
        rotation=$rotation.sample
    fi
    add "$rotation" 0644 "$freebsd/newsyslog-colibri.conf"
    add_sample usr/local/etc/colibri/provider.env.sample 0644 "$freebsd/provider.env.sample"
    add_sample usr/local/etc/colibri/rc.conf.sample 0644 "$freebsd/rc.conf.sample"
    add_shell usr/local/share/colibri/acceptance.sh 0555 "$repository/scripts/acceptance.sh"
    for page in "$repository"/docs/man/*.[18]; do
        if [ "$test_agent" = yes ] || [ "${page##*/}" != colibri-test-agent.1 ]; then
            add "usr/local/share/man/man${page##*.}/${page##*/}" 0444 "$page"
        fi
    done

    if [ -f "$root/usr/local/etc/colibri/provider.env" ]; then
        case $(attributes "$root/usr/local/etc/colibri/provider.env") in
            0600' '*) ;;
            *) fail "$root/usr/local/etc/colibri/provider.env can be read by others (chmod 600 it)" ;;
        esac
    fi

    service_owner=$root_owner
    if [ "$am_root" = yes ] && [ "$account" != absent ]; then service_owner=@colibri; fi
    if [ "$account" = made ]; then printf 'account colibri\n' >>"$plan"; fi
    while read -r path mode; do plan_file "$path" "$mode"; done <"$scratch/files"
    for path in var/db/colibri var/log/colibri var/run/colibri; do
        check_place "$path/any"
        plan_directory "$path" 0750 "$service_owner" owned
    done
    if [ "$enable" = yes ]; then
        set -- colibri_daemon_enable
        if [ "$lane" = linux64-static ]; then set -- linux_enable "$@"; fi
        if [ "$hermes" = yes ]; then set -- "$@" hermes_daemon_enable; fi
        plan_rc_conf "$@"
    fi
    manifest_files >"$scratch/before"
    while read -r path sha256; do
        grep -q "^$path " "$scratch/files" || plan_removal "$path" "$sha256"
    done <"$scratch/before"

    plan_directory "${manifest%/*}" 0755 "$root_owner"
    mkdir -p "$tree/${manifest%/*}"
    write_manifest >"$tree/$manifest"
    plan_file "$manifest" 0444
    check_writable
    check_space

    if [ "$dry_run" = yes ]; then
        print_plan
        return 0
    fi
    if [ -s "$plan" ]; then
        carry_out
    fi
    if [ "$am_root" = no ]; then note "you are not root: what is staged in $shown belongs to you, not to root:wheel"; fi
    printf 'staged colibri %s (%s) in %s: %s\n' "$version" "$lane" "$shown" \
        "$(if [ -s "$plan" ]; then printf '%s steps' "$(wc -l <"$plan" | tr -d ' ')"; else echo 'all in place already'; fi)"
}

# --- Taking it out --------------------------------------------------------------------------------------------------------------------

unstage() {
    [ -f "$root/$manifest" ] || fail "no $root/$manifest: nothing is staged in $shown"
    if [ -z "$root" ] && [ -S /var/run/colibri/colibri.sock ] && [ "$force" = no ]; then
        fail 'the daemon has a socket at /var/run/colibri/colibri.sock (stop it first: service colibri_daemon stop)'
    fi
    manifest_files >"$scratch/before"
    while read -r path sha256; do plan_removal "$path" "$sha256"; done <"$scratch/before"
    unstage_rc_conf
    check_place "$manifest"
    printf 'drop %s\n' "$manifest" >>"$plan"
    manifest_directories >"$scratch/directories"
    kept=no
    while read -r path; do
        check_place "$path/any"
        printf 'dropdir %s\n' "$path" >>"$plan"
        case $path in var/*/colibri) [ -z "$(ls -A "$root/$path" 2>/dev/null)" ] || kept=yes ;; esac
    done <"$scratch/directories"
    check_writable
    # Data that stays stays somebody's.
    if [ "$(manifest_value account)" = made ] && [ "$kept" = no ] && account_in_image && command -v pw >/dev/null 2>&1; then
        printf 'dropaccount colibri\n' >>"$plan"
    fi
    if [ "$dry_run" = yes ]; then
        print_plan
        return 0
    fi
    carry_out
    for path in $CHANGE_KEPT; do note "kept $root$path: it is not empty"; done
    printf 'removed colibri from %s\n' "$shown"
}

# Takes back the lines that a staging added, as long as they say what it wrote.
unstage_rc_conf() {
    [ -f "$root/etc/rc.conf" ] || return 0
    manifest_settings | sed 's/$/="YES"/' >"$scratch/lines"
    [ -s "$scratch/lines" ] || return 0
    grep -qxFf "$scratch/lines" "$root/etc/rc.conf" || return 0
    check_place etc/rc.conf
    mkdir -p "$tree/etc"
    grep -vxFf "$scratch/lines" "$root/etc/rc.conf" >"$tree/etc/rc.conf" || :
    if [ ! -s "$tree/etc/rc.conf" ] && [ "$(manifest_value rc_conf)" = made ]; then
        printf 'drop etc/rc.conf\n' >>"$plan"
    else
        found=$(attributes "$root/etc/rc.conf")
        owner=-
        if [ "$am_root" = yes ]; then owner=${found#* }; fi
        printf 'put etc/rc.conf %s %s old\n' "${found% *}" "$owner" >>"$plan"
    fi
}

# --- Common to both -------------------------------------------------------------------------------------------------------------------

# Room for all that is new, by file system; what it replaces goes only when it is there.
check_space() {
    : >"$scratch/space"
    while read -r step path _ _ _; do
        case $step in
            put) bytes=$(wc -c <"$tree/$path") directory=${path%/*} ;;
            dir) bytes=4096 directory=$path ;;
            *) continue ;;
        esac
        df -Pk "$(nearest_directory "$directory")" | awk -v bytes="$bytes" 'NR == 2 { print $6, $4, int((bytes + 4095) / 4096) * 4 }' >>"$scratch/space"
    done <"$plan"
    lack=$(awk '{ free[$1] = $2; need[$1] += $3 } END { for (at in need) if (need[at] + 64 > free[at]) print at ": " need[at] + 64 " KiB are needed, " free[at] " KiB are free" }' "$scratch/space")
    [ -z "$lack" ] || fail "no space on $(printf '%s\n' "$lack" | head -n 1) (make the image larger, or make room)"
}

check_writable() {
    [ -s "$plan" ] || return 0
    while read -r step path _; do
        case $step in
            dir | put | drop | attr) directory=$(nearest_directory "${path%/*}") ;;
            *) continue ;;
        esac
        [ -w "$directory" ] || fail "$directory cannot be written (run this as root, or mount it read-write)"
    done <"$plan"
    [ -w "$root/" ] || fail "$shown cannot be written (run this as root, or mount it read-write)"
}

print_plan() {
    if [ -f "$root/.colibri-staging" ]; then echo "take back a staging of $shown that was killed"; fi
    if [ ! -s "$plan" ]; then echo "nothing to do: all is in place in $shown"; fi
    while read -r step path mode owner kind _; do
        case $owner in 0:0) owner=root:wheel ;; @*) owner=${owner#@}:${owner#@} ;; -) owner=you ;; esac
        case $step in
            account) echo "make user and group $path" ;;
            dir) echo "make directory $root/$path $mode $owner" ;;
            attr) echo "set $root/$path to $mode $owner" ;;
            put)
                if [ "$kind" = new ]; then echo "write $root/$path $mode $owner"; else echo "replace $root/$path $mode $owner"; fi
                ;;
            drop) echo "remove $root/$path" ;;
            dropdir) echo "remove directory $root/$path if it is empty" ;;
            dropaccount) echo "remove user and group $path" ;;
        esac
    done <"$plan"
}

carry_out() {
    change_apply "$root" "$plan" "$tree" "$scratch" || fail "$CHANGE_ERROR"
    if [ -n "$CHANGE_NOTE" ]; then note "$CHANGE_NOTE"; fi
}

private_directory "${root:-/}"
if [ "$dry_run" = no ]; then
    change_recover "$root" "$scratch" || fail "$CHANGE_ERROR"
fi
if [ "$uninstall" = yes ]; then unstage; else stage; fi
