/*
 * pingclient PROTOCOL SOCKET COUNT DEPTH [REQUEST]
 *
 * Sends COUNT requests on one connection, DEPTH at a time, and prints how fast they were answered; the first tenth warms up and is
 * not counted. REQUEST, a line without its newline, stands in for the protocol's ping.
 */
#include "wire.h"

int main(int argc, char **argv)
{
    if (argc < 5)
        fail("usage", "pingclient PROTOCOL SOCKET COUNT DEPTH [REQUEST]");
    struct wire wire = wire_named(argv[1]);
    int count = atoi(argv[3]), depth = atoi(argv[4]);
    if (count < 1 || depth < 1)
        fail("usage", "COUNT and DEPTH are 1 at least");
    char *custom = NULL;
    if (argc > 5) {
        custom = malloc(strlen(argv[5]) + 2);
        strcpy(custom, argv[5]);
        strcat(custom, "\n");
        wire.request = custom;
    }

    size_t request = strlen(wire.request);
    char *batch = malloc(request * (size_t)depth);
    for (int i = 0; i < depth; i++)
        memcpy(batch + request * (size_t)i, wire.request, request);
    int batches = (count + depth - 1) / depth, warm = custom ? 0 : batches / 10;
    double *latencies = malloc(sizeof *latencies * (size_t)batches);
    static struct wire_reader reader;

    int fd = wire_connect(argv[2]);
    double start = seconds_now();
    for (int i = -warm; i < batches; i++) {
        double sent = seconds_now();
        if (i == 0)
            start = sent;
        wire_send(fd, batch, request * (size_t)depth);
        wire_await(fd, wire, &reader, depth);
        if (i >= 0)
            latencies[i] = seconds_now() - sent;
    }
    double elapsed = seconds_now() - start;

    printf("rate %.1f\n", (double)batches * depth / elapsed);
    print_percentiles(latencies, batches);
    free(latencies);
    free(batch);
    free(custom);
    return 0;
}
