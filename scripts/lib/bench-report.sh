# shellcheck shell=sh
# shellcheck disable=SC2154,SC2016  # shared with bench.sh, which sources this; and awk has dollars of its own
# Sourced by bench.sh: collects what the rows measure, and turns it into the table and bench/results.json.
#
#   row NAME PEER                                 what is measured next and beside what; PEER may be empty
#   metric NAME BETTER WORDS [TARGET]             one line of the table; BETTER is `more`, `less` or `same`; TARGET bounds the ratio
#                                                 as in `ratio 1.5`, or the figure as in `value 16384`, by what is better
#   sample NAME SIDE ROUND VALUE                  one figure of a metric of the row; SIDE is `colibri` or `peer`
#   note WORDS                                    said under the row: what was skipped, and why
#
# Reads `scratch`. Figures of one round were taken right after each other, so the ratio is taken in each round.

row() {
    current_row=$1
    printf 'row\t%s\t%s\n' "$1" "$2" >> "$scratch/report"
}

metric() { printf 'metric\t%s\t%s\t%s\t%s\t%s\n' "$current_row" "$1" "$2" "$3" "${4:-}" >> "$scratch/report"; }

sample() { printf 'sample\t%s\t%s\t%s\t%s\t%s\n' "$current_row" "$1" "$2" "$3" "$4" >> "$scratch/report"; }

note() { printf 'note\t%s\t%s\n' "$current_row" "$1" >> "$scratch/report"; }

# The figure of that name among "name value" lines.
figure() { awk -v name="$2" '$1 == name { print $2; exit }' "$1"; }

report_functions='
function sort_values(values, n,    i, j, kept) {
    for (i = 2; i <= n; i++) {
        kept = values[i]
        for (j = i - 1; j >= 1 && values[j] > kept; j--) values[j + 1] = values[j]
        values[j + 1] = kept
    }
}
# Of the samples of a metric on a side, or of the ratios of its rounds: sets median, least and most; answers how many.
function summarise(key, side,    n, i, round, values) {
    n = 0
    for (i = 1; i <= rounds[key]; i++) {
        round = key SUBSEP i
        if (side != "ratio") {
            if ((round SUBSEP side) in value) values[++n] = value[round, side]
        } else if (((round SUBSEP "colibri") in value) && ((round SUBSEP "peer") in value) && value[round, "peer"] != 0)
            values[++n] = value[round, "colibri"] / value[round, "peer"]
    }
    if (n == 0) return 0
    sort_values(values, n)
    median = n % 2 ? values[(n + 1) / 2] : (values[n / 2] + values[n / 2 + 1]) / 2
    least = values[1]
    most = values[n]
    return n
}
function figure(x) {
    if (x == int(x) && x < 100000) return sprintf("%d", x)
    if (x >= 100 || x <= -100) return sprintf("%.0f", x)
    return sprintf(x >= 10 || x <= -10 ? "%.1f" : "%.2f", x)
}
# "met", "missed", or nothing where there is no target or no figure. The bound itself is set in target_bound.
function verdict(key,    parts, found) {
    split(target[key], parts, " ")
    target_bound = parts[2]
    if (target[key] == "" || !summarise(key, parts[1] == "ratio" ? "ratio" : "colibri")) return ""
    return (better[key] == "more" ? median >= target_bound : median <= target_bound) ? "met" : "missed"
}
function target_text(key) {
    verdict(key)
    if (target[key] == "") return ""
    return (better[key] == "more" ? ">= " : "<= ") target_bound (target[key] ~ /^ratio/ ? "x" : "")
}
$1 == "row" { row_names[++row_count] = $2; peer_of[$2] = $3 }
$1 == "metric" { metrics[$2]++; key = $2 SUBSEP $3; names[$2, metrics[$2]] = $3; better[key] = $4; words[key] = $5; target[key] = $6 }
$1 == "sample" { key = $2 SUBSEP $3; value[key, $5, $4] = $6; if ($5 > rounds[key]) rounds[key] = $5 }
$1 == "note" { notes[$2]++; note_of[$2, notes[$2]] = $3 }
'

