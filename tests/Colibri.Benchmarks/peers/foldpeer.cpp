// foldpeer MEGABYTES PASSES FILE...
//
// Reads the recordings, each repeated to its share of MEGABYTES, with simdjson's on-demand iterate_many on one thread, taking of each line the fields
// that Colibri's glasspane takes, and prints GB (10^9 bytes) for each second of processor time.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <simdjson.h>

using namespace simdjson;

namespace {

struct Pane {
    std::uint64_t events = 0, turns = 0, tools = 0, input = 0, output = 0, cache_read = 0, cache_write = 0, checksum = 0;
    double cost = 0;
};

void take(Pane &pane, simdjson_result<std::string_view> text)
{
    std::string_view value;
    if (std::move(text).get(value) == SUCCESS)
        pane.checksum += value.size();
}

std::uint64_t count(simdjson_result<std::uint64_t> number)
{
    std::uint64_t value;
    return std::move(number).get(value) == SUCCESS ? value : 0;
}

void read_message(Pane &pane, ondemand::object message)
{
    for (auto field : message) {
        std::string_view key = field.unescaped_key();
        if (key == "role" || key == "stopReason" || key == "errorMessage") {
            std::string_view value;
            if (field.value().get_string().get(value) == SUCCESS) {
                pane.checksum += value.size();
                if (key == "role" && value != "assistant")
                    return;
            }
        } else if (key == "usage") {
            for (auto part : field.value().get_object()) {
                std::string_view name = part.unescaped_key();
                if (name == "input")
                    pane.input += count(part.value().get_uint64());
                else if (name == "output")
                    pane.output += count(part.value().get_uint64());
                else if (name == "cacheRead")
                    pane.cache_read += count(part.value().get_uint64());
                else if (name == "cacheWrite")
                    pane.cache_write += count(part.value().get_uint64());
                else if (name == "cost") {
                    double total;
                    if (part.value().find_field_unordered("total").get_double().get(total) == SUCCESS)
                        pane.cost += total;
                }
            }
        }
    }
}

enum class Detail { none, message, fields };

Detail detail_of(Pane &pane, std::string_view type)
{
    if (type == "message_update" || type == "tool_execution_update" || type == "message_start")
        return Detail::none;
    if (type == "message_end")
        return Detail::message;
    if (type == "turn_start")
        pane.turns++;
    if (type == "tool_execution_start" || type == "tool_execution_end") {
        pane.tools++;
        return Detail::fields;
    }
    const bool has_fields = type == "session" || type == "agent_end" || type == "agent_settled" || type == "auto_retry_end"
        || type == "compaction_end" || type == "extension_ui_request" || type == "response";
    return has_fields ? Detail::fields : Detail::none;
}

// In one pass over the fields, left as soon as nothing more is wanted: that is the fastest way through a document.
void read_line(Pane &pane, ondemand::document_reference line)
{
    Detail detail = Detail::fields;
    ondemand::object event = line.get_object();
    pane.events++;
    for (auto field : event) {
        std::string_view key = field.unescaped_key();
        if (key == "type") {
            detail = detail_of(pane, field.value().get_string());
            if (detail == Detail::none)
                return;
        } else if (detail == Detail::message) {
            if (key == "message") {
                read_message(pane, field.value().get_object());
                return;
            }
        } else if (key == "toolCallId" || key == "toolName" || key == "id" || key == "cwd" || key == "finalError" || key == "method"
            || key == "errorMessage") {
            take(pane, field.value().get_string());
        } else if (key == "isError" || key == "willRetry" || key == "aborted" || key == "success") {
            bool flag;
            if (field.value().get_bool().get(flag) == SUCCESS)
                pane.checksum += flag;
        }
    }
}

double processor_seconds()
{
    timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}

int main(int argc, char **argv)
{
    if (argc < 4) {
        std::fprintf(stderr, "usage: foldpeer MEGABYTES PASSES FILE...\n");
        return 2;
    }
    std::string text;
    const std::size_t share = std::strtoul(argv[1], nullptr, 10) * 1000000 / static_cast<std::size_t>(argc - 3);
    for (int i = 3; i < argc; i++) {
        std::ifstream file(argv[i], std::ios::binary);
        std::string recording(std::istreambuf_iterator<char>(file), {});
        if (recording.empty() || recording.back() != '\n')
            recording.push_back('\n');
        for (const std::size_t end = text.size() + share; text.size() < end;)
            text += recording;
    }

    const int passes = std::atoi(argv[2]);
    const padded_string padded(text);
    ondemand::parser parser;
    Pane pane;
    double start = 0;
    for (int pass = -1; pass < passes; pass++) {
        if (pass == 0)
            start = processor_seconds();
        pane = Pane();
        ondemand::document_stream lines = parser.iterate_many(padded);
        for (auto line : lines)
            read_line(pane, line.value());
    }
    const double seconds = processor_seconds() - start;
    std::printf("events %llu\nturns %llu\ninput %llu\n", static_cast<unsigned long long>(pane.events),
        static_cast<unsigned long long>(pane.turns), static_cast<unsigned long long>(pane.input));
    std::printf("gb_per_s %.4f\n", static_cast<double>(text.size()) * passes / seconds / 1e9);
    return 0;
}
