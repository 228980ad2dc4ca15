/*
 * runloop COUNT PROGRAM [ARGUMENT...]
 *
 * Runs a program COUNT times, its output thrown away, and prints the median and the 99th percentile of the time from its start to its
 * exit. A run that fails ends it.
 */
#include "wire.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    if (argc < 3)
        fail("usage", "runloop COUNT PROGRAM [ARGUMENT...]");
    int count = atoi(argv[1]);
    double *times = malloc(sizeof *times * (size_t)(count > 0 ? count : 1));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDWR, 0);
    posix_spawn_file_actions_adddup2(&actions, 0, 1);
    for (int i = -count / 10; i < count; i++) {
        double start = seconds_now();
        pid_t pid;
        int status, error = posix_spawnp(&pid, argv[2], &actions, NULL, argv + 2, environ);
        if (error != 0)
            fail(argv[2], strerror(error));
        while (waitpid(pid, &status, 0) < 0)
            if (errno != EINTR)
                fail("waitpid", strerror(errno));
        if (status != 0)
            fail(argv[2], "did not exit with 0");
        if (i >= 0)
            times[i] = seconds_now() - start;
    }
    print_percentiles(times, count);
    free(times);
    return 0;
}
