/*
 * stdiostart REQUEST PROGRAM [ARGUMENT...]
 *
 * Starts a server that speaks on its standard input and output, and prints the milliseconds until it has answered one line with one that
 * holds a result; then closes its input and waits for its end.
 */
#include "wire.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage", "stdiostart REQUEST PROGRAM [ARGUMENT...]");
    int to_child[2], from_child[2];
    if (pipe2(to_child, O_CLOEXEC) != 0 || pipe2(from_child, O_CLOEXEC) != 0)
        fail("pipe2", strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to_child[0], 0);
    posix_spawn_file_actions_adddup2(&actions, from_child[1], 1);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);

    pid_t pid;
    double start = seconds_now();
    int error = posix_spawn(&pid, argv[2], &actions, NULL, argv + 2, environ);
    if (error != 0)
        fail(argv[2], strerror(error));
    close(to_child[0]);
    close(from_child[1]);
    wire_send(to_child[1], argv[1], strlen(argv[1]));
    wire_send(to_child[1], "\n", 1);
    static char answer[1 << 16];
    size_t held = 0;
    while (memchr(answer, '\n', held) == NULL) {
        ssize_t got = read(from_child[0], answer + held, sizeof answer - 1 - held);
        if (got <= 0)
            fail(argv[2], got == 0 ? "ended before it answered, or its answer is too long" : strerror(errno));
        held += (size_t)got;
    }
    double took = seconds_now() - start;
    if (strstr(answer, "\"result\"") == NULL)
        fail("unexpected answer", answer);
    printf("ms %.3f\n", took * 1e3);

    close(to_child[1]);
    waitpid(pid, NULL, 0);
    return 0;
}
