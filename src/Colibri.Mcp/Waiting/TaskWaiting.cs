using System.Text.Json;
using Colibri.Mcp.Output;
using Colibri.Mcp.Tools;
using Colibri.Protocol;
using Colibri.Protocol.Client;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Waiting;

/// <summary>
/// <c>colibri_wait</c>: tasks until they are over, an agent of theirs asks something, or the time is up. A question goes to the person behind the
/// client where that can be asked and the write gate is open; then the wait goes on. Else it ends the wait.
/// </summary>
internal sealed class TaskWaiting : ITaskFollower
{
    /// <summary>Less than the 60 s after which the official clients give a request up.</summary>
    public const int DefaultSeconds = 50;

    /// <summary>Of a wait that runs as a task, for whose answer no request is open.</summary>
    public const int DefaultTaskSeconds = 3_600;
    public const int MaxSeconds = 86_400;
    public const int MaxTasks = 64;

    private static readonly TimeSpan LastLook = TimeSpan.FromSeconds(1);

    private readonly ToolCall _call;
    private readonly ProgressReport? _progress;
    private readonly IReadOnlyList<string> _names;
    private readonly bool _any;
    private readonly bool _heedsQuestions;
    private readonly Dictionary<string, BoardTask> _latest = new(StringComparer.Ordinal);
    private readonly HashSet<(string Agent, string Request)> _answered = [];
    private Pane? _asking;

    private TaskWaiting(ToolCall call, ProgressReport? progress)
    {
        (_call, _progress) = (call, progress);
        _names = [.. call.Names("tasks").Distinct()];
        if (_names.Count is 0 or > MaxTasks)
            throw new ToolArgumentException($"'tasks' is a list of 1 to {MaxTasks} tasks");
        _any = call.Flag("any");
        _heedsQuestions = !call.Flag("through_questions");
    }

    IReadOnlyList<string> ITaskFollower.Followed => [.. _names.Where(name => !IsOver(name))];

    bool ITaskFollower.HasSeenEnough => Outcome is not null;

    private string? Outcome =>
        _names.All(IsOver) || (_any && _names.Any(IsOver)) ? "over"
        : _asking is not null ? "question"
        : null;

    public static async Task<ToolAnswer> RunAsync(ToolCall call)
    {
        await using var progress = call is { Client: { } client, Progress: { } token } ? new ProgressReport(client, token, call.Cancellation) : null;
        return await new TaskWaiting(call, progress).RunAsync().ConfigureAwait(false);
    }

    void ITaskFollower.See(string name, BoardTask task)
    {
        if (!_latest.TryGetValue(name, out var before) || before.Status != task.Status)
            Say($"task {task.Number} is {task.Status.ToString().ToLowerInvariant()}");
        _latest[name] = task;
        // The question of a task that is over waits for nobody.
        if (_asking?.TaskId == task.Id && IsOver(name))
            _asking = null;
    }

    void ITaskFollower.See(Pane pane)
    {
        var isOpen = pane.Question is { } question && !_answered.Contains((pane.Id, question.Request));
        if (isOpen && _heedsQuestions)
            _asking ??= pane;
        else if (_asking?.Id == pane.Id)
            _asking = null;
    }

    private bool IsOver(string name) => _latest.TryGetValue(name, out var task) && task.Status is TaskState.Done or TaskState.Failed or TaskState.Cancelled;

    private async Task<ToolAnswer> RunAsync()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(_call.Cancellation);
        deadline.CancelAfter(TimeSpan.FromSeconds(_call.Integer("timeout_seconds", _call.Task is null ? DefaultSeconds : DefaultTaskSeconds)));
        await using var ending = _call.InputEnded.Register(() => deadline.CancelAfter(LastLook)).ConfigureAwait(false);
        var absence = new Absence(Absence.DefaultPatience, cause => Say(cause.Message));
        var following = new TaskFollowing(_call.Daemon.SocketPath, this, absence);
        try
        {
            while (true)
            {
                await following.RunAsync(["tasks", "panes"], deadline.Token, _call.Cancellation).ConfigureAwait(false);
                if (Outcome != "question" || !CanAsk || !await AskAsync(_asking!, _asking!.Question!, deadline.Token).ConfigureAwait(false))
                    return Answer(Outcome!);
            }
        }
        catch (OperationCanceledException) when (!_call.Cancellation.IsCancellationRequested && _names.All(_latest.ContainsKey))
        {
            return Answer("timeout");
        }
    }

    // An answer changes something, so the write gate holds for it.
    private bool CanAsk => _call is { MayWrite: true, Client.ClientCapabilities.Elicitation: { } elicitation } && (elicitation.Form is not null || elicitation.Url is null);

    /// <summary>Whether the question is settled and the wait can go on. One that the person dismisses stays open.</summary>
    private async Task<bool> AskAsync(Pane pane, AgentQuestion question, CancellationToken deadline)
    {
        Say($"agent {pane.Label ?? pane.Id} asks something");
        var form = await ElicitAsync(QuestionForm.Of(pane, question), deadline).ConfigureAwait(false);
        if (!form.IsAccepted || QuestionForm.Answer(pane, question, form.Content) is not { } answer)
            return false;
        try
        {
            await _call.Daemon.AskAsync(answer, _call.Cancellation).ConfigureAwait(false);
        }
        catch (RefusedException e) when (e.Error.Code is ErrorCodes.Conflict or ErrorCodes.NotFound)
        {
            // Another client has answered, or the agent has ended.
        }
        _answered.Add((pane.Id, question.Request));
        _asking = null;
        return true;
    }

    private async Task<ElicitResult> ElicitAsync(ElicitRequestParams form, CancellationToken deadline)
    {
        if (_call.Task is not { } task)
            return await _call.Client!.ElicitAsync(form, deadline).ConfigureAwait(false);
        form.Meta = TaskJson.Related(task.Id);
        using (task.Ask())
            return await _call.Client!.ElicitAsync(form, deadline).ConfigureAwait(false);
    }

    private void Say(string words)
    {
        _progress?.Say(words);
        _call.Task?.Say(words);
    }

    private ToolAnswer Answer(string outcome) => WireTools.Answer(JsonParts.Object(writer =>
    {
        writer.WriteString("outcome", outcome);
        writer.WriteStartArray("tasks");
        foreach (var name in _names)
            JsonSerializer.Serialize(writer, _latest[name], ProtocolJson.Wire.BoardTask);
        writer.WriteEndArray();
        writer.WriteStartArray("questions");
        if (_asking is { Question: { } question } pane)
        {
            writer.WriteStartObject();
            writer.WriteString("agent_id", pane.Id);
            writer.WriteString("label", pane.Label);
            if (pane.TaskNumber is { } number)
                writer.WriteNumber("task_number", number);
            writer.WritePropertyName("question");
            JsonSerializer.Serialize(writer, question, ProtocolJson.Wire.AgentQuestion);
            writer.WriteEndObject();
        }
        writer.WriteEndArray();
    }));
}
