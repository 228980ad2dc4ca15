#!/bin/sh
# What building lacks is found and installed on a machine that is new: apt has no lists, and answers no question about a package.
# shellcheck disable=SC2317,SC2329  # functions are called through `check`
set -u
# shellcheck source=tests/packaging/lib/tap.sh
. "$(dirname -- "$0")/lib/tap.sh"

# A machine that has all but the compiler for static executables. As the real one, apt-cache knows no package before the lists are
# there, and apt-get installs none.
new_machine() {
    rm -rf "${scratch:?}/bin" "${scratch:?}/state"
    mkdir "$scratch/bin" "$scratch/state"
    for tool in sh cat rm mkdir mktemp grep dirname tail chmod env sed; do
        ln -s "$(command -v "$tool")" "$scratch/bin/$tool"
    done
    for tool in dotnet gcc objcopy; do
        printf '#!/bin/sh\nexit 0\n' >"$scratch/bin/$tool"
    done
    printf '#!/bin/sh\necho 0\n' >"$scratch/bin/id"
    printf '#!/bin/sh\necho Linux\n' >"$scratch/bin/uname"
    printf '#!/bin/sh\necho "$*" >>"%s/state/asked"\n[ -e "%s/state/lists" ]\n' "$scratch" "$scratch" >"$scratch/bin/apt-cache"
    cat >"$scratch/bin/apt-get" <<END
#!/bin/sh
echo "\$*" >>"$scratch/state/done"
case " \$* " in
    *" update "*) : >"$scratch/state/lists" ;;
    *" install "*)
        [ -e "$scratch/state/lists" ] || { echo 'E: Unable to locate package' >&2; exit 100; }
        for program in clang-19 ld.lld-19; do
            printf '#!/bin/sh\nexit 0\n' >"$scratch/bin/\$program"
            chmod +x "$scratch/bin/\$program"
        done
        ;;
esac
END
    chmod +x "$scratch"/bin/*
    mkdir -p "$scratch/lib"
    : >"$scratch/lib/libsqlite3.a"
    printf '#!/bin/sh\necho %s/lib\n' "$scratch" >"$scratch/bin/pkg-config"
    chmod +x "$scratch/bin/pkg-config"
}

# shellcheck disable=SC2016  # for the inner shell
find_prerequisites() {
    PATH=$scratch/bin sh -euc 'repository=$1
        . "$repository/scripts/lib/prerequisites.sh"
        shift
        require_prerequisites "$@"
        echo "compiler: $STATIC_COMPILER"' sh "$repository" "$@"
}

without_lists() {
    new_machine
    find_prerequisites static >"$scratch/said"
    grep -q '^compiler: clang-19$' "$scratch/said"
    grep -q 'install .*clang-19 lld-19' "$scratch/state/done"
}

lists_once() {
    new_machine
    find_prerequisites static >/dev/null
    [ "$(grep -c update "$scratch/state/done")" = 1 ]
}

nothing_lacks() {
    new_machine
    find_prerequisites >"$scratch/said"
    grep -q '^compiler: $' "$scratch/said"
    [ ! -e "$scratch/state/done" ]
}

check 'a machine without lists gets the static compiler in one go' without_lists
check 'the lists are fetched once' lists_once
check 'where nothing lacks, nothing is asked' nothing_lacks
tap_done
