using Colibri.Core.Runs;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests.Runs;

/// <summary>What an agent prints and what its operator does is appended by several threads; a session has it in the order of the facts.</summary>
public sealed class SessionRecorderTests : IDisposable
{
    private readonly SessionFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Test]
    public async Task An_entry_that_is_appended_now_goes_behind_those_that_wait()
    {
        var store = _fixture.Open();
        var recorder = new SessionRecorder(store);
        recorder.Add("s", SessionFixture.Note("question"));
        await recorder.AppendAsync("s", SessionFixture.Note("answer"));
        recorder.HasEntries.ShouldBeFalse();
        store.Read("s", all: true)!.Entries.Select(entry => entry.Text).ShouldBe(["question", "answer"]);
    }

    [Test]
    public async Task Threads_that_add_and_flush_at_once_leave_the_order_in_which_was_added()
    {
        const int Threads = 4;
        const int Each = 400;
        var store = _fixture.Open();
        var recorder = new SessionRecorder(store);
        var facts = new Lock();
        var added = new List<string>();
        await Task.WhenAll(Enumerable.Range(0, Threads).Select(thread => Task.Run(
            async () =>
            {
                for (var n = 0; n < Each; n++)
                {
                    lock (facts)
                    {
                        added.Add($"{thread}/{n}");
                        recorder.Add("s", SessionFixture.Note($"{thread}/{n}"));
                    }
                    await recorder.FlushAsync();
                }
            },
            TestContext.Current!.Execution.CancellationToken)));
        await recorder.FlushAsync();
        store.Read("s", all: true)!.Entries.Select(entry => entry.Text).ShouldBe(added);
    }
}
