using Colibri.Core.Glasspane.Dialect;
using Colibri.Jsonl;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Glasspane;

/// <summary>Adds events to a <see cref="PaneState"/>. Allocates only for what is new: a session id, an error's words, a tool's name.</summary>
internal sealed class Fold(ITranscript? transcript, IUsageMeter? meter = null, IAgentReplies? replies = null, Func<string, string>? redact = null) : IEventSink
{
    private const int MaxErrorBytes = 2048;
    private const int MaxErrors = 8;
    private const string WordlessRefusal = "the agent refused the prompt without saying why";
    private const int MaxIdBytes = 256;
    private const int MaxNameBytes = 128;
    private const int MaxNames = 8;
    private const int MaxPathBytes = 4096;

    private readonly RunningTools _tools = new();
    private ulong _sessionHash;
    private ulong _cwdHash;
    private string? _provider;
    private string? _model;
    private UsageReport _reported;
    private ulong _turn;
    private readonly (ulong Hash, string? Words)[] _errors = new (ulong, string?)[MaxErrors];
    private int _nextError;
    private readonly (ulong Hash, string? Name)[] _names = new (ulong, string?)[MaxNames];
    private int _nextName;

    public PaneState State;

    public void On(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        State.NameEvent(e.Name, e.UnknownName.Exists ? e.UnknownName.Raw(line) : default);
        if (e.SessionId.IsString && IsNew(line, e.SessionId, ref _sessionHash))
            State.HarnessSessionId = e.SessionId.GetString(line, MaxIdBytes);
        if (e.Cwd.IsString && IsNew(line, e.Cwd, ref _cwdHash))
            State.Cwd = e.Cwd.GetString(line, MaxPathBytes);
        if (e.Provider.IsString) _provider = NameOf(line, e.Provider);
        if (e.Model.IsString) _model = NameOf(line, e.Model);

        if (replies is not null && e.ResponseId.IsString)
            replies.Replied(e.ResponseId.GetString(line, MaxIdBytes) ?? "", e.Succeeded ? null : Words(line, e.Error) ?? WordlessRefusal);

        NoteRefusal(e);
        var kind = e.Kind;
        switch (kind)
        {
            case EventKind.Ignored or EventKind.Working or EventKind.Progress:
                break;
            case EventKind.RunStarted:
                ForgetRun();
                State.Error = null;
                break;
            case EventKind.TurnStarted:
                StartTurn(line, e);
                break;
            case EventKind.MessageEnded or EventKind.TurnEnded:
                NoteStop(line, e.Stop, e.Error);
                break;
            case EventKind.ToolStarted:
                StartTool(line, e);
                break;
            case EventKind.ToolEnded:
                EndTool(line, e);
                break;
            case EventKind.Asked:
                State.Question = e.Question is { } question && redact is not null ? question.Redacted(redact) : e.Question;
                break;
            case EventKind.CompactionStarted:
                if (State.Activity is Activity.Idle or Activity.Done or Activity.Error) State.SetAside ??= State.Activity;
                break;
            case EventKind.CompactionEnded or EventKind.Noted:
                State.Error = Words(line, e.Error) ?? State.Error;
                if (e.IsPromptRefusal) State.PromptRefused = Words(line, e.Error) ?? WordlessRefusal;
                break;
            case EventKind.RunEnded or EventKind.RunFailed or EventKind.Settled or EventKind.Failed:
                kind = EndRun(line, e);
                break;
        }

        if (e.Usage is { } usage) AddUsage(usage, e.UsageIsCumulative);
        if (transcript is not null && kind == EventKind.MessageEnded && ContentText.Decode(line, e.Text) is { Length: > 0 } text)
            transcript.Assistant(text);
        Step(kind);
    }

    private void Step(EventKind kind)
    {
        var before = State.Activity;
        Move(kind);
        State.FailingSince = State.Activity == Activity.Error ? State.FailingSince ?? State.Now : null;
        if (State.Activity != Activity.Blocked) State.Question = null;

        // A refusal says that no run will begin; once there is a run it is one that was asked for besides.
        if (State.RestingActivity != Activity.Idle) State.PromptRefused = null;
        if (before is Activity.Idle or Activity.Done or Activity.Error && State.Activity is Activity.Working or Activity.Blocked && State.SetAside is null)
            State.Runs++;
    }

    private void Move(EventKind kind)
    {
        if (kind == EventKind.CompactionEnded && State.SetAside is { } before)
        {
            State.Activity = before;
            State.SetAside = null;
            return;
        }

        var next = ActivityTable.Next(State.Activity, kind);
        if (kind is not (EventKind.CompactionStarted or EventKind.Ignored or EventKind.Noted or EventKind.UsageReported)) State.SetAside = null;
        State.Activity = next;
    }

    private void ForgetRun()
    {
        State.Stop = StopReason.None;
        State.RunError = null;
        State.IsSettled = false;
    }

