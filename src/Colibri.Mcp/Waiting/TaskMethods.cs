using System.Text.Json;
using System.Text.Json.Nodes;
using Colibri.Mcp.Hosting;
using Colibri.Mcp.Tools;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Colibri.Mcp.Waiting;

/// <summary>
/// <c>colibri_wait</c> as a task of the client, and the methods <c>tasks/…</c>. The SDK's core knows no tasks, so they are added where it can be
/// extended: by methods of their own, by another result of <c>tools/call</c>, and by what is written into its answers.
/// </summary>
/// <param name="dispatch">Calls tools.</param>
/// <param name="tasks">Keeps the tasks.</param>
internal sealed class TaskMethods(ToolDispatch dispatch, CallTasks tasks)
{
    public const string Extension = "io.modelcontextprotocol/tasks";

    private const string AnsweredMethod = "colibri.method";

    /// <summary>So much longer than its wait may last is a task kept, for its client to fetch the result.</summary>
    private static readonly TimeSpan Fetching = TimeSpan.FromMinutes(10);

    public IList<McpServerRequestHandler> Handlers =>
    [
        new() { Method = "tasks/get", Handler = (request, _) => new(Get(request)) },
        new() { Method = "tasks/result", Handler = async (request, cancellation) => await ResultAsync(request, cancellation).ConfigureAwait(false) },
        new() { Method = "tasks/list", Handler = (request, _) => new(List(request)) },
        new() { Method = "tasks/update", Handler = (request, _) => new(Update(request)) },
        new() { Method = "tasks/cancel", Handler = async (request, _) => await CancelAsync(request).ConfigureAwait(false) },
    ];

