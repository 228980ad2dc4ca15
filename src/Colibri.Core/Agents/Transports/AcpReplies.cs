using Colibri.Jsonl;

namespace Colibri.Core.Agents.Transports;

/// <summary>What agents answer while a conversation is opened. These lines are few, and some are long.</summary>
internal static class AcpReplies
{
    private const int MaxListed = 256;
    private const int MaxText = 256;

    private static readonly JsonFields Result = new("result");
    private static readonly JsonFields Offer = new JsonFields("protocolVersion", "agentCapabilities", "authMethods").With("agentCapabilities", new("loadSession"));
    private static readonly JsonFields Session = new("sessionId", "modes", "models", "configOptions");
    private static readonly JsonFields Modes = new("currentModeId", "availableModes");
    private static readonly JsonFields Models = new("currentModelId");
    private static readonly JsonFields Option = new("id", "currentValue");
    private static readonly JsonFields Id = new("id");

    public static AcpOffer ReadOffer(ReadOnlyMemory<byte> reply)
    {
        var line = reply.Span;
        Span<JsonValue> fields = stackalloc JsonValue[4];
        ReadResult(line, Offer, fields);
        return new AcpOffer(fields[0].Int64OrZero(line), fields[3].Kind == ValueKind.True, Ids(line, fields[2]));
    }

    public static string? ReadSession(ReadOnlyMemory<byte> reply)
    {
        var line = reply.Span;
        Span<JsonValue> fields = stackalloc JsonValue[4];
        ReadResult(line, Session, fields);
        return fields[0].GetString(line) is { Length: > 0 and <= MaxText } session ? session : null;
    }

    public static AcpChoices ReadChoices(ReadOnlyMemory<byte> reply)
    {
        var line = reply.Span;
        Span<JsonValue> fields = stackalloc JsonValue[4];
        ReadResult(line, Session, fields);
        Span<JsonValue> modes = stackalloc JsonValue[2];
        Modes.TryRead(line, fields[1], modes);
        Span<JsonValue> option = stackalloc JsonValue[2];
        Models.TryRead(line, fields[2], option);
        var (model, choice) = (option[0].GetString(line), (string?)null);
        var options = new JsonElements(line, fields[3]);
        while (model is null && options.Next())
        {
            if (Option.TryRead(line, options.Current, option) && option[0].StringEquals(line, "model"u8))
                (model, choice) = (option[1].GetString(line), "model");
        }
        return new AcpChoices(modes[0].GetString(line), Ids(line, modes[1]), model, choice);
    }

    private static void ReadResult(ReadOnlySpan<byte> line, JsonFields of, Span<JsonValue> fields)
    {
        Span<JsonValue> result = stackalloc JsonValue[1];
        Result.TryRead(line, result);
        of.TryRead(line, result[0], fields);
    }

    private static List<string> Ids(ReadOnlySpan<byte> line, JsonValue list)
    {
        List<string> ids = [];
        Span<JsonValue> id = stackalloc JsonValue[1];
        var elements = new JsonElements(line, list);
        while (ids.Count < MaxListed && elements.Next())
        {
            if (Id.TryRead(line, elements.Current, id) && id[0].GetString(line) is { Length: <= MaxText } text)
                ids.Add(text);
        }
        return ids;
    }
}

/// <summary>What an agent offers.</summary>
/// <param name="Version">The version of the protocol that it will speak.</param>
/// <param name="LoadsSessions">It can take up an earlier session.</param>
/// <param name="AuthMethods">The ids of its ways to sign in.</param>
internal sealed record AcpOffer(long Version, bool LoadsSessions, IReadOnlyList<string> AuthMethods);

/// <summary>What can be chosen in a session.</summary>
/// <param name="Mode">The present mode; null where it has none.</param>
/// <param name="Modes">The ids of all modes.</param>
/// <param name="Model">The present model; null where it is not told.</param>
/// <param name="ModelOption">The option that chooses it; null where a request of its own does.</param>
internal sealed record AcpChoices(string? Mode, IReadOnlyList<string> Modes, string? Model, string? ModelOption);
