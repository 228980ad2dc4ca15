using Colibri.Core.Doctor;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Doctor;

/// <summary>An examination as a whole: bounded, one at a time, redacted.</summary>
[NotInParallel]
public sealed class ExaminationTests : IDisposable
{
    private readonly Installation _here = new();
    private ExaminationParts? _parts;

    public void Dispose() => _here.Dispose();

    [Test]
    public async Task A_look_that_hangs_costs_its_own_line_and_no_second_thread()
    {
        using var released = new ManualResetEventSlim();
        var hanging = new TaskCompletionSource();
        var looks = 0;
        var examination = Of(
            TimeSpan.FromMilliseconds(300),
            new Look("files", "nfs", finding =>
            {
                Interlocked.Increment(ref looks);
                hanging.TrySetResult();
                released.Wait(Shell.Deadline);
                finding.Ok("there");
            }),
            new Look("host", "clock", finding => finding.Ok("right")));
        try
        {
            (await RunAsync(examination)).ShouldBe(
            [
                new DoctorCheck("files", "nfs", DoctorState.Warning, "the look at it was not finished within 0.3 s"),
                new DoctorCheck("host", "clock", DoctorState.Ok, "right"),
            ]);
            await hanging.Task;
            (await RunAsync(examination))[0].Message.ShouldBe("an earlier look at it has not come back: a file system that does not answer?");
            looks.ShouldBe(1);
        }
        finally
        {
            released.Set();
        }
    }

    [Test]
    public async Task Who_asks_meanwhile_gets_the_same_result()
    {
        var going = new TaskCompletionSource();
        var looks = 0;
        var examination = Of(Shell.Deadline, new Look("host", "slow", async _ =>
        {
            Interlocked.Increment(ref looks);
            await going.Task;
            return [];
        }));

        var (first, second) = (examination.RunAsync(), examination.RunAsync());
        going.SetResult();

        (await first.WaitAsync(Shell.Deadline)).ShouldBeSameAs(await second.WaitAsync(Shell.Deadline));
        looks.ShouldBe(1);
        (await examination.RunAsync().WaitAsync(Shell.Deadline)).ShouldNotBeSameAs(await first);
    }

    [Test]
    public async Task Lines_are_redacted_before_they_are_cut_and_stand_on_one_line()
    {
        var check = (await RunAsync(Of(Shell.Deadline, new Look("host", "x", finding => finding.Error(new string('a', 490) + Installation.Key, $"type\n\x1b[2J{Installation.Key}"))))).ShouldHaveSingleItem();
        check.Message.Length.ShouldBeLessThanOrEqualTo(500);
        check.Message.ShouldNotContain("sk-");
        check.Fix.ShouldBe("type [redacted]");
    }

    [Test]
    public async Task A_look_that_fails_costs_its_own_line()
    {
        var checks = await RunAsync(Of(
            Shell.Deadline, new Look("host", "io", _ => throw new IOException("no disk")), new Look("host", "bug", _ => throw new InvalidOperationException("a defect")), new Look("host", "good", finding => finding.Ok("fine"))));
        checks.Select(check => check.Message).ShouldBe(["it cannot be looked at: no disk", "the look failed in the daemon; its log says how", "fine"]);
    }

    private Examination Of(TimeSpan limit, params Look[] looks)
    {
        _here.Change = parts => _parts = parts;
        _ = _here.Examination();
        return new Examination(_parts!, limit, () => looks);
    }

    private static async Task<IReadOnlyList<DoctorCheck>> RunAsync(Examination examination) => (await examination.RunAsync().WaitAsync(Shell.Deadline)).Checks;
}
