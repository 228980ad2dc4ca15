using System.Runtime.CompilerServices;

namespace Colibri.Core.Panes;

/// <summary>The tool calls that have started and not ended, latest last. Keeps the latest 16.</summary>
internal sealed class RunningTools
{
    private const int MaxRunning = 16;

    private Calls _calls;
    private int _count;

    public string? Latest => _count == 0 ? null : _calls[_count - 1].Name;

    /// <returns>False if that very call is already running.</returns>
    public bool Start(ulong id, string name)
    {
        if (id != 0 && IndexOf(id) >= 0) return false;
        if (_count == MaxRunning) RemoveAt(0);
        _calls[_count++] = (id, name);
        return true;
    }

    /// <summary>Ends the call with that id, the latest when the id is 0.</summary>
    /// <returns>False if no such call is running.</returns>
    public bool End(ulong id, out string? name)
    {
        name = null;
        var index = id == 0 ? _count - 1 : IndexOf(id);
        if (index < 0) return false;
        name = _calls[index].Name;
        RemoveAt(index);
        return true;
    }

    public void Clear()
    {
        ((Span<(ulong, string)>)_calls).Clear();
        _count = 0;
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
        for (var i = 0; i < _count; i++)
            if (_calls[i].Id == id) return i;

        return -1;
    }

    private void RemoveAt(int index)
    {
        Span<(ulong, string)> calls = _calls;
        calls[(index + 1).._count].CopyTo(calls[index..]);
        calls[--_count] = default;
    }

    [InlineArray(MaxRunning)]
    private struct Calls
    {
        private (ulong Id, string Name) _first;
    }
}
