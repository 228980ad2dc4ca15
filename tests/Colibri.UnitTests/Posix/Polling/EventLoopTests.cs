using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Interop;
using Colibri.Posix.Polling;
using Colibri.Posix.Sockets;
using Colibri.UnitTests.Posix.Spawning;
using Microsoft.Win32.SafeHandles;

namespace Colibri.UnitTests.Posix.Polling;

/// <summary>The loop over real pipes and sockets, in both paces.</summary>
[NotInParallel]
public sealed class EventLoopTests : IDisposable
{
    private readonly EventLoop _loop = new("test", LoopPace.Attend);

    public void Dispose() => _loop.Dispose();

    [Test]
    [Arguments(LoopPace.Attend)]
    [Arguments(LoopPace.Gather)]
    public async Task A_question_is_answered_again_and_again(LoopPace pace)
    {
        using var loop = new EventLoop("test", pace);
        var (ours, theirs) = SocketPair.CreateHandles();
        using var _ = theirs;
        using var asked = loop.Watch(ours);
        var answering = EchoAsync(asked);
        using var end = new FileStream(new SafeFileHandle(theirs.DangerousGetHandle(), ownsHandle: false), FileAccess.ReadWrite, 0);
        var answer = new byte[16];
        for (var i = 0; i < 300; i++)
        {
            end.Write(Encoding.ASCII.GetBytes($"q{i}"));
            var read = end.Read(answer);
            Encoding.ASCII.GetString(answer, 0, read).ShouldBe($"q{i}");
        }
        asked.Dispose();
        await answering.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
    }

    [Test]
    public async Task Whoever_waited_goes_on_on_the_loop_and_leaves_it_when_asked()
    {
        var (reading, writing) = Pipe.Create();
        using var watched = _loop.Watch(reading);
        var seen = SeeThreadsAsync(watched);
        Write(writing, "x");
        (await seen.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken)).ShouldBe((true, false));
        writing.Dispose();

