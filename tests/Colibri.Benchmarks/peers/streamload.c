/*
 * streamload DAEMON EVENTS SECONDS
 *
 * Speaks for every agent that the process DAEMON has started: writes into the standard output of each, EVENTS a second for SECONDS, evenly
 * and not all at once. Updates of a message as Pi 1.5 prints them, and once a second the start and end of a tool, whose name is the
 * monotonic clock in microseconds, for a subscriber to compare with its own. A thousand processes that wake a hundred times a second each
 * would cost more than two processors have; who writes makes no difference to who reads. Prints how many events were written, how many
 * found a pipe full, and how late the latest was.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096 };

static long long nanoseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int parent_of(const char *pid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "r");
    int parent = -1;
    if (file != NULL) {
        if (fgets(line, sizeof line, file) != NULL) {
            const char *name_end = strrchr(line, ')');
            if (name_end == NULL || sscanf(name_end + 1, " %*c %d", &parent) != 1)
                parent = -1;
        }
        fclose(file);
    }
    return parent;
}

static int open_outputs(int daemon, int *outputs)
{
    int count = 0;
    struct dirent *entry;
    DIR *processes = opendir("/proc");
    while (processes != NULL && count < MOST && (entry = readdir(processes)) != NULL) {
        char path[64];
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || parent_of(entry->d_name) != daemon)
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/fd/1", entry->d_name);
        outputs[count] = open(path, O_WRONLY | O_NONBLOCK);
        if (outputs[count] < 0) {
            fprintf(stderr, "streamload: %s: %s\n", path, strerror(errno));
            exit(1);
        }
        count++;
    }
    if (processes != NULL)
        closedir(processes);
    return count;
}

int main(int argc, char **argv)
{
    static const char update[] =
        "{\"type\":\"message_update\",\"assistantMessageEvent\":{\"type\":\"text_delta\",\"contentIndex\":0,\"delta\":\" and then the next word\"},"
        "\"message\":{\"role\":\"assistant\",\"responseId\":\"chatcmpl-0\"}}\n";
    static int outputs[MOST];
    if (argc < 4)
        return 2;
    long events = atol(argv[2]), seconds = atol(argv[3]), full = 0;
    int agents = open_outputs(atoi(argv[1]), outputs);
    if (agents == 0 || events < 2) {
        fprintf(stderr, "streamload: process %s has started no agents\n", argv[1]);
        return 1;
    }
    long long start = nanoseconds_now(), latest = 0, total = (long long)agents * events * seconds;
    for (long long i = 0; i < total; i++) {
        long long due = start + i * 1000000000LL / ((long long)agents * events), now = nanoseconds_now();
        if (due - now > 200000) {
            struct timespec until = {.tv_sec = due / 1000000000LL, .tv_nsec = due % 1000000000LL};
            clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
            now = nanoseconds_now();
        }
        if (now - due > latest)
            latest = now - due;
        /* Tools start at another time in each agent. */
        long agent = i % agents, turn = (i / agents + agent) % events;
        char line[256];
        const char *text = update;
        int length = sizeof update - 1;
        if (turn < 2) {
            text = line;
            length = turn == 0
                ? snprintf(line, sizeof line, "{\"type\":\"tool_execution_start\",\"toolCallId\":\"c%lld\",\"toolName\":\"t%lld\",\"args\":{}}\n", i / agents, now / 1000)
                : snprintf(line, sizeof line, "{\"type\":\"tool_execution_end\",\"toolCallId\":\"c%lld\",\"toolName\":\"t\",\"isError\":false}\n", i / agents - 1);
        }
        if (write(outputs[agent], text, (size_t)length) != length)
            full++;
    }
    printf("sent %lld\nfull %ld\nlate_us %lld\n", total - full, full, latest / 1000);
    return 0;
}
