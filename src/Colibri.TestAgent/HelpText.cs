namespace Colibri.TestAgent;

internal static class HelpText
{
    public const string Text = """
        usage: colibri-test-agent [options] [PROMPT...]

        Plays an AI coding agent without a model: prints the JSON lines that Pi 1.5
        prints (session, turns, messages, tool runs, usage), one event a line, and
        misbehaves on request. The words after the options are the prompt.

        What it plays
          --session-id ID     the session's id (default: a new UUID)
          --cwd DIR           the directory it claims to work in (default: the real one)
          --turns N           turns in a run; every turn but the last uses a tool (2)
          --step-ms N         milliseconds before each event (0)
          --hold-secs N       works for N seconds more before the run ends (0)
          --emit-usage        every assistant message reports tokens and cost
          --usage I,O,R,W,C   those: input, output, cache read, cache write, US dollars
          --rpc               prompts come as lines on stdin, one run each (also:
                              abort, get_state, extension_ui_response); ends with
                              stdin
          --ask               asks for a confirmation and waits for the answer
          --retry             the first request fails and is tried again
          --fail              the last message ends in an error; the exit code stays 0

        How it misbehaves
          --exit CODE         exits with this code
          --crash-after N     aborts after N events, in the middle of the next line
          --ignore-term       SIGTERM does nothing (otherwise: exit 143)
          --children N        leaves N processes behind it, every second one in a
                              session of its own, the others with its stdout open
          --malformed N       N broken lines among the events: torn, binary, a brace
          --flood BYTES       one line of that many bytes before everything else
          --stall             stops printing within the first message, and stays

        Pi's own --mode json|rpc, --provider P, --model M, --session ID, --no-session and
        -p are taken too. Whatever stays behind ends by itself after an hour.

          --help, --version

        Exit code: that of --exit (0), 143 after SIGTERM, 2 for a wrong option.

        """;
}
