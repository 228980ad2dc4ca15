/*
 * loadclient PROTOCOL SOCKET CLIENTS DEPTH COUNT [REQUEST [REPLY_START [IDS]]]
 *
 * Sends COUNT requests over CLIENTS connections, each with up to DEPTH of them unanswered, from one thread, and prints how many were
 * answered a second. REQUEST, a line without its newline, stands in for the protocol's ping; what good replies start with may change
 * with it. IDS names a file that gets the id of every task in the replies, a line each.
 */
#include "wire.h"

#include <fcntl.h>
#include <poll.h>

struct client {
    int unanswered;
    struct wire_reader reader;
};

static FILE *ids;

/* Where an object answers, its id is the first field of its data. */
static void keep_id(const char *line)
{
    const char *id = strstr(line, "\"id\":\"");
    if (id != NULL)
        fprintf(ids, "%.36s\n", id + 6);
}

/* Takes in what has come without waiting for more; how many replies that were. */
static int take_replies(int fd, struct wire wire, struct client *client)
{
    struct wire_reader *reader = &client->reader;
    ssize_t got = read(fd, reader->buffer + reader->held, sizeof reader->buffer - reader->held);
    if (got <= 0)
        fail("read", got == 0 ? "the server closed the connection" : strerror(errno));
    reader->held += (size_t)got;
    char *line = reader->buffer, *end = reader->buffer + reader->held, *newline;
    int replies = 0;
    while ((newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
        *newline = '\0';
        if (strncmp(line, wire.reply_start, strlen(wire.reply_start)) != 0)
            fail("unexpected reply", line);
        if (ids != NULL)
            keep_id(line);
        line = newline + 1;
        replies++;
    }
    reader->held = (size_t)(end - line);
    memmove(reader->buffer, line, reader->held);
    return replies;
}

int main(int argc, char **argv)
{
    if (argc < 6)
        fail("usage", "loadclient PROTOCOL SOCKET CLIENTS DEPTH COUNT [REQUEST [REPLY_START [IDS]]]");
    struct wire wire = wire_named(argv[1]);
    int clients = atoi(argv[3]), depth = atoi(argv[4]), count = atoi(argv[5]);
    if (clients < 1 || depth < 1 || count < 1)
        fail("usage", "CLIENTS, DEPTH and COUNT are 1 at least");
    char *custom = NULL;
    if (argc > 6) {
        custom = malloc(strlen(argv[6]) + 2);
        strcpy(custom, argv[6]);
        strcat(custom, "\n");
        wire.request = custom;
    }
    if (argc > 7)
        wire.reply_start = argv[7];
    if (argc > 8 && (ids = fopen(argv[8], "w")) == NULL)
        fail(argv[8], strerror(errno));

    size_t request = strlen(wire.request);
    char *batch = malloc(request * (size_t)depth);
    for (int i = 0; i < depth; i++)
        memcpy(batch + request * (size_t)i, wire.request, request);
    struct client *states = calloc((size_t)clients, sizeof *states);
    struct pollfd *sockets = calloc((size_t)clients, sizeof *sockets);
    for (int i = 0; i < clients; i++)
        sockets[i] = (struct pollfd){.fd = wire_connect(argv[2]), .events = POLLIN};

    int unsent = count, answered = 0;
    double start = seconds_now();
    for (int i = 0; i < clients; i++) {
        int now = unsent < depth ? unsent : depth;
        wire_send(sockets[i].fd, batch, request * (size_t)now);
        states[i].unanswered = now;
        unsent -= now;
    }
    while (answered < count) {
        if (poll(sockets, (nfds_t)clients, 60000) <= 0)
            fail("poll", "nobody answers within 60 s");
        for (int i = 0; i < clients; i++) {
            if (sockets[i].revents == 0)
                continue;
            int replies = take_replies(sockets[i].fd, wire, &states[i]);
            answered += replies;
            states[i].unanswered -= replies;
            int now = depth - states[i].unanswered;
            if (now > unsent)
                now = unsent;
            wire_send(sockets[i].fd, batch, request * (size_t)now);
            states[i].unanswered += now;
            unsent -= now;
        }
    }
    printf("rate %.1f\n", count / (seconds_now() - start));
    if (ids != NULL)
        fclose(ids);
    free(states);
    free(sockets);
    free(batch);
    free(custom);
    return 0;
}
