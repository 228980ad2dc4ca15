/*
 * httploop SOCKET COUNT REQUEST_FILE
 *
 * Posts the same request COUNT times over one connection that is kept alive, reads each response to its end by its Content-Length, and
 * prints how many were answered a second.
 */
#include "wire.h"

static size_t content_length(const char *head)
{
    const char *found = strcasestr(head, "\r\ncontent-length:");
    if (found == NULL)
        fail("unexpected response", head);
    return (size_t)atol(found + 17);
}

static void read_response(int fd)
{
    static char buffer[1 << 16];
    size_t held = 0;
    char *body = NULL;
    for (;;) {
        ssize_t got = read(fd, buffer + held, sizeof buffer - 1 - held);
        if (got <= 0)
            fail("read", got == 0 ? "the server closed the connection" : strerror(errno));
        held += (size_t)got;
        buffer[held] = '\0';
        if (body == NULL && (body = strstr(buffer, "\r\n\r\n")) == NULL)
            continue;
        if (strncmp(buffer, "HTTP/1.1 200", 12) != 0 && strncmp(buffer, "HTTP/1.0 200", 12) != 0)
            fail("unexpected response", buffer);
        if (held >= (size_t)(body + 4 - buffer) + content_length(buffer))
            return;
    }
}

int main(int argc, char **argv)
{
    if (argc < 4)
        fail("usage", "httploop SOCKET COUNT REQUEST_FILE");
    static char request[1 << 16];
    FILE *file = fopen(argv[3], "r");
    size_t length = file == NULL ? 0 : fread(request, 1, sizeof request, file);
    if (length == 0)
        fail(argv[3], "holds no request");
    fclose(file);
    int count = atoi(argv[2]), fd = wire_connect(argv[1]);
    double start = seconds_now();
    for (int i = -count / 10; i < count; i++) {
        if (i == 0)
            start = seconds_now();
        wire_send(fd, request, length);
        read_response(fd);
    }
    printf("rate %.1f\n", count / (seconds_now() - start));
    return 0;
}
