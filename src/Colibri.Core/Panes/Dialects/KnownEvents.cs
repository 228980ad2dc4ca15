using System.Numerics;
using System.Text;

namespace Colibri.Core.Panes.Dialects;

/// <param name="name">The agent's own name for it.</param>
/// <param name="kind">What it means, unless its details say otherwise.</param>
/// <param name="detail">The dialect's own number for how to read its details; 0 when there is nothing to read.</param>
internal sealed class KnownEvent(string name, EventKind kind, int detail = 0)
{
    private readonly AgentEvent _plain = new() { Kind = kind, Name = name };

    public string Name => name;

    public EventKind Kind => kind;

    public int Detail => detail;

    /// <summary>The event without details, made once: most events have none, and filling in a new one costs more than reading the line.</summary>
    public ref readonly AgentEvent Plain => ref _plain;
}

/// <summary>Finds a known event by the bytes of its name.</summary>
internal sealed class KnownEvents
{
    private readonly (uint Key, byte[] Name, KnownEvent Event)[] _slots;
    private readonly int _shift;

    public KnownEvents(params ReadOnlySpan<KnownEvent> events)
    {
        _slots = new (uint, byte[], KnownEvent)[(int)BitOperations.RoundUpToPowerOf2((uint)events.Length * 4)];
        _shift = 32 - BitOperations.Log2((uint)_slots.Length);
        foreach (var known in events)
        {
            var name = Encoding.UTF8.GetBytes(known.Name);
            var slot = Slot(Key(name));
            while (_slots[slot].Key != 0) slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = (Key(name), name, known);
        }
    }

    /// <summary>The event of that name; null where there is none.</summary>
    public KnownEvent? Find(ReadOnlySpan<byte> name)
    {
        if (name.IsEmpty) return null;
        var key = Key(name);
        for (var slot = Slot(key); ; slot = (slot + 1) & (_slots.Length - 1))
        {
            ref readonly var candidate = ref _slots[slot];
            if (candidate.Key == 0) return null;
            if (candidate.Key == key && name.SequenceEqual(candidate.Name)) return candidate.Event;
        }
    }

    // Hashes a name by its length, first and last byte; few names collide. Never 0.
    private static uint Key(ReadOnlySpan<byte> name) => ((uint)name.Length << 16) | ((uint)name[^1] << 8) | name[0];

    private int Slot(uint key) => (int)((key * 0x9E37_79B1) >> _shift);
}
