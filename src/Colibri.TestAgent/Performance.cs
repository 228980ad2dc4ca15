namespace Colibri.TestAgent;

/// <summary>Prints a run's events, with what is waited for between them.</summary>
internal sealed class Performance(AgentOptions options, EventLines lines, IInterlude interlude)
{
    private const string LastEvent = "agent_settled";

    /// <summary>Plays the run to its end, or to the end that an abort gives it.</summary>
    public void Play(LifeCycle run, bool isFirst)
    {
        foreach (var step in run.Run(isFirst))
        {
            Print(step);
            if (!GoesOnAfter(step, run))
            {
                foreach (var last in run.Abort())
                    Print(last);
                return;
            }
        }
    }

    private bool GoesOnAfter(Step step, LifeCycle run)
    {
        if (step.HasSequel || step.Type == LastEvent)
            return true;
        if (step.Stalls)
            return !interlude.Stall();
        if (step.Asks)
        {
            if (interlude.WaitForAnswer() is not { } confirmed)
                return false;
            run.Confirmed = confirmed;
        }
        return interlude.Wait(options.Step + step.HoldAfter);
    }

    private void Print(Step step)
    {
        if (step.Type == LastEvent)
            lines.WriteRemainingBrokenLines();
        lines.Write(step);
    }
}
