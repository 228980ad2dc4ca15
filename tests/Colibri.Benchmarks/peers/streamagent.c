/*
 * streamagent EVENTS SECONDS
 *
 * An agent that prints EVENTS events a second for SECONDS, evenly: updates of a message as Pi 1.5 prints them, and once a second the
 * start and end of a tool, whose name is the monotonic clock in microseconds, for a subscriber to compare with its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static long long nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int say(const char *text, int length) { return write(1, text, (size_t)length) == length; }

int main(int argc, char **argv)
{
    static const char update[] =
        "{\"type\":\"message_update\",\"assistantMessageEvent\":{\"type\":\"text_delta\",\"contentIndex\":0,\"delta\":\" and then the next word\"},"
        "\"message\":{\"role\":\"assistant\",\"responseId\":\"chatcmpl-0\"}}\n";
    if (argc < 3)
        return 2;
    long events = atol(argv[1]), seconds = atol(argv[2]);
    if (events < 1 || !say("{\"type\":\"agent_start\"}\n", 23))
        return 1;
    long long start = nanoseconds_now(), step = 1000000000LL / events;
    /* Agents that were started together do not speak at the same instants. */
    start += (getpid() * 7919LL) % 1000 * 1000000LL;
    for (long i = 0; i < events * seconds; i++) {
        struct timespec until;
        long long at = start + i * step;
        until.tv_sec = at / 1000000000LL;
        until.tv_nsec = at % 1000000000LL;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
        if (i % events == events / 2) {
            char line[256];
            int length = snprintf(line, sizeof line, "{\"type\":\"tool_execution_start\",\"toolCallId\":\"c%ld\",\"toolName\":\"t%lld\",\"args\":{}}\n", i,
                                  nanoseconds_now() / 1000);
            if (!say(line, length))
                return 1;
        } else if (i % events == events / 2 + 1) {
            char line[256];
            int length = snprintf(line, sizeof line, "{\"type\":\"tool_execution_end\",\"toolCallId\":\"c%ld\",\"toolName\":\"t\",\"isError\":false}\n", i - 1);
            if (!say(line, length))
                return 1;
        } else if (!say(update, sizeof update - 1)) {
            return 1;
        }
    }
    return 0;
}
