using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Waiting;

/// <summary>Tasks as each revision of the protocol has them: within 2025-11-25, and as an extension of 2026-07-28.</summary>
internal static class TaskJson
{
    /// <summary>How often a client should ask, in milliseconds. It need not, where it waits for the result of 2025-11-25.</summary>
    private const int PollMs = 2_000;

    private static readonly JsonTypeInfo<CallToolResult> CallResult = (JsonTypeInfo<CallToolResult>)McpJsonUtilities.DefaultOptions.GetTypeInfo(typeof(CallToolResult));

    /// <summary>Says of a message which task it belongs to.</summary>
    public static JsonObject Related(string id) => new() { ["io.modelcontextprotocol/related-task"] = new JsonObject { ["taskId"] = id } };

    /// <summary>A task of 2025-11-25.</summary>
    public static JsonObject Of(TaskView task) => State(task, "ttl", "pollInterval");

    /// <summary>A task of the extension, with its result once it is over.</summary>
    public static JsonObject Extended(TaskView task)
    {
        // There, a failure is one of the protocol, and a tool that answers that it failed has completed. Input is required while there is a question to answer.
        var phase = task.Result is not null ? TaskPhase.Completed : task is { Phase: TaskPhase.InputRequired, Question: null } ? TaskPhase.Working : task.Phase;
        var state = State(task with { Phase = phase }, "ttlMs", "pollIntervalMs");
        if (task.Question is { } question)
            state["inputRequests"] = new JsonObject { [question.Key] = new JsonObject { ["method"] = question.Method, ["params"] = JsonNode.Parse(question.Parameters) } };
        if (task.Result is not null)
            state["result"] = Result(task.Result);
        else if (task.Failure is { } failure)
            state["error"] = new JsonObject { ["code"] = (int)failure.ErrorCode, ["message"] = failure.Message };
        return state;
    }

    public static JsonObject Result(CallToolResult result) => JsonSerializer.SerializeToNode(result, CallResult)!.AsObject();

    private static JsonObject State(TaskView task, string kept, string poll)
    {
        var state = new JsonObject { ["taskId"] = task.Id, ["status"] = Name(task.Phase) };
        if (task.Words is { } words)
            state["statusMessage"] = words;
        state["createdAt"] = Time(task.CreatedAt);
        state["lastUpdatedAt"] = Time(task.UpdatedAt);
        state[kept] = (long)task.Kept.TotalMilliseconds;
        state[poll] = PollMs;
        return state;
    }

    private static string Name(TaskPhase phase) => phase switch
    {
        TaskPhase.InputRequired => "input_required",
        _ => phase.ToString().ToLowerInvariant(),
    };

    private static string Time(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}

/// <summary>What takes the place of a tool's answer where the call runs as a task.</summary>
internal sealed class TaskCreated : Result
{
    /// <summary>Either <c>task</c>, or the members of a task of the extension.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Members { get; set; }

    public static TaskCreated Of(JsonObject members) => new() { Members = JsonElement.Parse(members.ToJsonString()).EnumerateObject().ToDictionary(member => member.Name, member => member.Value) };
}

/// <summary>JSON of the types that the SDK does not have.</summary>
[JsonSerializable(typeof(TaskCreated))]
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
internal sealed partial class TaskJsonContext : JsonSerializerContext;
