using System.Text.Json;
using Colibri.Mcp.Daemon;
using Colibri.Mcp.Output;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Resources;

/// <summary>What a client can read and pin: the glasspane, the inbox, a task, a session.</summary>
internal sealed class ResourceTable(DaemonCalls daemon)
{
    public const string Snapshot = "colibri://snapshot";
    public const string Inbox = "colibri://inbox";
    public const string TaskPrefix = "colibri://task/";
    public const string SessionPrefix = "colibri://session/";

    /// <summary>The most tasks that a list names, the newest.</summary>
    private const int MaxListed = 50;
    private const int SessionTail = 200;
    private const string Json = "application/json";
    private const string Plain = "text/plain";

    public static IReadOnlyList<ResourceTemplate> Templates { get; } =
    [
        new() { Name = "task", Title = "A task", UriTemplate = $"{TaskPrefix}{{task}}", MimeType = Plain, Description = "one task, by number or id: its state, its runs and what came of it" },
        new() { Name = "session", Title = "A session", UriTemplate = $"{SessionPrefix}{{session}}", MimeType = Plain, Description = "the transcript of a session, by its id or a task's number; its latest entries" },
    ];

    /// <summary>The two that are always there, and the newest tasks.</summary>
    public async Task<IList<Resource>> ListAsync(CancellationToken cancellation)
    {
        List<Resource> resources =
        [
            new() { Name = "snapshot", Title = "Glasspane", Uri = Snapshot, MimeType = Json, Description = "what every agent is doing" },
            new() { Name = "inbox", Title = "Inbox", Uri = Inbox, MimeType = Json, Description = "everything that waits for a person" },
        ];
        var reply = await daemon.AskAsync(new CommandRequest { Cmd = WireCommand.ListTasks.Name, Order = "newest", Limit = MaxListed }, cancellation).ConfigureAwait(false);
        foreach (var task in reply.Read(ProtocolJson.Wire.TaskList).Tasks)
            resources.Add(new Resource { Name = $"task {task.Number}", Title = task.Title, Uri = $"{TaskPrefix}{task.Number}", MimeType = Plain });
        return resources;
    }

    /// <exception cref="McpProtocolException">There is no such resource.</exception>
    /// <exception cref="RefusedException">The daemon said no.</exception>
    /// <exception cref="DaemonUnreachableException">No answer came.</exception>
    public async Task<ReadResourceResult> ReadAsync(string uri, CancellationToken cancellation)
    {
        var (type, text) = uri switch
        {
            Snapshot => (Json, await JsonAsync(WireCommand.Snapshot, cancellation).ConfigureAwait(false)),
            Inbox => (Json, await JsonAsync(WireCommand.Inbox, cancellation).ConfigureAwait(false)),
            _ when NameIn(uri, TaskPrefix) is { } task => (Plain, await TaskAsync(uri, task, cancellation).ConfigureAwait(false)),
            _ when NameIn(uri, SessionPrefix) is { } session => (Plain, await SessionAsync(uri, session, cancellation).ConfigureAwait(false)),
            _ => throw Missing(uri),
        };
        return new ReadResourceResult { Contents = [new TextResourceContents { Uri = uri, MimeType = type, Text = text }] };
    }

    /// <summary>Whether it is the address of something that can change.</summary>
    public static bool IsKnown(string uri) => uri is Snapshot or Inbox || NameIn(uri, TaskPrefix) is not null || NameIn(uri, SessionPrefix) is not null;

    /// <summary>What stands behind the prefix; null where it has another or nothing is there.</summary>
    public static string? NameIn(string uri, string prefix) =>
        uri.StartsWith(prefix, StringComparison.Ordinal) && uri.Length > prefix.Length ? Uri.UnescapeDataString(uri[prefix.Length..]) : null;

    private async Task<string> JsonAsync(WireCommand command, CancellationToken cancellation)
    {
        var reply = await daemon.AskAsync(new CommandRequest { Cmd = command.Name }, cancellation).ConfigureAwait(false);
        return BoundedJson.Fit(JsonElement.Parse(reply.Data.Span)).Text;
    }

    private async Task<string> TaskAsync(string uri, string task, CancellationToken cancellation) =>
        TaskText.Of((await FindAsync(uri, new CommandRequest { Cmd = WireCommand.GetTask.Name, TaskId = task }, cancellation).ConfigureAwait(false)).Read(ProtocolJson.Wire.BoardTask));

    private async Task<string> SessionAsync(string uri, string session, CancellationToken cancellation) =>
        SessionText.Of((await FindAsync(uri, new CommandRequest { Cmd = WireCommand.GetSession.Name, SessionId = session }, cancellation).ConfigureAwait(false)).Read(ProtocolJson.Wire.SessionEntries), SessionTail);

    private async Task<Reply> FindAsync(string uri, CommandRequest request, CancellationToken cancellation)
    {
        try
        {
            return await daemon.AskAsync(request, cancellation).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Error.Code is ErrorCodes.NotFound or ErrorCodes.BadRequest)
        {
            throw Missing(uri);
        }
    }

    private static McpProtocolException Missing(string uri) =>
        new($"there is no resource {Bounds.Cut(uri, 200)}", McpErrorCode.ResourceNotFound);
}
