/*
 * coldstart PROTOCOL SOCKET PROGRAM [ARGUMENT...]
 *
 * Starts a server and prints the milliseconds until it has answered one ping on its Unix socket; then ends it with SIGTERM.
 */
#include "wire.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("usage", "coldstart PROTOCOL SOCKET PROGRAM [ARGUMENT...]");
    struct wire wire = wire_named(argv[1]);
    static struct wire_reader reader;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    posix_spawn_file_actions_adddup2(&actions, 0, 2);

    pid_t pid;
    double start = seconds_now();
    int error = posix_spawn(&pid, argv[3], &actions, NULL, argv + 3, environ);
    if (error != 0)
        fail(argv[3], strerror(error));
    const struct timespec pause = {.tv_nsec = 100000};
    int fd;
    while ((fd = wire_try_connect(argv[2])) < 0) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            fail(argv[3], "ended before it listened");
        if (seconds_now() - start > 30) {
            kill(pid, SIGKILL);
            fail(argv[3], "does not listen within 30 s");
        }
        nanosleep(&pause, NULL);
    }
    wire_send(fd, wire.request, strlen(wire.request));
    wire_await(fd, wire, &reader, 1);
    printf("ms %.3f\n", (seconds_now() - start) * 1e3);

    close(fd);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    return 0;
}
