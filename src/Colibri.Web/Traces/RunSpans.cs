using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Web.Traces;

/// <summary>
/// A run that has ended as spans, by the semantic conventions for generative AI of OpenTelemetry (open-telemetry/semantic-conventions-genai): <c>invoke_agent</c>
/// with the ids that its agent was told in TRACEPARENT, and one <c>execute_tool</c> below it for each call of a tool. Prompts, arguments, results and
/// messages of errors are left out.
/// </summary>
internal static class RunSpans
{
    private const string Done = "done";
    private const int TraceBytes = 16;
    private const int SpanBytes = 8;

    /// <summary>The spans, the run's own first; none of a run without ids.</summary>
    public static IReadOnlyList<Span> Of(RunSummary run, IReadOnlyList<ToolCall> calls)
    {
        if (Id(run.TraceId, TraceBytes) is not { } trace || Id(run.SpanId, SpanBytes) is not { } own || run.EndedAt is not { } end)
            return [];
        var agent = run.Profile ?? run.Runtime ?? "agent";
        var isError = run.Verdict != Done;
        List<SpanAttribute> attributes = [new("gen_ai.operation.name", "invoke_agent"), new("gen_ai.agent.name", agent), new("gen_ai.agent.id", run.AgentId)];
        Add("gen_ai.agent.version", run.Version);
        // A kind of agent has a provider of its own where no route was chosen.
        Add("gen_ai.provider.name", run.Provider ?? run.Runtime);
        Add("gen_ai.request.model", run.Model);
        attributes.Add(new("gen_ai.conversation.id", run.SessionId));
        attributes.Add(new("gen_ai.usage.input_tokens", null, run.Usage.SentTokens));
        attributes.Add(new("gen_ai.usage.output_tokens", null, run.Usage.OutputTokens));
        attributes.Add(new("gen_ai.usage.cache_read.input_tokens", null, run.Usage.CacheReadTokens));
        attributes.Add(new("gen_ai.usage.cache_creation.input_tokens", null, run.Usage.CacheWriteTokens));
        attributes.Add(new("colibri.cost_microcents", null, run.Usage.CostMicrocents));
        attributes.Add(new("colibri.task.number", null, run.TaskNumber));
        attributes.Add(new("colibri.run.attempt", null, run.Attempt));
        Add("colibri.verdict", run.Verdict);
        if (isError)
            Add("error.type", run.Error?.Code ?? run.Verdict);
        List<Span> spans =
        [
            new Span { TraceId = trace, SpanId = own, Name = $"invoke_agent {agent}", Start = run.StartedAt, End = end > run.StartedAt ? end : run.StartedAt, IsError = isError, Attributes = attributes },
        ];
        foreach (var call in calls)
        {
            spans.Add(new Span
            {
                TraceId = trace,
                SpanId = NewId(),
                ParentId = own,
                Name = $"execute_tool {call.Name}",
                Start = call.Start,
                End = call.End,
                Attributes = [new("gen_ai.operation.name", "execute_tool"), new("gen_ai.tool.name", call.Name)],
            });
        }
        return spans;

        void Add(string name, string? text)
        {
            if (text is not null)
                attributes.Add(new(name, text));
        }
    }

    private static byte[]? Id(string? text, int bytes)
    {
        if (text?.Length != bytes * 2)
            return null;
        var id = new byte[bytes];
        for (var i = 0; i < bytes; i++)
        {
            if (!byte.TryParse(text.AsSpan(2 * i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out id[i]))
                return null;
        }
        return Array.TrueForAll(id, part => part == 0) ? null : id;
    }

    // Bytes of a version 4 UUID, without those that hold its version and its variant. The class library makes them without OpenSSL.
    private static byte[] NewId()
    {
        System.Span<byte> uuid = stackalloc byte[16];
        _ = Guid.NewGuid().TryWriteBytes(uuid);
        const int half = SpanBytes / 2;
        var id = new byte[SpanBytes];
        uuid[..half].CopyTo(id);
        uuid[^half..].CopyTo(id.AsSpan(half));
        return id;
    }
}
