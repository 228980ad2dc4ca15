using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Transports;
using Colibri.Core.Panes;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;
using Colibri.UnitTests.Jsonl;
using Colibri.UnitTests.Panes;

namespace Colibri.UnitTests.Agents.Transports;

/// <summary>
/// A recorded dialogue of a client and an agent, played in the order in which it was recorded: the agent's lines are fed to the pane, and what the
/// client said then must be said by the transport too.
/// </summary>
internal sealed class Dialogue : ITransportSite
{
    public static readonly string Folder = Path.Combine(Recordings.Folder, "dialogues");

    private readonly ConcurrentQueue<string> _said = new();
    private readonly Lock _feeding = new();
    private readonly IAgentTransport _transport;
    private readonly Access? _access;
    private readonly Func<int> _chunk;
    private Task<string?> _cancelled = Task.FromResult<string?>(null);

    /// <param name="kind">The agent's kind.</param>
    /// <param name="transport">How it is spoken to.</param>
    /// <param name="access">What its runs may do.</param>
    /// <param name="earlier">The session that it is to take up.</param>
    /// <param name="chunk">How many bytes the next chunk has.</param>
    public Dialogue(string kind, Transport transport, Access? access, string? earlier = null, Func<int>? chunk = null)
    {
        var profile = AgentProfiles.For(kind, null).Over(transport);
        _transport = transport == Transport.Acp
            ? new AcpTransport(profile.AcpManners, this, TimeProvider.System)
            : new DuplexTransport(profile.Dialect, profile.DuplexManners, this, TimeProvider.System);
        (_access, _chunk) = (access, chunk ?? (static () => int.MaxValue));
        _transport.Prepare(new ConversationWish("/home/operator/project") { Access = access, Earlier = earlier });
        Pane = new AgentPane(new PaneIdentity("id-1", kind, kind), _transport.Dialect, new StoppedClock(), keepsWords: true);
        _ = _transport.Input.PumpAsync(line =>
        {
            _said.Enqueue(Encoding.UTF8.GetString(line.Span).TrimEnd());
            return Task.CompletedTask;
        });
    }

    public static IEnumerable<string> Names() => Directory.GetFiles(Folder, "*.order").Select(path => Path.GetFileNameWithoutExtension(path)).Order(StringComparer.Ordinal);

    public AgentPane Pane { get; }

    public ListTranscript Transcript { get; } = new();

    /// <summary>The files that the agent had written.</summary>
    public List<string> Written { get; } = [];

    public void Poke()
    {
        lock (_feeding)
            Transcript.Take(Pane.Tell());
    }

    public Task<string?> WriteFileAsync(string path, string text)
    {
        Written.Add(path);
        return Task.FromResult<string?>(null);
    }

    public Task<string?> FirstOutsideAsync(IReadOnlyList<string> paths) =>
        Task.FromResult(paths.FirstOrDefault(path => !path.StartsWith("/home/operator/project/", StringComparison.Ordinal)));

    public string ClientVersion => "1.0.0";

    public string Redact(string words) => words;

    public void EndUnread(string why) => throw new InvalidOperationException(why);

    public Task Watched(string what, Task work) => work;

    /// <summary>Plays it.</summary>
    /// <returns>What the agent confirmed of a cancelled run.</returns>
    public async Task<string?> PlayAsync(string name)
    {
        var order = (await File.ReadAllTextAsync(Path.Combine(Folder, name + ".order"))).Trim();
        var client = new Queue<byte[]>(Recordings.Lines(Path.Combine("dialogues", name + ".stdin")));
        var agent = new Queue<byte[]>(Recordings.Lines(Path.Combine("dialogues", name)));
        var opening = _transport.OpenAsync();
        foreach (var side in order)
        {
            if (side == '>')
                await SayAsync(Encoding.UTF8.GetString(client.Dequeue()), opening);
            else
                Feed([.. agent.Dequeue(), (byte)'\n']);
        }
        while (agent.TryDequeue(out var rest))
            Feed([.. rest, (byte)'\n']);
        lock (_feeding)
            Transcript.Take(Pane.Complete());
        _said.ShouldBeEmpty("the client said nothing else");
        return await _cancelled;
    }

    private async Task SayAsync(string recorded, Task<Opening> opening)
    {
        using var line = JsonDocument.Parse(recorded);
        var said = line.RootElement;
        if (Text(said, "method") == "session/prompt" || Text(said, "type") == "user")
        {
            (await opening).Problem.ShouldBeNull();
            var words = said.TryGetProperty("params", out var parameters) ? parameters.GetProperty("prompt")[0].GetProperty("text") : said.GetProperty("message").GetProperty("content");
            (await _transport.PromptAsync(words.GetString()!)).ShouldBe(RpcReply.Taken);
        }
        else if (Text(said, "method") == "session/cancel" || recorded.Contains("\"interrupt\"", StringComparison.Ordinal))
        {
            _cancelled = _transport.CancelAsync(TimeSpan.FromSeconds(20));
        }
        else if (Option(said) is { } option && Pane.Question is { } question && _said.IsEmpty)
        {
            Pane.TryAnswer(question.Request).ShouldBeTrue();
            _transport.TryAnswer(question, option).ShouldBeTrue();
        }
        string? ours = null;
        SpinWait.SpinUntil(() => _said.TryDequeue(out ours), TimeSpan.FromSeconds(20)).ShouldBeTrue($"nothing was said where the client said {recorded}");
        using var sent = JsonDocument.Parse(ours!);
        Comparable(sent.RootElement).ShouldBe(Comparable(said));
    }

    // The answer to a permission: by the option's id, or by yes and no.
    private static QuestionAnswer? Option(JsonElement said)
    {
        if (said.TryGetProperty("result", out var result) && result.ValueKind == JsonValueKind.Object && result.TryGetProperty("outcome", out var outcome))
            return Text(outcome, "optionId") is { } id ? new QuestionAnswer(id, null) : null;
        return said.TryGetProperty("response", out var response) && response.TryGetProperty("response", out var inner) && Text(inner, "behavior") is { } behavior
            ? new QuestionAnswer(null, behavior == "allow") : null;
    }

    // Ids of our own, our version and the words of an error are ours to choose.
    private static string Comparable(JsonElement line)
    {
        var shown = new SortedDictionary<string, string>(StringComparer.Ordinal);
        Add(line, "");
        return string.Join('\n', shown.Select(field => $"{field.Key}={field.Value}"));

        void Add(JsonElement value, string path)
        {
            if (path is ".params.clientInfo.version" or ".error.message" or ".response.response.message" || (path == ".request_id" && line.TryGetProperty("request", out _)))
                return;
            if (path == ".request.hooks")
                return;
            if (value.ValueKind == JsonValueKind.Object)
                foreach (var property in value.EnumerateObject())
                    Add(property.Value, $"{path}.{property.Name}");
            else
                shown[path] = value.GetRawText();
        }
    }

    private static string? Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Object && value.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private void Feed(ReadOnlySpan<byte> line)
    {
        while (!line.IsEmpty)
        {
            var size = Math.Min(_chunk(), line.Length);
            lock (_feeding)
                Transcript.Take(Pane.Feed(line[..size]));
            line = line[size..];
        }
    }
}
