using System.Diagnostics;

namespace Colibri.EndToEndTests.Harness;

/// <summary>The one place that waits by asking again.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public static Task HoldsAsync(Func<bool> condition, Func<string> describe, TimeSpan? deadline = null) =>
        HoldsAsync(() => Task.FromResult(condition()), describe, deadline);

    public static async Task HoldsAsync(Func<Task<bool>> condition, Func<string> describe, TimeSpan? deadline = null)
    {
        var limit = deadline ?? Deadline;
        for (var clock = Stopwatch.StartNew(); !await condition(); await Task.Delay(Pause, TestContext.Current!.Execution.CancellationToken))
            if (clock.Elapsed > limit)
                throw new TimeoutException($"not within {limit.TotalSeconds:0.###} s: {describe()}");
    }

    /// <summary>Waits for an answer that is not null and gives it back.</summary>
    public static async Task<T> GetAsync<T>(Func<Task<T?>> ask, Func<string> describe, TimeSpan? deadline = null)
        where T : struct
    {
        T? answer = null;
        await HoldsAsync(async () => (answer = await ask()) is not null, describe, deadline);
        return answer!.Value;
    }

    /// <summary>Puts a deadline on anything awaited.</summary>
    public static async Task<T> WithinAsync<T>(Task<T> task, string what, TimeSpan? deadline = null)
    {
        try
        {
            return await task.WaitAsync(deadline ?? Deadline, TestContext.Current!.Execution.CancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"not within {(deadline ?? Deadline).TotalSeconds:0.###} s: {what}");
        }
    }
}
