using Colibri.Core.Panes.Dialects;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>
/// What a session gets of an agent's tool calls: each of them once, with its arguments, before its result. Where a kind streams the arguments in parts, the
/// entry waits until they are whole.
/// </summary>
/// <param name="news">Gets the entries.</param>
/// <param name="secrets">The keys to redact in the arguments.</param>
internal sealed class CallEntries(PaneNews news, Secrets secrets)
{
    /// <summary>The most calls that wait for their arguments; beyond it the oldest is entered without.</summary>
    public const int MaxWaiting = 16;

    private readonly List<(ulong Id, string Tool)> _waiting = [];

    /// <summary>A call has begun.</summary>
    public void Started(ReadOnlySpan<byte> line, in AgentEvent e, ulong id, string tool)
    {
        if (!e.ArgumentsFollow)
        {
            Enter(tool, ToolArguments.Of(line, e.Arguments, secrets));
            return;
        }
        if (_waiting.Count == MaxWaiting) EnterAt(0, "");
        _waiting.Add((id, tool));
    }

    /// <summary>The arguments of a call are told, whole.</summary>
    public void Told(ReadOnlySpan<byte> line, in AgentEvent e, ulong id, string tool)
    {
        if (_waiting.FindIndex(call => call.Id == id) is >= 0 and var index) _waiting.RemoveAt(index);
        Enter(tool, ToolArguments.Of(line, e.Arguments, secrets));
    }

    /// <summary>A call has ended: whatever of its arguments was not told by now is not told at all.</summary>
    public void Ended(ReadOnlySpan<byte> line, in AgentEvent e, ulong id)
    {
        if (_waiting.FindIndex(call => call.Id == id) is >= 0 and var index) EnterAt(index, ToolArguments.Of(line, e.Arguments, secrets));
    }

    /// <summary>Nothing more is told of the calls of a run.</summary>
    public void Flush()
    {
        while (_waiting.Count > 0) EnterAt(0, "");
    }

    private void EnterAt(int index, string arguments)
    {
        var tool = _waiting[index].Tool;
        _waiting.RemoveAt(index);
        Enter(tool, arguments);
    }

    private void Enter(string tool, string arguments) => news.Add(new SessionEntry { Kind = SessionEntryKind.ToolCall, Tool = tool, Text = arguments });
}
