namespace Colibri.TestAgent;

/// <summary>Between the events of an agent that listens to nobody: nothing cuts a pause short, and no question is ever answered.</summary>
internal sealed class DeafInterlude : IInterlude
{
    public bool Wait(TimeSpan duration)
    {
        if (duration > TimeSpan.Zero)
            Thread.Sleep(duration);
        return true;
    }

    public bool? WaitForAnswer()
    {
        Lingering.Stay();
        return false;
    }

    public bool Stall()
    {
        Lingering.Stay();
        return false;
    }
}
