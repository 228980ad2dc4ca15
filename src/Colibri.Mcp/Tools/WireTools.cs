using System.Text.Json;
using Colibri.Mcp.Output;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Mcp.Tools;

/// <summary>Tools that are one command of the wire protocol.</summary>
internal static class WireTools
{
    // A page of the board.
    private const int MaxReady = 1_000;
    private const int DefaultTail = 50;

    /// <summary>The reply's data as it is.</summary>
    public static async Task<ToolAnswer> AskAsync(ToolCall call)
    {
        var reply = await call.Daemon.AskAsync(call.Request(), call.Cancellation).ConfigureAwait(false);
        return Answer(JsonElement.Parse(reply.Data.Span));
    }

    /// <summary>The queued tasks that wait for nothing.</summary>
    public static async Task<ToolAnswer> ReadyAsync(ToolCall call)
    {
        var reply = await call.Daemon.AskAsync(call.Request() with { Limit = MaxReady }, call.Cancellation).ConfigureAwait(false);
        var data = JsonElement.Parse(reply.Data.Span);
        return Answer(JsonParts.Object(writer =>
        {
            writer.WriteStartArray("tasks");
            foreach (var task in data.GetProperty("tasks").EnumerateArray().Where(task => !task.TryGetProperty("blocked_by", out _)))
                task.WriteTo(writer);
            writer.WriteEndArray();
        }));
    }

    /// <summary>The latest entries of a session, for a model as a transcript.</summary>
    public static async Task<ToolAnswer> SessionAsync(ToolCall call)
    {
        var tail = call.Integer("tail", DefaultTail);
        var request = new CommandRequest { Cmd = call.Tool.Command!, SessionId = call.Text("session_id"), All = call.Flag("all") };
        var reply = await call.Daemon.AskAsync(request, call.Cancellation).ConfigureAwait(false);
        var data = JsonElement.Parse(reply.Data.Span);
        var entries = data.GetProperty("entries");
        var left = Math.Max(0, entries.GetArrayLength() - (int)tail);
        var (fitted, _) = BoundedJson.Fit(JsonParts.Object(writer =>
        {
            writer.WriteString("session_id", data.GetProperty("session_id").GetString());
            writer.WriteNumber("generation", data.GetProperty("generation").GetInt64());
            writer.WriteNumber("earlier", left);
            writer.WriteStartArray("entries");
            foreach (var entry in entries.EnumerateArray().Skip(left))
                entry.WriteTo(writer);
            writer.WriteEndArray();
        }), keepEnd: true);
        return new ToolAnswer(SessionText.Of(reply.Read(ProtocolJson.Wire.SessionEntries), (int)tail), fitted);
    }

    /// <summary>The change of a task, for a model as a patch.</summary>
    public static async Task<ToolAnswer> DiffAsync(ToolCall call)
    {
        var reply = await call.Daemon.AskAsync(call.Request(), call.Cancellation).ConfigureAwait(false);
        var (fitted, _) = BoundedJson.Fit(JsonElement.Parse(reply.Data.Span));
        return new ToolAnswer(ChangeText.Of(reply.Read(ProtocolJson.Wire.ChangeAnswer)), fitted);
    }

    public static ToolAnswer Answer(JsonElement data)
    {
        var (fitted, text) = BoundedJson.Fit(data);
        return new ToolAnswer(text, fitted);
    }
}
