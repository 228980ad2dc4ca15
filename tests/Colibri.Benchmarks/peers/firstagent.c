/* An agent that says one thing, works for as long as it takes to hear it, and is done. */
#include <time.h>
#include <unistd.h>

static int say(const char *text, size_t length) { return write(1, text, length) == (ssize_t)length; }

int main(void)
{
    static const char first[] = "{\"type\":\"session\",\"version\":3,\"id\":\"0199-first\",\"cwd\":\"/\"}\n";
    static const char rest[] =
        "{\"type\":\"agent_start\"}\n{\"type\":\"turn_start\"}\n"
        "{\"type\":\"message_end\",\"message\":{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"so\"}],\"stopReason\":\"stop\"}}\n"
        "{\"type\":\"turn_end\"}\n{\"type\":\"agent_end\",\"messages\":[],\"willRetry\":false}\n{\"type\":\"agent_settled\",\"aborted\":false}\n";
    const struct timespec pause = {.tv_nsec = 2000000};
    if (!say(first, sizeof first - 1))
        return 1;
    nanosleep(&pause, NULL);
    return say(rest, sizeof rest - 1) ? 0 : 1;
}
