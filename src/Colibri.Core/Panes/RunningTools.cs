using System.Runtime.CompilerServices;

namespace Colibri.Core.Panes;

/// <summary>The tool calls that have started and not ended, latest last. Keeps 16: the oldest ones, whose time is limited, and the latest, which is shown.</summary>
internal sealed class RunningTools
{
    private const int MaxRunning = 16;

    private Calls _calls;
    private int _count;

    /// <summary>The latest call that has to end before its run does.</summary>
    public (string? Name, long At) LatestAwaited
    {
        get
        {
            for (var i = _count - 1; i >= 0; i--)
                if (_calls[i].IsAwaited) return (_calls[i].Name, _calls[i].At);

            return default;
        }
    }

    public string? Latest => _count == 0 ? null : _calls[_count - 1].Name;

    public string? Oldest => _count == 0 ? null : _calls[0].Name;

    /// <summary>When the oldest began; 0 where there is none.</summary>
    public long OldestAt => _count == 0 ? 0 : _calls[0].Since;

    /// <summary>Whether a call is running that began before that number of events.</summary>
    public bool HasOneFrom(long before) => _count > 0 && _calls[0].At < before;

    /// <summary>Drops the calls that are not awaited: a sub-agent that was stopped tells of no end, nor does a line that was missed.</summary>
    public void DropUnawaited()
    {
        for (var i = _count - 1; i >= 0; i--)
            if (!_calls[i].IsAwaited) RemoveAt(i);
    }

    /// <param name="id">The call's own id, hashed; 0 for none.</param>
    /// <param name="name">The tool.</param>
    /// <param name="since">When it began.</param>
    /// <param name="at">The number of events before it.</param>
    /// <param name="isAwaited">The call has to end before its run does.</param>
    /// <returns>False if that very call is already running.</returns>
    public bool Start(ulong id, string name, long since, long at = 0, bool isAwaited = true)
    {
        if (id != 0 && IndexOf(id) >= 0) return false;
        if (_count == MaxRunning) RemoveAt(MaxRunning - 1);
        _calls[_count++] = (id, name, since, at, isAwaited);
        return true;
    }

    /// <summary>Ends the call with that id; the latest when the id is 0, and the latest that began without one when no call has it.</summary>
    /// <returns>False if no such call is running.</returns>
    public bool End(ulong id, out string? name)
    {
        name = null;
        var index = id == 0 ? _count - 1 : IndexOf(id);
        if (index < 0) index = IndexOf(0);
        if (index < 0) return false;
        name = _calls[index].Name;
        RemoveAt(index);
        return true;
    }

    public void Clear()
    {
        ((Span<(ulong, string, long, long, bool)>)_calls).Clear();
        _count = 0;
    }

    /// <summary>The end of a call that runs now may have been missed, so none is awaited.</summary>
    public void AwaitNone()
    {
        for (var i = 0; i < _count; i++) _calls[i].IsAwaited = false;
    }

    /// <summary>Gives the awaited calls to another list, and forgets all.</summary>
    /// <param name="to">The list.</param>
    /// <param name="isOver">Whether a call has ended in another way.</param>
    public void MoveAwaited(RunningTools to, Func<ulong, bool> isOver)
    {
        for (var i = 0; i < _count; i++)
        {
            var (id, name, since, at, isAwaited) = _calls[i];
            if (isAwaited && !isOver(id)) to.Start(id, name, since, at);
        }

        Clear();
    }

    /// <summary>FNV-1a; 0, which means no id, only for no bytes.</summary>
    public static ulong Hash(ReadOnlySpan<byte> id)
    {
        if (id.IsEmpty) return 0;
        var hash = 14695981039346656037UL;
        foreach (var b in id) hash = (hash ^ b) * 1099511628211UL;
        return hash == 0 ? 1 : hash;
    }

    private int IndexOf(ulong id)
    {
        for (var i = _count - 1; i >= 0; i--)
            if (_calls[i].Id == id) return i;

        return -1;
    }

    private void RemoveAt(int index)
    {
        Span<(ulong, string, long, long, bool)> calls = _calls;
        calls[(index + 1).._count].CopyTo(calls[index..]);
        calls[--_count] = default;
    }

    [InlineArray(MaxRunning)]
    private struct Calls
    {
        private (ulong Id, string Name, long Since, long At, bool IsAwaited) _first;
    }
}
