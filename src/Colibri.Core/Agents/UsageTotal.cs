using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents;

/// <summary>A running sum that several threads add to.</summary>
internal sealed class UsageTotal
{
    private Usage _value = new();

    public Usage Value => Volatile.Read(ref _value);

    public void Add(Usage usage)
    {
        Usage before;
        do
            before = Volatile.Read(ref _value);
        while (Interlocked.CompareExchange(ref _value, before + usage, before) != before);
    }
}