        async Task<(bool, bool)> SeeThreadsAsync(PolledDescriptor from)
        {
            await from.WaitReadableAsync().ConfigureAwait(false);
            var before = _loop.IsCurrent;
            await EventLoop.LeaveAsync();
            return (before, _loop.IsCurrent);
        }
    }

    [Test]
    [Arguments(1)]
    [Arguments(7)]
    [Arguments(65_536)]
    public async Task An_end_that_came_with_the_last_bytes_is_seen_whatever_the_buffer(int bufferBytes)
    {
        foreach (var ends in (ReadOnlySpan<(SafeHandle, SafeHandle)>)[Pipe.Create(), SocketPair.CreateHandles()])
        {
            var (ours, theirs) = ends;
            Write(theirs, "the last words");
            theirs.Dispose();
            using var watched = _loop.Watch(ours);
            ReadToEnd(watched, bufferBytes).ShouldBe("the last words");
        }
    }

    [Test]
    public async Task An_end_that_comes_later_is_seen()
    {
        var (reading, writing) = Pipe.Create();
        using var watched = _loop.Watch(reading);
        var read = ReadToEndAsync(watched, 64);
        Write(writing, "words");
        Write(writing, " and more");
        writing.Dispose();
        (await read.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken)).ShouldBe("words and more");
    }

    [Test]
    public async Task One_that_always_has_more_does_not_keep_the_loop_for_himself()
    {
        const int Much = 60_000;
        var (much, muchTheirs) = Pipe.Create();
        var (little, littleTheirs) = Pipe.Create();
        using var first = _loop.Watch(much);
        using var second = _loop.Watch(little);
        var taken = 0;
        var whenSecondCame = -1;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var hog = TakeAsync();
        var other = NoteAsync();
        // Both wait by now: off the loop nobody is to make room for.
        Write(muchTheirs, new string('x', Much));
        await started.Task.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        Write(littleTheirs, "y");
        await Task.WhenAll(hog, other).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        whenSecondCame.ShouldBeInRange(1, Much - 1);
        muchTheirs.Dispose();
        littleTheirs.Dispose();

        async Task TakeAsync()
        {
            var one = new byte[1];
            while (taken < Much)
            {
                await first.WaitReadableAsync().ConfigureAwait(false);
                if (first.TryRead(one, out var count) && (taken += count) == 1)
                    started.SetResult();
                // Not to its end before the other one has been written to.
                if (taken == Much / 2)
                    Shell.Until(() => Volatile.Read(ref whenSecondCame) >= 0 || IsReadable(little), "the other one is written to");
            }
        }

        async Task NoteAsync()
        {
            await second.WaitReadableAsync().ConfigureAwait(false);
            Volatile.Write(ref whenSecondCame, taken);
        }
    }

    [Test]
    [Arguments(false)]
    [Arguments(true)]
    public async Task All_that_comes_is_taken_in_order_also_by_one_who_takes_his_time(bool slowly)
    {
        var (reading, writing) = Pipe.Create();
        using var watched = _loop.Watch(reading);
        var expected = new StringBuilder();
        var taken = new StringBuilder();
        var chunks = 0;
        var ended = watched.ReadToEndAsync(chunk =>
        {
            taken.Append(Encoding.ASCII.GetString(chunk));
            return slowly && chunks++ % 3 == 0 ? new ValueTask(YieldAsync()) : ValueTask.CompletedTask;
        });
        for (var i = 0; i < 3_000; i++)
        {
            var text = new string((char)('a' + i % 26), i % 400);
            expected.Append(text);
            Write(writing, text);
        }
        writing.Dispose();
        await ended.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        taken.ToString().ShouldBe(expected.ToString());
    }

    [Test]
    public async Task Of_two_that_are_read_one_that_always_has_more_makes_room()
    {
        // Each round of the loop gives it one chunk of 64 KiB; it is written to until the other one was heard.
        var (much, muchTheirs) = Pipe.Create();
        var (little, littleTheirs) = Pipe.Create();
        using var first = _loop.Watch(much);
        using var second = _loop.Watch(little);
        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var hog = first.ReadToEndAsync(static _ => ValueTask.CompletedTask);
        var other = second.ReadToEndAsync(_ =>
        {
            heard.TrySetResult();
            return ValueTask.CompletedTask;
        });
        var writing = Task.Run(() =>
        {
            var text = new string('x', 65_536);
            while (!heard.Task.IsCompleted)
                Write(muchTheirs, text);
        }, TestContext.Current!.Execution.CancellationToken);
        Write(littleTheirs, "y");
        await heard.Task.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        await writing.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        muchTheirs.Dispose();
        littleTheirs.Dispose();
        await Task.WhenAll(hog, other).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
    }

    [Test]
    public async Task Closing_ends_a_reading_and_no_chunk_is_under_way_then()
    {
        var (reading, writing) = Pipe.Create();
        var watched = _loop.Watch(reading);
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var let = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var ended = watched.ReadToEndAsync(_ =>
        {
            entered.SetResult();
            return new ValueTask(let.Task);
        });
        Write(writing, "x");
        await entered.Task.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        watched.Dispose();
        ended.IsCompleted.ShouldBeFalse();
        let.SetResult();
        await ended.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);

        var (quiet, quietTheirs) = Pipe.Create();
        var idle = _loop.Watch(quiet);
        var idling = idle.ReadToEndAsync(static _ => ValueTask.CompletedTask);
        idle.Dispose();
        await idling.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        quietTheirs.Dispose();
        writing.Dispose();
    }

    [Test]
    public async Task A_failure_of_whoever_takes_ends_the_reading_with_it()
    {
        var (reading, writing) = Pipe.Create();
        using var watched = _loop.Watch(reading);
        var ended = watched.ReadToEndAsync(static _ => throw new InvalidDataException("no"));
        Write(writing, "x");
        await Should.ThrowAsync<InvalidDataException>(() => ended.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken));
        writing.Dispose();
    }

    [Test]
    public async Task Closing_ends_the_wait_there_is_and_every_later_one()
    {
        var (reading, writing) = Pipe.Create();
        using var _ = writing;
        var watched = _loop.Watch(reading);
        var waiting = watched.WaitReadableAsync().AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        watched.Dispose();
        await Should.ThrowAsync<ObjectDisposedException>(() => waiting.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken));
        await Should.ThrowAsync<ObjectDisposedException>(() => watched.WaitReadableAsync().AsTask());
        Should.Throw<ObjectDisposedException>(() => watched.TryRead(new byte[1], out var _));
    }

    [Test]
    public async Task A_place_is_given_again_and_belongs_to_the_new_one_alone()
    {
        for (var i = 0; i < 50; i++)
        {
            var (reading, writing) = Pipe.Create();
            var watched = _loop.Watch(reading);
            Write(writing, $"word {i}");
            writing.Dispose();
            // Half of them go while news of them may be under way.
            if (i % 2 == 0)
                (await ReadToEndAsync(watched, 64).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken)).ShouldBe($"word {i}");
            watched.Dispose();
        }
    }

    [Test]
    public async Task Hundreds_are_watched_at_once()
    {
        var pipes = Enumerable.Range(0, 300).Select(_ => Pipe.Create()).ToList();
        var reads = pipes.ConvertAll(pipe => ReadToEndAsync(_loop.Watch(pipe.Reading), 64));
        for (var i = 0; i < pipes.Count; i++)
        {
            Write(pipes[i].Writing, $"agent {i}");
            pipes[i].Writing.Dispose();
        }
        (await Task.WhenAll(reads).WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken)).ShouldBe(Enumerable.Range(0, 300).Select(i => $"agent {i}"));
        pipes.ForEach(pipe => pipe.Reading.Dispose());
    }

    [Test]
    public async Task What_finds_no_room_is_sent_when_there_is()
    {
        var (ours, theirs) = SocketPair.CreateHandles();
        using var watched = _loop.Watch(ours);
        var bytes = new byte[3_000_000];
        new Random(7).NextBytes(bytes);
        var sending = watched.SendAsync(bytes).AsTask();
        sending.IsCompleted.ShouldBeFalse();
        var received = new byte[bytes.Length];
        using (var end = new FileStream(new SafeFileHandle(theirs.DangerousGetHandle(), ownsHandle: false), FileAccess.ReadWrite, 0))
            end.ReadExactly(received);
        await sending.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken);
        received.ShouldBe(bytes);
        theirs.Dispose();
        Should.Throw<IOException>(() => watched.SendAsync(bytes).AsTask().GetAwaiter().GetResult()).Message.ShouldContain("EPIPE");
    }

    [Test]
    public async Task Whoever_waits_for_room_learns_that_the_other_side_went()
    {
        var (ours, theirs) = SocketPair.CreateHandles();
        using var watched = _loop.Watch(ours);
        var sending = watched.SendAsync(new byte[3_000_000]).AsTask();
        theirs.Dispose();
        await Should.ThrowAsync<IOException>(() => sending.WaitAsync(Shell.Deadline, TestContext.Current!.Execution.CancellationToken));
    }

    [Test]
    public void A_kevent_lies_in_memory_as_FreeBSD_12_and_later_have_it()
    {
        // sys/event.h
        System.Runtime.CompilerServices.Unsafe.SizeOf<Kevent>().ShouldBe(64);
        foreach (var (field, offset) in new[] { ("ident", 0), ("filter", 8), ("flags", 10), ("fflags", 12), ("data", 16), ("udata", 24) })
            ((int)Marshal.OffsetOf<Kevent>(field)).ShouldBe(offset, field);
    }

    private static async Task YieldAsync() => await Task.Yield();

    private static async Task EchoAsync(PolledDescriptor asked)
    {
        var buffer = new byte[64];
        try
        {
            while (true)
            {
                await asked.WaitReadableAsync().ConfigureAwait(false);
                if (asked.TryRead(buffer, out var count))
                    await asked.SendAsync(buffer.AsMemory(0, count)).ConfigureAwait(false);
            }
        }
        catch (ObjectDisposedException)
        {
        }
    }

    private static string ReadToEnd(PolledDescriptor from, int bufferBytes) =>
        ReadToEndAsync(from, bufferBytes).WaitAsync(Shell.Deadline).GetAwaiter().GetResult();

    private static async Task<string> ReadToEndAsync(PolledDescriptor from, int bufferBytes)
    {
        var text = new StringBuilder();
        var buffer = new byte[bufferBytes];
        while (true)
        {
            await from.WaitReadableAsync().ConfigureAwait(false);
            if (!from.TryRead(buffer, out var count))
                continue;
            if (count == 0)
                return text.ToString();
            text.Append(Encoding.ASCII.GetString(buffer, 0, count));
        }
    }

    private static bool IsReadable(SafeHandle pipe)
    {
        using var queue = new Colibri.Posix.Polling.EpollQueue();
        queue.Watch((int)pipe.DangerousGetHandle(), 1);
        return queue.Wait(new Colibri.Posix.Polling.Readiness[1], block: false) == 1;
    }

    private static void Write(SafeHandle to, string text)
    {
        using var end = new FileStream(new SafeFileHandle(to.DangerousGetHandle(), ownsHandle: false), FileAccess.Write, 0);
        end.Write(Encoding.ASCII.GetBytes(text));
    }
}
