using Colibri.TestAgent;

namespace Colibri.UnitTests.TestAgent;

/// <summary>Takes no time, answers as it was told, and writes down what it was asked.</summary>
internal sealed class ScriptedInterlude : IInterlude
{
    private int _waits;

    public bool? Answer { get; init; } = true;

    /// <summary>The run is aborted after so many events.</summary>
    public int AbortAfter { get; init; } = int.MaxValue;

    public List<TimeSpan> Waits { get; } = [];
    public int Questions { get; private set; }
    public int Stalls { get; private set; }

    public bool Wait(TimeSpan duration)
    {
        Waits.Add(duration);
        return ++_waits < AbortAfter;
    }

    public bool? WaitForAnswer()
    {
        Questions++;
        return Answer;
    }

    public bool Stall()
    {
        Stalls++;
        return false;
    }
}
