/*
 * cycleclient SOCKET CLIENTS COUNT IDS
 *
 * Takes COUNT queued tasks, named in the file IDS, through claim, start and done over CLIENTS connections, each with one request
 * unanswered, and prints tasks a second.
 */
#include "wire.h"

#include <poll.h>

enum { ID = 36, STEPS = 3 };

struct client {
    char id[ID + 1];
    int step;
};

static void send_step(int fd, const struct client *client, int number)
{
    char request[256];
    if (client->step == 0)
        snprintf(request, sizeof request, "{\"cmd\":\"claim-task\",\"task_id\":\"%s\",\"agent_id\":\"bench-%d\"}\n", client->id, number);
    else
        snprintf(request, sizeof request, "{\"cmd\":\"transition-task\",\"task_id\":\"%s\",\"status\":\"%s\"}\n", client->id,
                 client->step == 1 ? "started" : "done");
    wire_send(fd, request, strlen(request));
}

static int next_id(FILE *ids, char *id)
{
    return fscanf(ids, "%36s", id) == 1;
}

int main(int argc, char **argv)
{
    if (argc < 5)
        fail("usage", "cycleclient SOCKET CLIENTS COUNT IDS");
    int clients = atoi(argv[2]), count = atoi(argv[3]), begun = 0, done = 0;
    FILE *ids = fopen(argv[4], "r");
    if (clients < 1 || count < clients || ids == NULL)
        fail("usage", "CLIENTS is 1 at least, COUNT no less than that, and IDS a file");
    const struct wire wire = wire_named("colibri");
    struct client *states = calloc((size_t)clients, sizeof *states);
    struct wire_reader *readers = calloc((size_t)clients, sizeof *readers);
    struct pollfd *sockets = calloc((size_t)clients, sizeof *sockets);
    for (int i = 0; i < clients; i++)
        sockets[i] = (struct pollfd){.fd = wire_connect(argv[1]), .events = POLLIN};

    double start = seconds_now();
    for (; begun < clients; begun++) {
        if (!next_id(ids, states[begun].id))
            fail(argv[4], "has fewer ids than asked for");
        send_step(sockets[begun].fd, &states[begun], begun);
    }
    while (done < count) {
        if (poll(sockets, (nfds_t)clients, 60000) <= 0)
            fail("poll", "nobody answers within 60 s");
        for (int i = 0; i < clients; i++) {
            if (sockets[i].revents == 0)
                continue;
            wire_await(sockets[i].fd, wire, &readers[i], 1);
            if (++states[i].step == STEPS) {
                done++;
                states[i].step = 0;
                if (begun == count) {
                    sockets[i].fd = -1;
                    continue;
                }
                if (!next_id(ids, states[i].id))
                    fail(argv[4], "has fewer ids than asked for");
                begun++;
            }
            send_step(sockets[i].fd, &states[i], i);
        }
    }
    printf("rate %.1f\n", count / (seconds_now() - start));
    free(states);
    free(readers);
    free(sockets);
    fclose(ids);
    return 0;
}
