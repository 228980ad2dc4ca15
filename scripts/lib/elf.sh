# shellcheck shell=sh
# shellcheck disable=SC2034  # what elf_read sets is read by the script that sources this
# What an executable is, read from its bytes with od(1) alone: file(1) and readelf(1) are not everywhere. Source it, then:
#
#   elf_read FILE              sets ELF_BITS (32, 64), ELF_ORDER (little, big), ELF_MACHINE (x86-64, aarch64, or its number),
#                              ELF_LINKAGE (static, dynamic) and ELF_SYSTEM (linux, freebsd, unbranded, or `osabi N`);
#                              returns 1 when FILE is no ELF executable
#   elf_version FILE VERSION   the `VERSION+COMMIT` that FILE holds as text; returns 1 when it holds none, or several
#
# Layout and numbers: elf(5) and <sys/elf_common.h> of FreeBSD 15.1, <elf.h> of glibc 2.36. ELF_SYSTEM follows what FreeBSD's image
# activator goes by for a static executable: EI_OSABI first, then the ABI note.

# elf_bytes FILE OFFSET COUNT: so many bytes, as decimal numbers on one line.
elf_bytes() {
    od -A n -v -t u1 -j "$2" -N "$3" "$1" 2>/dev/null | tr -s ' \n' '  '
}

elf_read() {
    ELF_BITS='' ELF_ORDER='' ELF_MACHINE='' ELF_LINKAGE='' ELF_SYSTEM=''
    elf_file=$1
    # shellcheck disable=SC2046  # one word a byte
    set -- $(elf_bytes "$elf_file" 0 64)
    [ $# -eq 64 ] && [ "$1 $2 $3 $4" = '127 69 76 70' ] || return 1
    case $5 in 1) ELF_BITS=32 ;; 2) ELF_BITS=64 ;; *) return 1 ;; esac
    case $6 in 1) ELF_ORDER=little ;; 2) ELF_ORDER=big ;; *) return 1 ;; esac
    if [ "$ELF_BITS $ELF_ORDER" != '64 little' ]; then
        # Nothing of ours: what follows is laid out otherwise there.
        ELF_MACHINE=other ELF_LINKAGE=other ELF_SYSTEM=other
        return 0
    fi
    elf_osabi=$8
    elf_type=$((${17} + 256 * ${18}))
    # ET_EXEC, or ET_DYN for one that is position-independent.
    [ "$elf_type" -eq 2 ] || [ "$elf_type" -eq 3 ] || return 1
    ELF_MACHINE=$((${19} + 256 * ${20}))
    case $ELF_MACHINE in 62) ELF_MACHINE=x86-64 ;; 183) ELF_MACHINE=aarch64 ;; *) ELF_MACHINE="machine $ELF_MACHINE" ;; esac
    elf_headers=$((${33} + 256 * ${34} + 65536 * ${35} + 16777216 * ${36}))
    elf_header_count=$((${57} + 256 * ${58}))

    # Program headers of interest, a line each: type, offset, size. PT_INTERP is 3, PT_NOTE is 4.
    elf_segments=$(elf_bytes "$elf_file" "$elf_headers" $((elf_header_count * 56)) | awk '
        function number(at,  i, sum) { for (i = 3; i >= 0; i--) sum = sum * 256 + $(at + i); return sum }
        { for (at = 1; at + 55 <= NF; at += 56) { type = number(at); if (type == 3 || type == 4) print type, number(at + 8), number(at + 32) } }')
    ELF_LINKAGE=static ELF_SYSTEM=unbranded
    while read -r elf_segment elf_offset elf_size; do
        case $elf_segment in
            3) ELF_LINKAGE=dynamic ;;
            4)
                [ "$elf_size" -le 65536 ] || continue
                # The owner's name and kind of each note: `GNU` 1 says Linux with a first word of 0, `FreeBSD` 1 says FreeBSD.
                elf_note=$(elf_bytes "$elf_file" "$elf_offset" "$elf_size" | awk '
                    function number(at) { return $at + 256 * $(at + 1) + 65536 * $(at + 2) }
                    function padded(size) { return int((size + 3) / 4) * 4 }
                    {
                        for (at = 1; at + 12 <= NF; at += 12 + padded(name) + padded(text)) {
                            name = number(at); text = number(at + 4)
                            if (number(at + 8) != 1) continue
                            if (name == 4 && $(at + 12) == 71 && $(at + 13) == 78 && number(at + 16) == 0) print "linux"
                            if (name == 8 && $(at + 12) == 70 && $(at + 13) == 114) print "freebsd"
                        }
                    }')
                case $elf_note in *freebsd*) ELF_SYSTEM=freebsd ;; *linux*) ELF_SYSTEM=linux ;; esac
                ;;
        esac
    done <<END
$elf_segments
END
    case $elf_osabi in
        0) ;;
        3) ELF_SYSTEM=linux ;;
        9) ELF_SYSTEM=freebsd ;;
        *) ELF_SYSTEM="osabi $elf_osabi" ;;
    esac
}

# The literal is UTF-16 in one place and UTF-8 in another: without zero bytes both read as plain text.
elf_version() {
    elf_found=$(LC_ALL=C tr -d '\000' <"$1" | LC_ALL=C tr -c '0-9A-Za-z.+-' '\n' | grep -F "$2+" | awk -v version="$2+" '
        (at = index($0, version)) && (at == 1 || substr($0, at - 1, 1) !~ /[0-9.]/) {
            commit = substr($0, at + length(version), 40)
            if (length(commit) == 40 && commit !~ /[^0-9a-f]/) print version commit
        }' | sort -u)
    case $elf_found in '' | *"
"*) return 1 ;; esac
    printf '%s\n' "$elf_found"
}
