/*
 * firstbyte peer COUNT PROGRAM     from posix_spawn with three pipes to the first byte read from the program's stdout
 * firstbyte colibri COUNT SOCKET   from sending a create-task to a subscriber's first news of the agent's first event
 *
 * Prints the median and the 99th percentile. One after the other: each program has ended, or its task is done, before the next.
 */
#define _GNU_SOURCE
#include "wire.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

static double peer_once(const char *program)
{
    int in[2], out[2], err[2];
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
        fail("pipe", strerror(errno));
    double start = seconds_now();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    char *const argv[] = {(char *)program, NULL};
    pid_t pid;
    int error = posix_spawn(&pid, program, &actions, NULL, argv, environ);
    if (error != 0)
        fail(program, strerror(error));
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    close(err[1]);
    char first;
    if (read(out[0], &first, 1) != 1)
        fail(program, "printed nothing");
    double taken = seconds_now() - start;
    char rest[4096];
    while (read(out[0], rest, sizeof rest) > 0) {
    }
    waitpid(pid, NULL, 0);
    close(in[1]);
    close(out[0]);
    close(err[0]);
    return taken;
}

enum { ID = 36 };

/* Reads lines of the subscription until one holds both texts; what that line has as its pane's id goes into pane, if any. */
static void await_line(int fd, struct wire_reader *reader, const char *text, const char *other, char pane[ID + 1])
{
    for (;;) {
        char *newline = memchr(reader->buffer, '\n', reader->held);
        if (newline != NULL) {
            *newline = '\0';
            int found = strstr(reader->buffer, text) != NULL && strstr(reader->buffer, other) != NULL;
            const char *id = strstr(reader->buffer, "\"pane\":{\"id\":\"");
            if (found && pane != NULL && id != NULL)
                snprintf(pane, ID + 1, "%.*s", ID, id + strlen("\"pane\":{\"id\":\""));
            size_t line = (size_t)(newline + 1 - reader->buffer);
            reader->held -= line;
            memmove(reader->buffer, newline + 1, reader->held);
            if (found)
                return;
            continue;
        }
        ssize_t got = read(fd, reader->buffer + reader->held, sizeof reader->buffer - reader->held);
        if (got <= 0)
            fail("read", got == 0 ? "the server closed the connection" : strerror(errno));
        reader->held += (size_t)got;
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("usage", "firstbyte peer|colibri COUNT PROGRAM|SOCKET");
    /* News that never come end it, too. */
    alarm(300);
    int count = atoi(argv[2]), is_peer = strcmp(argv[1], "peer") == 0;
    double *times = malloc(sizeof *times * (size_t)(count > 0 ? count : 1));
    static struct wire_reader events, replies;
    struct wire wire = wire_named("colibri");
    int client = -1, subscriber = -1;
    if (!is_peer) {
        static const char subscribe[] = "{\"cmd\":\"subscribe\",\"topics\":[\"tasks\",\"panes\"]}\n";
        client = wire_connect(argv[3]);
        subscriber = wire_connect(argv[3]);
        wire_send(subscriber, subscribe, sizeof subscribe - 1);
        wire_await(subscriber, wire, &events, 1);
    }
    for (int i = -count / 10; i < count; i++) {
        double taken;
        if (is_peer) {
            taken = peer_once(argv[3]);
        } else {
            static const char create[] = "{\"cmd\":\"create-task\",\"title\":\"say one thing\"}\n";
            double start = seconds_now();
            wire_send(client, create, sizeof create - 1);
            /* Its own news, whatever has become of it by then: it does not wait for us. */
            char pane[ID + 1] = "";
            await_line(subscriber, &events, "\"kind\":\"pane\"", "\"lifecycle\":\"starting\"", pane);
            await_line(subscriber, &events, pane, "\"last_event\":\"", NULL);
            taken = seconds_now() - start;
            wire_await(client, wire, &replies, 1);
            await_line(subscriber, &events, "\"kind\":\"task\"", "\"status\":\"done\"", NULL);
        }
        if (i >= 0)
            times[i] = taken;
    }
    print_percentiles(times, count);
    free(times);
    return 0;
}
