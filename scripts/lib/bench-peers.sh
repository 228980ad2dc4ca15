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
    if [ -n "$missing_packages" ] && [ "$prerequisites_system" != other ] && can_be_root; then
        install_packages || printf 'bench.sh: goes on without them\n' >&2
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
    compile "$cc" spawnloop spawnloop.c
    compile "$cc" idleagent idleagent.c -static

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
