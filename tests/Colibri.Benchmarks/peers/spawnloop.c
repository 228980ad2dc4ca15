/*
 * spawnloop COUNT PROGRAM
 *
 * Starts PROGRAM COUNT times, one after the other, each with a pipe for stdout and one for stderr and with the attributes Colibri
 * gives an agent (own process group, default signals, no descriptor beyond 2), waits for its exit, and prints starts a second.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void check(int error, const char *what)
{
    if (error == 0)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(error));
    exit(1);
}

static void start_and_wait(const char *program, int null)
{
    int out[2], err[2];
    check(pipe2(out, O_CLOEXEC) ? errno : 0, "pipe");
    check(pipe2(err, O_CLOEXEC) ? errno : 0, "pipe");

    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    sigset_t all, none;
    sigfillset(&all);
    sigdelset(&all, SIGKILL);
    sigdelset(&all, SIGSTOP);
    sigemptyset(&none);
    check(posix_spawnattr_init(&attributes), "posix_spawnattr_init");
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    check(posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
    posix_spawn_file_actions_adddup2(&actions, null, 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, err[1], 2);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);

    char *const argv[] = {(char *)program, NULL}, *const envp[] = {"PATH=/usr/bin:/bin", NULL};
    pid_t pid;
    check(posix_spawn(&pid, program, &actions, &attributes, argv, envp), program);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    close(out[1]);
    close(err[1]);
    int status;
    while (waitpid(pid, &status, 0) < 0)
        check(errno == EINTR ? 0 : errno, "waitpid");
    close(out[0]);
    close(err[0]);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: spawnloop COUNT PROGRAM\n");
        return 2;
    }
    int count = atoi(argv[1]), null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < count / 10; i++)
        start_and_wait(argv[2], null);
    double start = seconds_now();
    for (int i = 0; i < count; i++)
        start_and_wait(argv[2], null);
    printf("rate %.1f\n", count / (seconds_now() - start));
    return 0;
}