    private void NoteRefusal(in AgentEvent e)
    {
        if (e.Refusal is { } refusal)
        {
            State.ProviderStatus = refusal.Status ?? State.ProviderStatus;
            State.ResumeAt = refusal.ResumesAfter(State.Now) ?? State.ResumeAt;
        }
        else if (e.Kind == EventKind.RunStarted || (e.Kind is EventKind.MessageEnded or EventKind.TurnEnded && e.Stop < StopReason.Length))
        {
            State.ProviderStatus = 0;
            State.ResumeAt = null;
        }
    }

    private void StartTurn(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        var turn = e.TurnId.IsString ? RunningTools.Hash(e.TurnId.Raw(line)) : 0;
        if (turn != 0 && turn == _turn) return;
        _turn = turn;
        State.Turns++;
        ForgetRun();
    }

    private void NoteStop(ReadOnlySpan<byte> line, StopReason stop, JsonValue error)
    {
        if (stop == StopReason.None) return;
        State.Stop = stop;
        State.RunError = stop < StopReason.Length ? null : Words(line, error) ?? WordsFor(stop);
        if (State.RunError is not null) State.Error = State.RunError;
    }

    // What the last message ended in decides whether the run has failed, unless the event says so itself.
    private EventKind EndRun(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        var final = e.Kind is EventKind.Settled or EventKind.Failed;
        var stop = e.Kind is EventKind.RunFailed or EventKind.Failed && e.Stop < StopReason.Length ? StopReason.Error : e.Stop;
        var addsNothing = stop >= StopReason.Length && State.Stop >= StopReason.Length && !e.Error.IsString;
        if (!addsNothing) NoteStop(line, stop, e.Error);
        if (final) State.IsSettled = true;
        _tools.Clear();
        State.Tool = null;
        return (final, State.Stop >= StopReason.Length) switch
        {
            (true, true) => EventKind.Failed,
            (true, false) => EventKind.Settled,
            (false, true) => EventKind.RunFailed,
            (false, false) => EventKind.RunEnded,
        };
    }

    private void StartTool(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        if (!_tools.Start(IdOf(line, e), NameOf(line, e) ?? "tool")) return;
        State.Tools++;
        State.Tool = _tools.Latest;
    }

    private void EndTool(ReadOnlySpan<byte> line, in AgentEvent e)
    {
        var wasRunning = _tools.End(IdOf(line, e), out var name);
        if (!wasRunning && e.MayBeUnannounced) State.Tools++;
        State.Tool = _tools.Latest;
        transcript?.ToolResult(NameOf(line, e) ?? name, e.IsError, ContentText.Decode(line, e.Text));
    }

    private void AddUsage(UsageReport usage, bool cumulative)
    {
        var reported = cumulative ? usage - _reported : usage;
        _reported = cumulative ? usage : _reported + usage;

        // A total whose cost the agent states in full stands as it is; only else is what came since the last one priced here.
        var total = cumulative && usage.Unpriced == 0 ? usage : State.Usage + Priced(reported);
        var added = total - State.Usage;
        State.Usage = total;
        if (added == default) return;
        meter?.Add(_provider, _model, added);
        transcript?.Usage(added.ToWire());
    }

    private UsageReport Priced(UsageReport report) => meter is null || report.Unpriced <= 0 ? report : meter.Price(_provider, _model, report);

    private static ulong IdOf(ReadOnlySpan<byte> line, in AgentEvent e) => e.ToolId.IsString ? RunningTools.Hash(e.ToolId.Raw(line)) : 0;

    private string? NameOf(ReadOnlySpan<byte> line, in AgentEvent e) =>
        e.ToolLabel ?? (e.ToolName is { IsString: true, Length: > 0 } ? _tools.NameOf(e.ToolName.Raw(line)) : null);

    private static bool IsNew(ReadOnlySpan<byte> line, JsonValue value, ref ulong seen)
    {
        var hash = RunningTools.Hash(value.Raw(line));
        if (hash == seen) return false;
        seen = hash;
        return true;
    }

    // An agent that fails over and over says the same few things each time: one string for each of the latest.
    private string? Words(ReadOnlySpan<byte> line, JsonValue error)
    {
        if (!error.IsString) return null;
        var hash = RunningTools.Hash(error.Raw(line));
        foreach (var known in _errors)
            if (known.Hash == hash && known.Words is not null) return known.Words;

        var words = error.GetString(line, MaxErrorBytes);
        if (redact is not null && words is not null) words = redact(words);
        _errors[_nextError++ % MaxErrors] = (hash, words);
        return words;
    }

    // The same few providers and models come with every message: one string for each of the latest.
    private string? NameOf(ReadOnlySpan<byte> line, JsonValue name)
    {
        var hash = RunningTools.Hash(name.Raw(line));
        foreach (var known in _names)
            if (known.Hash == hash && known.Name is not null) return known.Name;

        var text = name.GetString(line, MaxNameBytes);
        _names[_nextName++ % MaxNames] = (hash, text);
        return text;
    }

    private static string WordsFor(StopReason stop) => stop switch
    {
        StopReason.Length => "answer cut by the token limit",
        StopReason.Aborted => "the run was aborted",
        _ => "the agent reported an error without saying which",
    };
}
