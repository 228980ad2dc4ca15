/* An agent that says one thing and then nothing, for as long as somebody holds the other end of its stdout. */
#include <poll.h>
#include <unistd.h>

int main(void)
{
    static const char event[] = "{\"type\":\"session\",\"version\":3,\"id\":\"0199-idle\",\"cwd\":\"/\"}\n";
    if (write(1, event, sizeof event - 1) < 0)
        return 1;
    /* A hang-up is reported unasked: not even a daemon that was killed leaves one of these behind. */
    struct pollfd output = {.fd = 1};
    while (poll(&output, 1, -1) < 0) {
    }
    return 0;
}
