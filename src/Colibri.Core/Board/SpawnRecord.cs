namespace Colibri.Core.Board;

/// <summary>An agent about to be started, on record before its process exists.</summary>
public sealed record SpawnRecord
{
    public required string AgentId { get; init; }

    /// <summary>The id of the run that is opened with it, where it is started on a task.</summary>
    public string RunId { get; init; } = Guid.CreateVersion7().ToString();
    public required string Name { get; init; }
    public required string Runtime { get; init; }
    public IReadOnlyList<string> Capabilities { get; init; } = [];
    public required string Binary { get; init; }
    public IReadOnlyList<string> Arguments { get; init; } = [];
    public string? Cwd { get; init; }
    public required string SessionId { get; init; }
    public required string Host { get; init; }

    /// <summary>The route it is started on, where one was chosen.</summary>
    public string? Provider { get; init; }
    public string? Model { get; init; }

    /// <summary>The FreeBSD jail it is in.</summary>
    public string? Jail { get; init; }

    /// <summary>The root of that jail, in which files are left for it.</summary>
    public string? JailRoot { get; init; }
}
