/*
 * panewatch SOCKET SECONDS
 *
 * Subscribes to panes for SECONDS and prints how long news took from streamagent's write to here: the tool's name is the time at which
 * it was written. Prints how many that were, the percentiles, and how many events the daemon says were missed.
 */
#include "wire.h"

#include <poll.h>

int main(int argc, char **argv)
{
    enum { MOST = 1 << 20 };
    if (argc < 3)
        fail("usage", "panewatch SOCKET SECONDS");
    static const char subscribe[] = "{\"cmd\":\"subscribe\",\"topics\":[\"panes\"]}\n";
    static char buffer[1 << 20];
    double *times = malloc(sizeof *times * MOST);
    size_t held = 0;
    int seen = 0;
    long missed = 0;
    int fd = wire_connect(argv[1]);
    wire_send(fd, subscribe, sizeof subscribe - 1);
    double until = seconds_now() + atof(argv[2]);
    for (;;) {
        double left = until - seconds_now();
        struct pollfd socket = {.fd = fd, .events = POLLIN};
        if (left <= 0 || poll(&socket, 1, (int)(left * 1000) + 1) == 0)
            break;
        ssize_t got = read(fd, buffer + held, sizeof buffer - 1 - held);
        double now = seconds_now();
        if (got <= 0)
            fail("read", got == 0 ? "the server closed the connection" : strerror(errno));
        held += (size_t)got;
        char *line = buffer, *newline;
        while ((newline = memchr(line, '\n', held - (size_t)(line - buffer))) != NULL) {
            *newline = '\0';
            const char *tool = strstr(line, "\"tool\":\"t"), *gap = strstr(line, "\"missed\":");
            if (tool != NULL && seen < MOST)
                times[seen++] = now - atof(tool + 9) / 1e6;
            if (gap != NULL)
                missed += atol(gap + 9);
            line = newline + 1;
        }
        held -= (size_t)(line - buffer);
        memmove(buffer, line, held);
    }
    printf("seen %d\nmissed %ld\n", seen, missed);
    print_percentiles(times, seen);
    free(times);
    return 0;
}
