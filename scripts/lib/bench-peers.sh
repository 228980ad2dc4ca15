# shellcheck shell=sh
# shellcheck disable=SC2154,SC2034  # shared with bench.sh, which sources this
# Sourced by bench.sh, after prerequisites.sh: the peers, from the system's packages, and our small programs beside them.
#
#   prepare_peers
#
# Sets redis_server and redis_version, empty where there is none, and has_simdjson. Reads `repository`, `tools`, `work`.

have_redis() { command -v redis-server >/dev/null 2>&1 || command -v redis-check-rdb >/dev/null 2>&1; }

have_cxx() { command -v c++ >/dev/null 2>&1; }

have_simdjson() { have_cxx && printf '#include <simdjson.h>\n' | c++ -std=c++17 -E -x c++ - >/dev/null 2>&1; }

install_peers() {
    missing_packages=''
    if wants_peer redis && ! have_redis; then
        # The tools hold the server's executable too, and start no service.
        if [ "$prerequisites_system" = freebsd ]; then lacking=redis; else lacking=redis-tools; fi
        missing_packages="$missing_packages $lacking"
    fi
    if wants_peer simdjson && ! have_simdjson; then
        if [ "$prerequisites_system" = freebsd ]; then lacking=simdjson; else lacking='g++ libsimdjson-dev'; fi
        missing_packages="$missing_packages $lacking"
    fi
    if wants_peer s6 && ! command -v s6-svstat >/dev/null 2>&1; then missing_packages="$missing_packages s6"; fi
    if [ -n "$missing_packages" ] && [ "$prerequisites_system" != other ] && can_be_root; then
        install_packages || printf 'bench.sh: goes on without them\n' >&2
    fi
}

# Unpacks supervisord's package where there is one; its own dependency is in every Python of the system.
find_supervisord() {
    supervisor_version='' supervisor_root=$tools/supervisor supervisor_python=/usr/bin/python3
    wants_peer supervisord || return 0
    [ -x "$supervisor_python" ] || return 0
    if [ ! -x "$supervisor_root/usr/bin/supervisord" ]; then
        [ "$prerequisites_system" = debian ] || return 0
        rm -rf "$scratch/supervisor"
        mkdir "$scratch/supervisor"
        (
            cd "$scratch/supervisor" || exit 0
            apt-get download supervisor python3-pkg-resources >/dev/null 2>&1 || { as_root apt-get update && apt-get download supervisor python3-pkg-resources; } >/dev/null 2>&1 || exit 0
            for package in *.deb; do dpkg-deb -x "$package" root; done
            mv root "$supervisor_root"
        )
    fi
    if supervisor_version=$(PYTHONPATH=$supervisor_root/usr/lib/python3/dist-packages "$supervisor_python" "$supervisor_root/usr/bin/supervisord" --version 2>/dev/null); then
        supervisor_version="supervisord $supervisor_version"
    else
        supervisor_version=''
    fi
}

# compile COMPILER OUTPUT SOURCE [OPTION...]; nothing is done when the output is the newest.
compile() {
    compiler=$1 compiled=$tools/$2 sources=$repository/tests/Colibri.Benchmarks/peers
    source=$sources/$3
    shift 3
    if [ -x "$compiled" ] && [ -z "$(find "$source" "$sources/wire.h" -newer "$compiled")" ]; then
        return 0
    fi
    "$compiler" -O3 -o "$compiled" "$source" "$@"
}

prepare_peers() {
    install_peers
    if command -v cc >/dev/null 2>&1; then cc=cc; elif command -v gcc >/dev/null 2>&1; then cc=gcc; else cc=clang; fi
    compile "$cc" pingclient pingclient.c
    compile "$cc" coldstart coldstart.c
    for program in spawnloop loadclient cycleclient runloop firstbyte panewatch streamload httploop stdiostart; do compile "$cc" "$program" "$program.c"; done
    for program in idleagent firstagent; do compile "$cc" "$program" "$program.c" -static; done
    has_board_peer=no
    if compile "$cc" boardpeer boardpeer.c -lsqlite3 -lm 2>/dev/null; then has_board_peer=yes; fi
    find_supervisord

    redis_server='' redis_version=''
    if command -v redis-server >/dev/null 2>&1; then
        redis_server=$(command -v redis-server)
    elif command -v redis-check-rdb >/dev/null 2>&1; then
        # One executable that goes by the name it is called with.
        ln -sf "$(command -v redis-check-rdb)" "$tools/redis-server"
        redis_server=$tools/redis-server
    fi
    if [ -n "$redis_server" ]; then
        redis_version="redis-server $("$redis_server" --version | sed 's/.*v=\([0-9.]*\).*/\1/')"
    fi

    # -march=native: without it the on-demand parser falls back to code without SIMD.
    has_simdjson=no simdjson_version=''
    if wants_peer simdjson && have_simdjson && compile c++ foldpeer foldpeer.cpp -std=c++17 -march=native -lsimdjson; then
        has_simdjson=yes
        simdjson_version=$(printf '#include <simdjson.h>\nSIMDJSON_VERSION\n' | c++ -std=c++17 -E -P -x c++ - | tail -n 1)
        simdjson_version="simdjson $(printf '%s' "$simdjson_version" | tr -d '" ')"
    fi
}
