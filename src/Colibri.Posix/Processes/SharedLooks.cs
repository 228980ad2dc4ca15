using System.Diagnostics;

namespace Colibri.Posix.Processes;

/// <summary>
/// Looks at the process table that all who want one at the same time share. A look begins after each of them has asked for it, so it sees every
/// process that was there by then. One look is under way at a time; who asks meanwhile gets the next one.
/// </summary>
public sealed class SharedLooks
{
    /// <summary>A look rests for so many times what it took: looks take a third of a processor at the most.</summary>
    private const int RestFactor = 2;

    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(40);

    private readonly Lock _gate = new();
    private readonly Func<ProcessLook> _take;
    private TaskCompletionSource<ProcessLook>? _next;
    private bool _isLooking;

    internal SharedLooks(Func<ProcessLook> take) => _take = take;

    /// <summary>There is one process table.</summary>
    public static SharedLooks OfTheSystem { get; } = new(ProcessLook.Take);

    /// <summary>The looking that is under way, or was last; never fails.</summary>
    internal Task Looking { get; private set; } = Task.CompletedTask;

    /// <summary>A look that begins after this call.</summary>
    /// <exception cref="IOException">The table cannot be read whole, as a rule for want of descriptors.</exception>
    public Task<ProcessLook> NextAsync()
    {
        lock (_gate)
        {
            var next = _next ??= new TaskCompletionSource<ProcessLook>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (!_isLooking)
            {
                _isLooking = true;
                Looking = Task.Run(LookAsync);
            }
            return next.Task;
        }
    }

    private async Task LookAsync()
    {
        while (true)
        {
            TaskCompletionSource<ProcessLook> asked;
            lock (_gate)
            {
                if (_next is null)
                {
                    _isLooking = false;
                    return;
                }
                // From here on who asks gets the look after this one.
                (asked, _next) = (_next, null);
            }
            var since = Stopwatch.GetTimestamp();
            try
            {
                asked.SetResult(_take());
            }
            catch (Exception e)
            {
                asked.SetException(e);
            }
            var rest = Stopwatch.GetElapsedTime(since) * RestFactor;
            await Task.Delay(rest < LongestRest ? rest : LongestRest).ConfigureAwait(false);
        }
    }
}
