# shellcheck shell=sh
# Colibri for an image build. Source it from the root of a checkout, or with COLIBRI_CHECKOUT set to one, then:
#
#   install_colibri_service ROOT [OPTION...]   stages Colibri into the image's tree and enables it; options are those of
#                                              scripts/stage-colibri-iso.sh
#   check_release_gate ROOT [VALIDATION]       returns 0 when ROOT may go out as a release: all of the manifest is there and
#                                              unchanged, a commit is known, the service is enabled, no test agent, no keys,
#                                              nothing half done; with VALIDATION, the JSON of acceptance.sh, also that it passed
#                                              for this version
#   check_free_space DIR KIB                   returns 0 when the file system of DIR has so much room
#
# Each returns 1 with a line on standard error for whatever is wrong, 2 on wrong usage, and changes no variable of its caller.

: "${COLIBRI_CHECKOUT:=$PWD}"
# What install_colibri_service asks for by itself: executables, their replacements beside them, and change.
COLIBRI_IMAGE_KIB=131072

_colibri_say() { printf 'install-colibri-service: %s\n' "$1" >&2; }

check_free_space() (
    if [ $# -ne 2 ] || [ ! -d "$1" ]; then
        _colibri_say "check_free_space DIR KIB: ${1:-nothing} is not a directory"
        exit 2
    fi
    case $2 in '' | *[!0-9]*) _colibri_say "check_free_space DIR KIB: '$2' is not a number of KiB"; exit 2 ;; esac
    free=$(df -Pk "$1" | awk 'NR == 2 { print $4 }')
    if [ "$free" -lt "$2" ]; then
        _colibri_say "$1 has $free KiB free, $2 are needed (make the image larger, or make room)"
        exit 1
    fi
)

install_colibri_service() (
    if [ $# -lt 1 ]; then
        _colibri_say 'install_colibri_service ROOT [OPTION...]: which root?'
        exit 2
    fi
    stage=$COLIBRI_CHECKOUT/scripts/stage-colibri-iso.sh
    if [ ! -x "$stage" ]; then
        _colibri_say "no $stage (source this from the root of a checkout, or set COLIBRI_CHECKOUT)"
        exit 1
    fi
    image=$1
    shift
    if [ -d "$image" ]; then check_free_space "$image" "$COLIBRI_IMAGE_KIB" || exit 1; fi
    "$stage" --destdir "$image" --enable "$@"
)

check_release_gate() (
    if [ $# -lt 1 ] || [ $# -gt 2 ] || [ ! -d "$1" ]; then
        _colibri_say "check_release_gate ROOT [VALIDATION]: ${1:-nothing} is not a directory"
        exit 2
    fi
    root=${1%/} validation=${2:-}
    manifest=usr/local/share/colibri/manifest.json
    wrong=0
    refuse() {
        _colibri_say "$1"
        wrong=1
    }

    library=$COLIBRI_CHECKOUT/scripts/lib/build-manifest.sh
    if [ ! -f "$library" ]; then
        _colibri_say "no $library (source this from the root of a checkout, or set COLIBRI_CHECKOUT)"
        exit 1
    fi
    # shellcheck source=scripts/lib/build-manifest.sh
    . "$library"
    if [ ! -f "$root/$manifest" ]; then
        _colibri_say "no $root/$manifest: nothing is staged there (install_colibri_service $root)"
        exit 1
    fi
    for name in "$root"/.colibri-staging*; do
        [ ! -e "$name" ] || refuse "$name: a staging did not end (run install_colibri_service once more)"
    done

    files=$(manifest_files) directories=$(manifest_directories)
    while read -r path sha256; do
        if [ ! -f "$root/$path" ]; then
            refuse "$root/$path is missing (run install_colibri_service once more)"
        elif [ "$(sha256_of "$root/$path")" != "$sha256" ]; then
            refuse "$root/$path is not what was staged (remove it, and run install_colibri_service once more)"
        elif [ -n "$(find "$root/$path" ! -user 0 -o ! -group 0 -o -perm -020 -o -perm -002)" ]; then
            refuse "$root/$path is not root's alone to change (chown 0:0 and chmod go-w it)"
        fi
    done <<END
$files
END
    while read -r path; do
        [ -d "$root/$path" ] || refuse "$root/$path is missing (run install_colibri_service once more)"
    done <<END
$directories
END

    case $(manifest_value commit) in
        '' | unknown) refuse 'nobody can say which commit this is (build from a git checkout: scripts/build.sh)' ;;
    esac
    [ ! -e "$root/usr/local/bin/colibri-test-agent" ] ||
        refuse 'the test agent is staged, which is for an acceptance (run install_colibri_service without --with-test-agent)'
    keys=$root/usr/local/etc/colibri/provider.env
    if [ -f "$keys" ] && grep -q '^[[:space:]]*[A-Za-z_][A-Za-z0-9_]*=.' "$keys"; then
        refuse "$keys has settings, and keys in an image are everybody's (remove it)"
    fi
    enabled=colibri_daemon_enable
    if [ "$(manifest_value lane)" = linux64-static ]; then enabled="$enabled linux_enable"; fi
    for setting in $enabled; do
        grep -Eiq "^[[:space:]]*$setting=[\"']?(yes|true|on|1)[\"']?[[:space:]]*(#.*)?\$" "$root/etc/rc.conf" 2>/dev/null ||
            refuse "$root/etc/rc.conf does not say $setting=\"YES\" (run install_colibri_service once more)"
    done

    if [ -n "$validation" ]; then
        version=$(manifest_value version) commit=$(manifest_value commit)
        if ! grep -q '"schema": *"clawdie.iso.validation.v1"' "$validation" 2>/dev/null; then
            refuse "$validation is not a clawdie.iso.validation.v1 (acceptance.sh --json FILE on the booted image writes one)"
        else
            grep -q "\"version\": *\"$version\"" "$validation" || refuse "$validation is of another version than $version (run the acceptance on this build)"
            grep -q "\"commit\": *\"$commit\"" "$validation" || refuse "$validation is of another build than $commit (run the acceptance on this one)"
            grep -q '"failed": *0[^0-9]*$' "$validation" || refuse "$validation has failed steps (see its \"steps\")"
            grep -q '"passed": *[1-9]' "$validation" || refuse "$validation has no step that passed (run the acceptance as root on the booted image)"
        fi
    fi
    exit "$wrong"
)
