using System.Globalization;
using Colibri.Cli.Parsing;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>What a command line says of a task; null is what it does not say.</summary>
internal sealed record SaidTask(
    string? Title, string? Description, string[]? Capability, int? Priority, int? MaxAttempts, string? Key, string? SessionId, bool Hold, string? Agent,
    string? Model, string? Workspace, string? Cwd, string[]? After, string? NotBefore, string? Group, string[]? Tag, string? Check, long? RunTimeoutMs,
    long? BudgetMicrocents, string? Tenant, string? OnFailed)
{
    /// <exception cref="UsageException">The time is none.</exception>
    public CommandRequest Request(string command, BoundCommand bound) => new()
    {
        Cmd = command,
        Title = Title,
        Description = bound.TextOrStdin("--description", Description),
        Capabilities = Capability,
        Priority = Priority,
        MaxAttempts = MaxAttempts,
        Key = Key,
        SessionId = SessionId,
        Hold = Hold ? true : null,
        Agent = Agent,
        Model = Model,
        Workspace = Workspace,
        Cwd = Cwd is { Length: > 0 } folder ? bound.Folder(folder) : Cwd,
        After = After,
        NotBefore = NotBefore is { } time ? TimeOf(time, bound) : null,
        Group = Group,
        Tags = Tag,
        Check = Check,
        RunTimeoutMs = RunTimeoutMs,
        BudgetMicrocents = BudgetMicrocents,
        Tenant = Tenant,
        OnFailed = OnFailed,
    };

    // A time without a zone is one of this host's.
    private static DateTimeOffset TimeOf(string time, BoundCommand bound) =>
        DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var at)
            ? at
            : throw bound.Wrong($"--not-before '{time}' is no time, such as 2026-11-27T22:00 or 2026-11-27T22:00:00Z");
}
