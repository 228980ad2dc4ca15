using System.Collections;

namespace Colibri.UnitTests.Scheduling;

/// <summary>Arguments that nothing can be started with: a stand-in for a failure nobody foresaw.</summary>
internal sealed class ThrowingArguments(params string[] items) : IReadOnlyList<string>
{
    private volatile bool _throws;
    private int _asked;

    public bool Throws
    {
        get => _throws;
        set => _throws = value;
    }

    public int Asked => Volatile.Read(ref _asked);

    public int Count => Items.Count;

    public string this[int index] => Items[index];

    private List<string> Items => Interlocked.Increment(ref _asked) > 0 && _throws ? throw new InvalidDataException("these arguments cannot be read") : [.. items];

    public IEnumerator<string> GetEnumerator() => Items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
