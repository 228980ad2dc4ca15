using System.Text;

namespace Colibri.Core.Glasspane.Dialect;

/// <param name="Name">The agent's own name for it.</param>
/// <param name="Kind">What it means, unless its details say otherwise.</param>
/// <param name="Detail">The dialect's own number for how to read its details; 0 when there is nothing to read.</param>
internal readonly record struct KnownEvent(string Name, EventKind Kind, int Detail = 0);

/// <summary>Finds a known event by the bytes of its name.</summary>
internal sealed class KnownEvents
{
    private readonly (byte[] Name, KnownEvent Event)[] _slots;

    public KnownEvents(params ReadOnlySpan<KnownEvent> events)
    {
        _slots = new (byte[], KnownEvent)[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)events.Length * 4)];
        foreach (var known in events)
        {
            var name = Encoding.UTF8.GetBytes(known.Name);
            var slot = Slot(name);
            while (_slots[slot].Name is not null) slot = (slot + 1) & (_slots.Length - 1);
            _slots[slot] = (name, known);
        }
    }

    public bool TryFind(ReadOnlySpan<byte> name, out KnownEvent known)
    {
        known = default;
        if (name.IsEmpty) return false;
        for (var slot = Slot(name); _slots[slot].Name is { } candidate; slot = (slot + 1) & (_slots.Length - 1))
        {
            if (!name.SequenceEqual(candidate)) continue;
            known = _slots[slot].Event;
            return true;
        }

        return false;
    }

    private int Slot(ReadOnlySpan<byte> name) =>
        ((name.Length * 31) + (name[0] * 7) + (name[name.Length / 2] * 13) + (name[^1] * 3)) & (_slots.Length - 1);
}