# 80 columns. Where there is no peer, the spread is that of the figure itself.
print_table() {
    LC_ALL=C awk -F '\t' "$report_functions"'
    END {
        printf "%-30s%9s%9s%6s %-11s%s\n", "", "Colibri", "peer", "ratio", "spread", "target"
        for (r = 1; r <= row_count; r++) {
            name = row_names[r]
            printf "%s%s\n", name, peer_of[name] == "" ? "" : " (peer: " peer_of[name] ")"
            for (m = 1; m <= metrics[name]; m++) {
                key = name SUBSEP names[name, m]
                ours = theirs = ratio = "-"
                spread = ""
                if (summarise(key, "colibri")) {
                    ours = figure(median)
                    if (least != most) spread = figure(least) "-" figure(most)
                }
                if (summarise(key, "peer")) theirs = figure(median)
                if (summarise(key, "ratio")) { ratio = sprintf("%.2f", median); spread = sprintf("%.2f-%.2f", least, most) }
                mark = better[key] == "more" ? ">" : better[key] == "less" ? "<" : " "
                met = verdict(key)
                printf "%s %-28s%9s%9s%6s %-11s%s\n", mark, words[key], ours, theirs, ratio, spread, \
                    target[key] == "" ? "" : target_bound (met == "" ? "" : " " met)
            }
            for (m = 1; m <= notes[name]; m++) printf "    %s\n", note_of[name, m]
        }
        print ""
        print "> more is better, < less is better; ratio is Colibri / peer, median over rounds,"
        print "spread its least and most (of the figure itself where there is no peer); the"
        print "target is the least or the most that the ratio, else the figure, should be."
    }' "$scratch/report"
}

print_json() {
    LC_ALL=C awk -F '\t' -v platform="$(uname -sm)" -v cores="$(getconf _NPROCESSORS_ONLN)" -v quick="$quick" -v rounds_wanted="$rounds" \
        -v revision="$(git -C "$repository" rev-parse --short HEAD 2>/dev/null || printf unknown)" "$report_functions"'
    function json_text(s) { gsub(/[\\"]/, "\\\\&", s); return "\"" s "\"" }
    function json_side(key, which,    n, i, list) {
        n = summarise(key, which)
        if (n == 0) return "null"
        list = ""
        if (which != "ratio")
            for (i = 1; i <= rounds[key]; i++)
                if ((key SUBSEP i SUBSEP which) in value) list = list (list == "" ? "" : ",") value[key, i, which]
        return sprintf("{\"median\":%.6g,\"min\":%.6g,\"max\":%.6g%s}", median, least, most, list == "" ? "" : ",\"samples\":[" list "]")
    }
    END {
        printf "{\"system\":%s,\"cores\":%d,\"revision\":%s,\"quick\":%s,\"rounds\":%d,\"rows\":[", \
            json_text(platform), cores, json_text(revision), quick == "yes" ? "true" : "false", rounds_wanted
        for (r = 1; r <= row_count; r++) {
            name = row_names[r]
            printf "%s\n{\"name\":%s,\"peer\":%s,\"metrics\":[", (r > 1 ? "," : ""), json_text(name), peer_of[name] == "" ? "null" : json_text(peer_of[name])
            for (m = 1; m <= metrics[name]; m++) {
                key = name SUBSEP names[name, m]
                printf "%s\n {\"name\":%s,\"what\":%s,\"better\":%s,\"colibri\":%s,\"peer\":%s,\"ratio\":%s,\"target\":%s,\"met\":%s}", (m > 1 ? "," : ""), \
                    json_text(names[name, m]), json_text(words[key]), json_text(better[key]), json_side(key, "colibri"), json_side(key, "peer"), json_side(key, "ratio"), \
                    target[key] == "" ? "null" : json_text(target_text(key)), (verdict(key) == "" ? "null" : verdict(key) == "met" ? "true" : "false")
            }
            printf "],\"notes\":["
            for (m = 1; m <= notes[name]; m++) printf "%s%s", (m > 1 ? "," : ""), json_text(note_of[name, m])
            printf "]}"
        }
        print "\n]}"
    }' "$scratch/report"
}
