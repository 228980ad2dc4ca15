namespace Colibri.Core.Panes;

/// <summary>
/// The background work of an agent that tells of it by the call that starts it and of its end by a notice at most. Whether such work is open is
/// what the words say; the processes that are left at the agent's exit decide.
/// </summary>
internal sealed class BackgroundStarts
{
    private const int Most = 32;

    private readonly List<Start> _open = [];
    private readonly List<(ulong Call, ulong Shell)> _stops = [];

    public int Count => _open.Count;

    /// <summary>What the first is about, in the agent's words.</summary>
    public string? First => _open.Count == 0 ? null : _open[0].About;

    /// <summary>A call has started work, or is about to.</summary>
    /// <param name="call">The call's id.</param>
    /// <param name="shell">The agent's id for the work; 0 while it is not known.</param>
    /// <param name="about">What it is about.</param>
    public void Open(ulong call, ulong shell, string? about)
    {
        var index = _open.FindIndex(start => start.Call == call);
        if (index >= 0)
        {
            _open[index] = _open[index] with { Shell = shell == 0 ? _open[index].Shell : shell, About = _open[index].About ?? about };
            return;
        }
        if (_open.Count == Most) _open.RemoveAt(0);
        _open.Add(new Start(call, shell, about));
    }

    /// <summary>Work has ended. One that matches neither id can only be the single one that is open.</summary>
    public void Close(ulong call, ulong shell)
    {
        var closed = _open.RemoveAll(start => (call != 0 && start.Call == call) || (shell != 0 && start.Shell == shell));
        if (closed == 0 && _open.Count == 1 && (_open[0].Shell == 0 || shell == 0)) _open.Clear();
    }

    /// <summary>The call that was to start it has failed.</summary>
    public void Failed(ulong call) => _open.RemoveAll(start => start.Call == call);

    public void Clear() => _open.Clear();

    /// <summary>A call is about to end work.</summary>
    public void Stopping(ulong call, ulong shell)
    {
        if (_stops.Count == Most) _stops.RemoveAt(0);
        _stops.Add((call, shell));
    }

    /// <summary>A call has ended; if it was to end work and succeeded, that work is over.</summary>
    public void Ended(ulong call, bool failed)
    {
        for (var i = 0; i < _stops.Count; i++)
        {
            if (_stops[i].Call != call) continue;
            var shell = _stops[i].Shell;
            _stops.RemoveAt(i);
            if (!failed) Close(0, shell);
            return;
        }
    }

    private readonly record struct Start(ulong Call, ulong Shell, string? About);
}
