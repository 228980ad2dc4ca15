using System.Collections.Concurrent;
using System.Text;
using Colibri.Core;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Transports;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Posix.Spawning;
using Colibri.UnitTests.Scheduling;

namespace Colibri.UnitTests.Agents.Transports;

public sealed class CommandTransportTests
{
    private readonly FakeTime _time = new();
    private readonly ConcurrentQueue<string> _written = new();

    [Test]
    public async Task Responses_find_their_command_in_any_order()
    {
        var channel = Open();
        var (first, second) = (channel.PromptAsync("one"), channel.AddAsync("two", isAtWork: true));
        channel.Replied("2", null);
        channel.Replied("7", null);
        channel.Replied("1", "busy");

        (await first).ShouldBe(RpcReply.Refused("busy"));
        (await second).ShouldBe(RpcReply.Taken);
        Shell.Until(() => _written.Count == 2, "both are written");
        _written.ShouldBe(["""{"id":"1","type":"prompt","message":"one"}""" + "\n", """{"id":"2","type":"steer","message":"two"}""" + "\n"]);
    }

    [Test]
    public async Task A_response_that_does_not_come_is_not_waited_for_longer_than_its_deadline()
    {
        var channel = Open();
        var reply = channel.PromptAsync("one");
        _time.Advance(CommandTransport.ReplyDeadline - TimeSpan.FromMilliseconds(1));
        reply.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Shell.Until(() => _time.NextTimer == FairWait.Confirmation, "what came meanwhile is read first");
        _time.Advance(FairWait.Confirmation);
        (await reply).ShouldBe(RpcReply.Unanswered("it did not answer within 30 s"));
        channel.Replied("1", null);
    }

    [Test]
    public async Task A_response_that_waits_in_the_pipe_after_a_standstill_is_in_time()
    {
        var channel = Open();
        var reply = channel.PromptAsync("one");
        _time.Advance(CommandTransport.ReplyDeadline + TimeSpan.FromMinutes(10));
        Shell.Until(() => _time.NextTimer == FairWait.AfterStandstill, "the pipe is read first");
        channel.Replied("1", null);
        (await reply).ShouldBe(RpcReply.Taken);
    }

    [Test]
    public async Task Commands_nobody_answers_are_bounded()
    {
        var channel = Open();
        Task<RpcReply>[] waiting = [.. Enumerable.Range(0, AgentInput.MaxPending).Select(n => channel.PromptAsync($"{n}"))];
        (await channel.PromptAsync("one too many")).IsAnswered.ShouldBeFalse();

        channel.Input.Close();
        (await Task.WhenAll(waiting)).ShouldAllBe(reply => reply.Problem == "it has ended");
        channel.Input.TrySend(static _ => { }).ShouldBeFalse();
    }

    [Test]
    public async Task An_answered_command_makes_room_for_another()
    {
        var channel = Open();
        var first = channel.PromptAsync("first");
        for (var n = 2; n <= AgentInput.MaxPending; n++)
            _ = channel.PromptAsync($"{n}");
        (await channel.PromptAsync("refused")).IsAnswered.ShouldBeFalse();
        // The lines that wait are bounded as well: they have to be read before another one fits.
        SpinWait.SpinUntil(() => _written.Count == AgentInput.MaxPending, TimeSpan.FromSeconds(20)).ShouldBeTrue("every line is written");

        channel.Replied("1", null);
        channel.Replied("1", null);
        (await first).IsTaken.ShouldBeTrue();
        var next = channel.PromptAsync("next");
        (await channel.PromptAsync("refused again")).IsAnswered.ShouldBeFalse("one answer is one place");

        channel.Input.Close();
        (await next).Problem.ShouldBe("it has ended");
    }

    [Test]
    public void Lines_nobody_reads_are_bounded()
    {
        var channel = New(_time);
        Enumerable.Range(0, 1_000).Count(_ => channel.Input.TrySend(static _ => { })).ShouldBe(AgentInput.MaxPending);
    }

    private static CommandTransport New(TimeProvider time) => new(AgentProfiles.For("pi", null).Dialect, new CommandNames("steer", "new_session"), time);

    private CommandTransport Open()
    {
        var channel = New(_time);
        _ = channel.Input.PumpAsync(line =>
        {
            _written.Enqueue(Encoding.UTF8.GetString(line.Span));
            return Task.CompletedTask;
        });
        return channel;
    }

    [Test]
    public void An_answer_to_a_question_is_refused_where_too_many_lines_wait()
    {
        var channel = New(TimeProvider.System);
        for (var line = 0; line < AgentInput.MaxPending; line++)
            channel.TryAnswer(new AgentQuestion($"q{line}", "select"), new QuestionAnswer("red", null)).ShouldBeTrue();
        channel.TryAnswer(new AgentQuestion("one more", "select"), new QuestionAnswer("red", null)).ShouldBeFalse();
    }
}
