/* The protocols a client here speaks, one request and one reply line at a time: Colibri's JSON lines, Redis's RESP, and the first line of HTTP. */
#ifndef WIRE_H
#define WIRE_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct wire {
    const char *request;
    const char *reply_start;
};

static void fail(const char *what, const char *detail)
{
    fprintf(stderr, "%s: %s\n", what, detail);
    exit(1);
}

static inline struct wire wire_named(const char *protocol)
{
    if (strcmp(protocol, "colibri") == 0)
        return (struct wire){"{\"cmd\":\"ping\"}\n", "{\"ok\":true"};
    if (strcmp(protocol, "redis") == 0)
        return (struct wire){"*1\r\n$4\r\nPING\r\n", "+PONG"};
    /* Whatever the status: it has answered. */
    if (strcmp(protocol, "http") == 0)
        return (struct wire){"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 "};
    fail(protocol, "not a protocol; colibri, redis or http");
    abort();
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The connection, or -1 while nobody listens there. */
static inline int wire_try_connect(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        fail(path, "too long for a socket's path");
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        fail("socket", strerror(errno));
    if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Tries every 100 microseconds for as long as a server may take to start. */
static inline int wire_connect(const char *path)
{
    const double deadline = seconds_now() + 30;
    const struct timespec pause = {.tv_nsec = 100000};
    int fd;
    while ((fd = wire_try_connect(path)) < 0) {
        if (seconds_now() > deadline)
            fail(path, "nobody answers there");
        nanosleep(&pause, NULL);
    }
    return fd;
}

static inline void wire_send(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = write(fd, bytes, length);
        if (sent < 0)
            fail("write", strerror(errno));
        bytes += sent;
        length -= (size_t)sent;
    }
}

struct wire_reader {
    size_t held;
    char buffer[1 << 16];
};

/* Reads until `count` reply lines have come; each has to start as a good one does. */
static inline void wire_await(int fd, struct wire wire, struct wire_reader *reader, int count)
{
    while (count > 0) {
        ssize_t got = read(fd, reader->buffer + reader->held, sizeof reader->buffer - reader->held);
        if (got <= 0)
            fail("read", got == 0 ? "the server closed the connection" : strerror(errno));
        reader->held += (size_t)got;
        char *line = reader->buffer, *end = reader->buffer + reader->held, *newline;
        while (count > 0 && (newline = memchr(line, '\n', (size_t)(end - line))) != NULL) {
            if (strncmp(line, wire.reply_start, strlen(wire.reply_start)) != 0) {
                *newline = '\0';
                fail("unexpected reply", line);
            }
            line = newline + 1;
            count--;
        }
        reader->held = (size_t)(end - line);
        memmove(reader->buffer, line, reader->held);
    }
}

static inline int by_value(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Of times in seconds: the median and the 99th percentile in microseconds. Sorts them. */
static inline void print_percentiles(double *times, int count)
{
    if (count == 0)
        return;
    qsort(times, (size_t)count, sizeof *times, by_value);
    printf("p50_us %.2f\n", times[count / 2] * 1e6);
    printf("p99_us %.2f\n", times[(int)((double)count * 0.99)] * 1e6);
}

#endif
