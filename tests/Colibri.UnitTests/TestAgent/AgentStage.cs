using System.Text;
using System.Text.Json;
using Colibri.TestAgent;

namespace Colibri.UnitTests.TestAgent;

/// <summary>Plays the agent into memory.</summary>
internal static class AgentStage
{
    public static List<JsonElement> Play(IInterlude interlude, params string[] args) =>
        [.. Lines(PlayBytes(interlude, args)).Select(line => JsonDocument.Parse(line).RootElement)];

    public static byte[] PlayBytes(IInterlude interlude, params string[] args)
    {
        var options = Options(args);
        var output = new MemoryStream();
        new Performance(options, new EventLines(output, options), interlude)
            .Play(new LifeCycle(options, options.Prompt, TimeProvider.System), isFirst: true);
        return output.ToArray();
    }

    /// <summary>Feeds the lines to the agent's stdin, closes it, and returns what it printed.</summary>
    public static List<JsonElement> Serve(string[] input, params string[] args)
    {
        var options = Options(["--rpc", .. args]);
        var output = new MemoryStream();
        var stdin = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(input.Select(line => line + "\n"))));
        new RpcServer(options, new EventLines(output, options), new CommandReader(stdin)).Serve();
        return [.. Lines(output.ToArray()).Select(line => JsonDocument.Parse(line).RootElement)];
    }

    public static string[] Lines(byte[] output) => Encoding.UTF8.GetString(output).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    public static AgentOptions Options(params string[] args)
    {
        AgentOptions.TryParse(args, out var options, out var error).ShouldBeTrue(error);
        return options;
    }
}
