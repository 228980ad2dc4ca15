using System.Text.Json.Nodes;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Waiting;

/// <summary>A call of a tool that goes on while its client does something else: a task of MCP, which is not a task of the board.</summary>
/// <param name="kept">How long it is kept, from now on.</param>
/// <param name="clock">Its times are for the client to read; <paramref name="kept"/> is counted on the monotonic clock.</param>
internal sealed class CallTask(TimeSpan kept, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _made = clock.GetTimestamp();
    private TaskView _view = new(Guid.NewGuid().ToString("N"), TaskPhase.Working, null, clock.GetUtcNow(), clock.GetUtcNow(), kept);

    public string Id => _view.Id;

    /// <summary>Ends with the call, however that ends.</summary>
    public Task Over => _over.Task;

    public bool IsExpired => clock.GetElapsedTime(_made) >= kept;

    /// <summary>The task as it is now.</summary>
    public TaskView View
    {
        get
        {
            lock (_gate)
                return _view;
        }
    }

    /// <summary>What the call is at.</summary>
    public void Say(string words) => Change(view => view with { Words = words });

    /// <summary>The call waits for the person behind the client, until what is returned is disposed.</summary>
    public IDisposable Ask()
    {
        Change(view => view with { Phase = TaskPhase.InputRequired });
        return new Asking(this);
    }

    /// <summary>
    /// Asks the person by the task itself: the request stands in the task until its answer comes, because no other request is open to carry it.
    /// </summary>
    /// <param name="method">What is asked.</param>
    /// <param name="parameters">Its parameters.</param>
    /// <param name="cancellation">The question is given up.</param>
    public async ValueTask<JsonNode?> AskAsync(string method, JsonNode? parameters, CancellationToken cancellation)
    {
        var answer = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var question = new TaskQuestion(Guid.NewGuid().ToString("N"), method, parameters?.ToJsonString() ?? "{}", answer);
        Change(view => view with { Phase = TaskPhase.InputRequired, Question = question });
        using (new Asking(this))
            return await answer.Task.WaitAsync(cancellation).ConfigureAwait(false);
    }

    public void End(CallToolResult result) => End(view => view with { Phase = result.IsError == true ? TaskPhase.Failed : TaskPhase.Completed, Result = result });

    public void Fail(McpProtocolException failure) => End(view => view with { Phase = TaskPhase.Failed, Words = failure.Message, Failure = failure });

    public void Cancel() => End(view => view with { Phase = TaskPhase.Cancelled, Words = "cancelled" });

    private void End(Func<TaskView, TaskView> change)
    {
        Change(change);
        _over.TrySetResult();
    }

    private void Change(Func<TaskView, TaskView> change)
    {
        lock (_gate)
        {
            if (!_view.IsOver)
                _view = change(_view) with { UpdatedAt = clock.GetUtcNow() };
        }
    }

    private sealed class Asking(CallTask task) : IDisposable
    {
        public void Dispose() => task.Change(view => view with { Phase = TaskPhase.Working, Question = null });
    }
}

/// <summary>A <see cref="CallTask"/> at one moment.</summary>
/// <param name="Id">What the client calls it by; it cannot be guessed.</param>
/// <param name="Phase">How far it is.</param>
/// <param name="Words">For a person: what it is at, or why it failed.</param>
/// <param name="CreatedAt">When the call came.</param>
/// <param name="UpdatedAt">When something changed last.</param>
/// <param name="Kept">How long it is kept after <paramref name="CreatedAt"/>.</param>
internal sealed record TaskView(string Id, TaskPhase Phase, string? Words, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt, TimeSpan Kept)
{
    /// <summary>What the person is asked by the task; null where nothing is, or where the question goes to the client as a request.</summary>
    public TaskQuestion? Question { get; init; }

    /// <summary>Once it is over: what the tool answered; null where it did not.</summary>
    public CallToolResult? Result { get; init; }

    /// <summary>Once it is over: the error of the protocol that took the answer's place.</summary>
    public McpProtocolException? Failure { get; init; }

    public bool IsOver => Phase is TaskPhase.Completed or TaskPhase.Failed or TaskPhase.Cancelled;
}

/// <summary>A question that waits in a task.</summary>
/// <param name="Key">What its answer names it by.</param>
/// <param name="Method">What is asked, as <c>elicitation/create</c>.</param>
/// <param name="Parameters">Its parameters, JSON.</param>
/// <param name="Answer">Takes the answer; a second one changes nothing.</param>
internal sealed record TaskQuestion(string Key, string Method, string Parameters, TaskCompletionSource<JsonNode?> Answer);

/// <summary>How far a <see cref="CallTask"/> is.</summary>
internal enum TaskPhase
{
    Working,

    /// <summary>The person behind the client is asked something.</summary>
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}
