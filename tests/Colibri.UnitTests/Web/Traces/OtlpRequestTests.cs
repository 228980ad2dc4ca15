using Colibri.Protocol.Wire;
using Colibri.Tests;
using Colibri.Web.Traces;

namespace Colibri.UnitTests.Web.Traces;

public sealed class OtlpRequestTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    // What OpenTelemetry.Exporter.OpenTelemetryProtocol 1.20.1 posts of one activity, to hold the reader against another writer.
    private const string OfTheLibrary = "0afd8080000a8080800012f38080000a848080000a00120012e7000a104bf92f3577b34da6a3ce929d0e0e4736120800f067aa0ba902b78501010100002a0e696e766f6b655f6167656e74207830013948a84f140c31ec18416457970c1a31ec184a1f0a1967656e5f61692e75736167652e696e7075745f746f6b656e7312021807";

    [Test]
    public void The_reader_of_the_tests_reads_what_the_library_writes()
    {
        var span = OtlpSpan.Read(Convert.FromHexString(OfTheLibrary)).Single();
        (span.TraceId, span.SpanId, span.ParentId, span.Name, span.Kind).ShouldBe(("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", null, "invoke_agent x", 1));
        span.Attributes["gen_ai.usage.input_tokens"].ShouldBe(7L);
        (span.End - span.Start).TotalSeconds.ShouldBe(60, 1);
    }

    [Test]
    public void A_run_is_a_span_with_the_ids_that_its_agent_was_told_and_its_tools_are_below_it()
    {
        var spans = Read(Run() with { Verdict = "failed", Error = new TaskError("provider", "the words of an error") }, new ToolCall("bash", Noon.AddSeconds(1), Noon.AddSeconds(2)));
        var run = spans[0];
        (run.TraceId, run.SpanId, run.ParentId, run.Name, run.Kind, run.Status, run.Service).ShouldBe((new string('a', 32), new string('b', 16), null, "invoke_agent night", 1, 2, "colibri"));
        (run.Start, run.End).ShouldBe((Noon, Noon.AddSeconds(5)));
        run.Attributes["gen_ai.operation.name"].ShouldBe("invoke_agent");
        run.Attributes["gen_ai.agent.name"].ShouldBe("night");
        run.Attributes["gen_ai.provider.name"].ShouldBe("anthropic");
        run.Attributes["gen_ai.request.model"].ShouldBe("opus");
        run.Attributes["gen_ai.usage.input_tokens"].ShouldBe(1_110L);
        run.Attributes["gen_ai.usage.output_tokens"].ShouldBe(5L);
        run.Attributes["gen_ai.usage.cache_read.input_tokens"].ShouldBe(1_000L);
        run.Attributes["gen_ai.usage.cache_creation.input_tokens"].ShouldBe(100L);
        run.Attributes["colibri.task.number"].ShouldBe(12L);
        run.Attributes["colibri.verdict"].ShouldBe("failed");
        run.Attributes["error.type"].ShouldBe("provider");
        var tool = spans[1];
        (tool.TraceId, tool.ParentId, tool.Name, tool.Status).ShouldBe((run.TraceId, run.SpanId, "execute_tool bash", 0));
        tool.SpanId.ShouldNotBe(run.SpanId);
        tool.Attributes["gen_ai.tool.name"].ShouldBe("bash");
    }

    [Test]
    public void Nothing_of_what_was_said_is_in_a_span()
    {
        var body = OtlpRequest.Of(RunSpans.Of(Run() with { Verdict = "failed", Title = "a secret title", Error = new TaskError("provider", "a secret message"), Denied = [new DeniedTool("bash", "a secret reason", 1)] }, []), "colibri", "1");
        System.Text.Encoding.UTF8.GetString(body).ShouldNotContain("secret");
    }

    [Test]
    [Arguments(null, null)]
    [Arguments("aaaa", "bbbbbbbbbbbbbbbb")]
    [Arguments("00000000000000000000000000000000", "bbbbbbbbbbbbbbbb")]
    [Arguments("zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "bbbbbbbbbbbbbbbb")]
    public void A_run_without_ids_is_no_span(string? trace, string? span) => RunSpans.Of(Run() with { TraceId = trace, SpanId = span }, []).ShouldBeEmpty();

    [Test]
    public void A_clock_that_was_set_back_gives_no_span_that_ends_before_it_starts()
    {
        var span = Read(Run() with { EndedAt = Noon.AddMinutes(-5) })[0];
        span.End.ShouldBe(span.Start);
    }

    internal static RunSummary Run(string id = "r1", DateTimeOffset? start = null) => new()
    {
        Id = id,
        TaskId = "t1",
        TaskNumber = 12,
        Title = "title",
        Attempt = 1,
        AgentId = "agent-1",
        Profile = "night",
        Runtime = "claude",
        SessionId = "s1",
        Provider = "anthropic",
        Model = "opus",
        Verdict = "done",
        StartedAt = start ?? Noon,
        EndedAt = (start ?? Noon).AddSeconds(5),
        TraceId = new string('a', 32),
        SpanId = new string('b', 16),
        Usage = new Usage { InputTokens = 10, OutputTokens = 5, CacheReadTokens = 1_000, CacheWriteTokens = 100 },
    };

    private static IReadOnlyList<OtlpSpan> Read(RunSummary run, params ToolCall[] calls) => OtlpSpan.Read(OtlpRequest.Of(RunSpans.Of(run, calls), "colibri", "1"));
}
