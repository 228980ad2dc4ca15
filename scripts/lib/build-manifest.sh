# shellcheck shell=sh
# shellcheck disable=SC2154  # root, manifest and what is to be written are set by the script that sources this
# The manifest of a staged image, schema clawdie.iso.build.v1: JSON with one entry a line, so that sed reads it where there is no jq.
# Source it with `root` and `manifest` set, then:
#
#   sha256_of FILE         in hexadecimal, by whatever the system has for it
#   manifest_value NAME    of a field at the top; empty when there is no manifest
#   manifest_settings      the variables whose line in rc.conf was added, one a line
#   manifest_files         path and SHA-256 of each file, one a line; paths have no slash in front
#   manifest_sha256 PATH   of one file; empty when it is not listed
#   manifest_directories   the directories that were made
#   write_manifest         prints the one of what is staged now

if command -v sha256 >/dev/null 2>&1; then
    sha256_of() { sha256 -q "$1"; }
else
    sha256_of() { sha256sum <"$1" | cut -d ' ' -f 1; }
fi

# No path that climbs out of the image is taken from a manifest.
manifest_entries() {
    [ -f "$root/$manifest" ] || return 0
    sed -n 's/^ *{"path": "\/\([A-Za-z0-9._/-]*\)", "type": "'"$1"'", \(.*\)}.*$/\1 \2/p' "$root/$manifest" | grep -Ev '(^|/)\.\.(/| )' || :
}

manifest_value() {
    [ -f "$root/$manifest" ] || return 0
    sed -n 's/^  "'"$1"'": "\([^"]*\)",*$/\1/p' "$root/$manifest"
}

manifest_settings() { manifest_value settings | tr ' ' '\n' | grep -x '[a-z_][a-z_]*' || :; }
manifest_files() { manifest_entries file | sed -n 's/^\([^ ]*\) .*"sha256": "\([0-9a-f]*\)"$/\1 \2/p'; }
manifest_sha256() { manifest_files | sed -n "s|^$1 ||p"; }
manifest_directories() { manifest_entries directory | sed 's/ .*//'; }

# Where an earlier manifest says that something was made here, that stays true.
manifest_still() { if [ "$(manifest_value "$1")" = made ] && [ "$2" = present ]; then echo made; else echo "$2"; fi; }

write_manifest() {
    rc_conf_now=absent
    if grep -q '^put etc/rc.conf .* new$' "$plan"; then rc_conf_now=made; elif [ -f "$root/etc/rc.conf" ]; then rc_conf_now=present; fi
    settings=$({ cat "$scratch/rc-added"; manifest_settings | while read -r setting; do
        # A line that somebody took away or changed is no longer ours.
        if grep -qx "$setting=\"YES\"" "$root/etc/rc.conf" 2>/dev/null; then echo "$setting"; fi
    done; } | sort -u | tr '\n' ' ')
    {
        sed -n 's/^dir \([^ ]*\) .*/\1/p' "$plan"
        manifest_directories | while read -r path; do [ ! -d "$root/$path" ] || echo "$path"; done
        printf 'var/db/colibri\nvar/log/colibri\nvar/run/colibri\n'
    } | sort -u | sed 's/$/ directory/' >"$scratch/entries"
    sed 's/ / file /' "$scratch/files" >>"$scratch/entries"
    echo "$manifest manifest 0444" >>"$scratch/entries"

    printf '{\n  "schema": "clawdie.iso.build.v1",\n  "version": "%s",\n  "commit": "%s",\n  "lane": "%s",\n' \
        "${version%%+*}" "$commit" "$lane"
    printf '  "machine": "%s",\n  "account": "%s",\n  "rc_conf": "%s",\n  "settings": "%s",\n  "files": [\n' \
        "$machine" "$(manifest_still account "$account")" "$(manifest_still rc_conf "$rc_conf_now")" "${settings% }"
    LC_ALL=C sort "$scratch/entries" | while read -r path type mode; do
        case $type/$path in
            directory/var/*/colibri) printf '    {"path": "/%s", "type": "directory", "mode": "0750", "owner": "colibri:colibri"},\n' "$path" ;;
            directory/*) printf '    {"path": "/%s", "type": "directory", "mode": "0755", "owner": "root:wheel"},\n' "$path" ;;
            manifest/*) printf '    {"path": "/%s", "type": "file", "mode": "%s", "owner": "root:wheel"},\n' "$path" "$mode" ;;
            *)
                printf '    {"path": "/%s", "type": "file", "mode": "%s", "owner": "root:wheel", "size": %s, "sha256": "%s"},\n' \
                    "$path" "$mode" "$(wc -c <"$tree/$path" | tr -d ' ')" "$(sha256_of "$tree/$path")"
                ;;
        esac
    done | sed '$s/,$//'
    printf '  ]\n}\n'
}
