using System.Text.Json;
using Colibri.Protocol.Client;
using Colibri.Protocol.Wire;
using Colibri.Web.Glass;
using Microsoft.AspNetCore.Http;

namespace Colibri.Web.Api;

/// <summary>The actions: a list of the daemon's commands, each with the fields that it takes from a page. Others do not exist here.</summary>
internal static class ActionApi
{
    /// <summary>The longest body: an answer or a feedback of some length.</summary>
    public const int MaxBodyBytes = 256 * 1024;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    // A landing runs the check of what was merged, which has a limit of its own.
    private static readonly TimeSpan Landing = TimeSpan.FromHours(2);

    private static readonly Dictionary<string, Func<ActionRequest, CommandRequest>> Commands = new()
    {
        ["answer"] = said => new() { Cmd = "answer", AgentId = said.AgentId, Request = said.Request, Value = said.Value, Confirmed = said.Confirmed, Cancelled = said.Cancelled },
        ["retry-task"] = said => new() { Cmd = "retry-task", TaskId = said.TaskId, Feedback = said.Feedback is { Length: > 0 } words ? words : null },
        ["land-task"] = said => new() { Cmd = "land-task", TaskId = said.TaskId },
        ["discard-task"] = said => new() { Cmd = "discard-task", TaskId = said.TaskId },
        ["hold-task"] = said => new() { Cmd = "hold-task", TaskId = said.TaskId },
        ["release-task"] = said => new() { Cmd = "release-task", TaskId = said.TaskId },
        ["cancel-task"] = said => new() { Cmd = "cancel-task", TaskId = said.TaskId },
        ["stop-agent"] = said => new() { Cmd = "stop-agent", AgentId = said.AgentId },
        ["pause-queue"] = said => new() { Cmd = "pause-queue", Provider = said.Provider, Agent = said.Agent, Workspace = said.Workspace },
        ["resume-queue"] = said => new() { Cmd = "resume-queue", Provider = said.Provider, Agent = said.Agent, Workspace = said.Workspace },
        ["budget"] = said => new() { Cmd = "budget", Action = said.Action },
    };

    public static async Task DoAsync(HttpContext http, string command, DaemonClient daemon)
    {
        if (!Commands.TryGetValue(command, out var make))
        {
            await AnswerAsync(http, StatusCodes.Status404NotFound, new ActionReply(false, "unknown-command", "there is no such action")).ConfigureAwait(false);
            return;
        }
        try
        {
            var said = await JsonSerializer.DeserializeAsync(http.Request.Body, WebJson.Default.ActionRequest, http.RequestAborted).ConfigureAwait(false);
            // The action goes on where the browser does not wait for its end.
            var reply = await daemon.DoAsync(make(said ?? new()), command == "land-task" ? Landing : Soon, CancellationToken.None).ConfigureAwait(false);
            await AnswerAsync(http, reply.Ok ? StatusCodes.Status200OK : StatusCodes.Status409Conflict, reply.Ok ? new ActionReply(true) : new ActionReply(false, reply.Error!.Code, reply.Error.Message)).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            await AnswerAsync(http, StatusCodes.Status400BadRequest, new ActionReply(false, "bad-json", "the body is not one JSON object of an action's fields")).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e)
        {
            await AnswerAsync(http, e.StatusCode, new ActionReply(false, "body", $"the body is longer than {MaxBodyBytes} bytes, or was cut")).ConfigureAwait(false);
        }
        catch (DaemonUnreachableException e)
        {
            await AnswerAsync(http, StatusCodes.Status503ServiceUnavailable, new ActionReply(false, "unavailable", e.Message)).ConfigureAwait(false);
        }
    }

    public static async Task AnswerAsync(HttpContext http, int status, ActionReply reply)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        await http.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(reply, WebJson.Default.ActionReply), http.RequestAborted).ConfigureAwait(false);
    }
}
