using Colibri.Cli.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;

namespace Colibri.Cli;

/// <summary>One run of one command: where it prints, and which daemon it talks to.</summary>
internal sealed class CliSession(CliHost host, Screen screen, string socketPath, bool json, CancellationToken cancellation)
{
    private static readonly TimeSpan LandingPatience = TimeSpan.FromDays(1);
    private static readonly TimeSpan PrunePatience = TimeSpan.FromMinutes(30);

    public Screen Screen => screen;
    public string SocketPath => socketPath;

    /// <summary>Print data, not prose.</summary>
    public bool Json => json;
    public CancellationToken Cancellation => cancellation;

    public Task<ColibriClient> ConnectAsync() => ColibriClient.ConnectAsync(socketPath, cancellation);

    /// <summary>One request on a connection of its own.</summary>
    /// <exception cref="RefusedException">The daemon said no.</exception>
    public async Task<Reply> AskAsync(CommandRequest request)
    {
        using var client = await ConnectAsync().ConfigureAwait(false);
        // Stopping an agent may rightly take all of its grace.
        var timeout = ColibriClient.ReplyTimeout + TimeSpan.FromMilliseconds(Math.Clamp(request.GraceMs ?? request.TimeoutMs ?? 0, 0, 86_400_000));
        // A drain without a limit takes as long as the longest run.
        if (request is { Cmd: "drain", TimeoutMs: null })
            timeout = TimeSpan.FromDays(30);
        // The check of a merge takes as long as its workspace allows.
        if (request.Cmd == WireCommand.LandTask.Name)
            timeout = LandingPatience;
        // Deleting many files takes its time.
        if (request.Cmd == WireCommand.Prune.Name)
            timeout += PrunePatience;
        return Accepted(await client.SendAsync(request, timeout, cancellation).ConfigureAwait(false));
    }

    /// <summary>An absence of the daemon, said on standard error.</summary>
    /// <param name="patience">How long it may last.</param>
    public Absence Outlasting(TimeSpan patience) => new(patience, cause => Complain($"{cause.Message}; trying again for {Words.Duration(patience)}"));

    /// <summary>One line on standard error.</summary>
    public void Complain(string message)
    {
        host.Stderr.WriteLine($"colibri: {Words.Plain(message)}");
        host.Stderr.Flush();
    }

    /// <exception cref="RefusedException">The daemon said no.</exception>
    public static Reply Accepted(Reply reply) => reply.Accepted();
}

/// <summary>Everything the CLI touches outside itself and the socket.</summary>
internal sealed record CliHost
{
    /// <summary>Columns where nothing says how many there are.</summary>
    public const int DefaultWidth = 80;

    public required TextReader Stdin { get; init; }

    /// <summary>Bytes, since a reply's data goes out exactly as it came.</summary>
    public required Stream Stdout { get; init; }
    public required TextWriter Stderr { get; init; }

    /// <summary>Looks a variable up; null or empty means unset.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>Whether a person's terminal reads the output.</summary>
    public bool IsTerminal { get; init; }
    public int Width { get; init; } = DefaultWidth;

    /// <summary>This program's version.</summary>
    public string Version { get; init; } = BuildVersion.Text;

    /// <summary>The clock by which ages are shown.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Null where the folder the CLI was started in is gone.</summary>
    public string? CurrentDirectory { get; init; }
}
