namespace Colibri.TestAgent;

/// <summary>Being there and doing nothing, as a stalled agent or a process it left behind does.</summary>
internal static class Lingering
{
    /// <summary>Long enough for every test, short enough that one which was forgotten goes away by itself.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    public static void Stay()
    {
        using var never = new ManualResetEventSlim();
        never.Wait(Limit);
    }
}