    /// <summary>Calls a tool: as a task where a client of 2025-11-25 asks for one, or where one of 2026-07-28 can be given one.</summary>
    public async ValueTask<ResultOrAlternate<CallToolResult>> CallAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellation)
    {
        var call = request.Params!;
        var isWait = ToolTable.Find(call.Name)?.Run == TaskWaiting.RunAsync;
        if (Revision.IsNew(request.Server))
        {
            if (!isWait || request.Server.ClientCapabilities?.Extensions?.ContainsKey(Extension) != true)
                return await dispatch.CallAsync(call, request.Server, cancellation).ConfigureAwait(false);
            // The request is over before the call is: no progress can be told on its behalf, and a question waits in the task.
            var silent = new CallToolRequestParams { Name = call.Name, Arguments = call.Arguments };
            var asking = request.Server;
            var given = tasks.Start(KeptFor(call, null), (task, ended) => dispatch.CallAsync(silent, asking.WithOutgoingRequestInterceptor(task.AskAsync), ended, task));
            var created = TaskCreated.Of(TaskJson.Extended(given.View));
            created.ResultType = "task";
            return Created(created);
        }
        if (request.JsonRpcRequest.Params is not JsonObject { } sent || sent["task"] is not JsonObject asked)
            return await dispatch.CallAsync(call, request.Server, cancellation).ConfigureAwait(false);
        if (!isWait)
            throw new McpProtocolException("only colibri_wait can be called as a task", McpErrorCode.MethodNotFound);
        var client = request.Server;
        var made = tasks.Start(KeptFor(call, asked["ttl"]), (task, ended) => dispatch.CallAsync(call, client, ended, task));
        return Created(TaskCreated.Of(new JsonObject { ["task"] = TaskJson.Of(made.View) }));
    }

    /// <summary>Notes of a request whose answer is to be completed what it was.</summary>
    public static McpMessageHandler Note(McpMessageHandler next) => (context, cancellation) =>
    {
        if (context.JsonRpcMessage is JsonRpcRequest { Method: RequestMethods.Initialize or RequestMethods.ToolsList } request)
            context.Items[AnsweredMethod] = request.Method;
        return next(context, cancellation);
    };

    /// <summary>Says in the answers of 2025-11-25 that there are tasks. The extension of the later revision is no part of them.</summary>
    public static McpMessageHandler Complete(McpMessageHandler next) => (context, cancellation) =>
    {
        if (context.JsonRpcMessage is JsonRpcResponse { Result: JsonObject result } && context.Items.TryGetValue(AnsweredMethod, out var method) && !Revision.IsNew(context.Server))
        {
            if (method is RequestMethods.Initialize && result["capabilities"] is JsonObject capabilities)
            {
                capabilities.Remove("extensions");
                capabilities["tasks"] = new JsonObject
                {
                    ["list"] = new JsonObject(),
                    ["cancel"] = new JsonObject(),
                    ["requests"] = new JsonObject { ["tools"] = new JsonObject { ["call"] = new JsonObject() } },
                };
            }
            else if (method is RequestMethods.ToolsList && result["tools"] is JsonArray tools)
            {
                foreach (var tool in tools.OfType<JsonObject>())
                {
                    if (ToolTable.Find((string?)tool["name"] ?? "")?.Run == TaskWaiting.RunAsync)
                        tool["execution"] = new JsonObject { ["taskSupport"] = "optional" };
                }
            }
        }
        return next(context, cancellation);
    };

    private static ResultOrAlternate<CallToolResult> Created(TaskCreated task) => ResultOrAlternate<CallToolResult>.FromAlternate(task, TaskJsonContext.Default.TaskCreated);

    private static TimeSpan KeptFor(CallToolRequestParams call, JsonNode? asked)
    {
        var wait = call.Arguments is not null && call.Arguments.TryGetValue("timeout_seconds", out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds)
            ? Math.Clamp(seconds, 1, TaskWaiting.MaxSeconds)
            : TaskWaiting.DefaultTaskSeconds;
        var least = TimeSpan.FromSeconds(wait) + Fetching;
        var ms = asked is JsonValue number && number.TryGetValue<double>(out var given) && given > 0 ? Math.Min(given, CallTasks.MaxKept.TotalMilliseconds) : 0;
        return ms > least.TotalMilliseconds ? TimeSpan.FromMilliseconds(ms) : least;
    }

    private JsonObject Get(RequestContext<JsonNode?> request)
    {
        var task = tasks.Find(IdOf(request)).View;
        if (!Revision.IsNew(request.Server))
            return TaskJson.Of(task);
        var state = TaskJson.Extended(task);
        state["resultType"] = "complete";
        return state;
    }

    private async Task<JsonNode?> ResultAsync(RequestContext<JsonNode?> request, CancellationToken cancellation)
    {
        if (Revision.IsNew(request.Server))
            throw Unknown("tasks/result");
        var task = tasks.Find(IdOf(request));
        await task.Over.WaitAsync(cancellation).ConfigureAwait(false);
        var view = task.View;
        if (view.Result is null)
            throw view.Failure ?? new McpProtocolException("the task was cancelled", McpErrorCode.InvalidRequest);
        var result = TaskJson.Result(view.Result);
        result["_meta"] = TaskJson.Related(view.Id);
        return result;
    }

    private JsonObject List(RequestContext<JsonNode?> request) => Revision.IsNew(request.Server)
        ? throw Unknown("tasks/list")
        : new JsonObject { ["tasks"] = new JsonArray([.. tasks.All.Select(TaskJson.Of)]) };

    /// <summary>Takes the answer to the task's question. One to another question, as an earlier one, changes nothing.</summary>
    private JsonObject Update(RequestContext<JsonNode?> request)
    {
        if (!Revision.IsNew(request.Server))
            throw Unknown("tasks/update");
        var task = tasks.Find(IdOf(request)).View;
        if (task.Question is { } question && request.Params!["inputResponses"] is JsonObject answers && answers[question.Key] is JsonObject answer)
            question.Answer.TrySetResult(answer.DeepClone());
        return new JsonObject { ["resultType"] = "complete" };
    }

    private async Task<JsonNode?> CancelAsync(RequestContext<JsonNode?> request)
    {
        var id = IdOf(request);
        var isNew = Revision.IsNew(request.Server);
        if (!isNew && tasks.Find(id).View is { IsOver: true } over)
            throw new McpProtocolException($"the task is {TaskJson.Of(over)["status"]} already", McpErrorCode.InvalidParams);
        var cancelled = await tasks.CancelAsync(id).ConfigureAwait(false);
        return isNew ? new JsonObject { ["resultType"] = "complete" } : TaskJson.Of(cancelled);
    }

    private static McpProtocolException Unknown(string method) => new($"there is no method {method} in this revision", McpErrorCode.MethodNotFound);

    private static string? IdOf(RequestContext<JsonNode?> request) =>
        request.Params is JsonObject sent && sent["taskId"] is JsonValue id && id.TryGetValue<string>(out var text) ? text : null;
}
