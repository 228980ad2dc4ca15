using System.Text;
using System.Text.Json;
using Colibri.Core.Cost;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Sessions.Prompts;

/// <summary>
/// Makes prompts of three regions: the prefix, which is always the same; the session's live generation; scratch, which belongs to this prompt
/// alone. While a session is neither compacted nor trimmed, its next prompt repeats the bytes of the one before up to the append. Scratch
/// stands last and is dropped first, so that the part before it stays what the provider has cached.
/// </summary>
public sealed class PromptAssembler(SessionStore sessions, CostControl cost, PromptPrefix prefix)
{
    // A rule of thumb: every model counts tokens in another way.
    private const int BytesPerToken = 4;

    private readonly PromptMessage _prefix = new("system", prefix.Text);

    public PromptPrefix Prefix => prefix;

    /// <summary>Null where there is no such session.</summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="scratch">Words for the prompt's end; dropped first where there is no room.</param>
    /// <exception cref="ArgumentException">The id is not one (<see cref="SessionId"/>).</exception>
    public AssembledPrompt? Assemble(string sessionId, string? scratch) => Assemble(sessionId, scratch, cost.Limits.SessionMaxBytes);

    /// <summary>
    /// A session's prompt as one text that ends in <paramref name="prompt"/>, for an agent that takes no messages.
    /// </summary>
    /// <param name="sessionId">The session.</param>
    /// <param name="prompt">What the agent is to do.</param>
    /// <param name="maxBytes">Bound of the whole text in UTF-8; the prefix and the prompt itself are never cut.</param>
    /// <param name="skills">Those that the task asks for: they stand behind the prefix and are never cut.</param>
    /// <returns>The prompt behind the skills alone where the session has no entries, or where even the prefix would not fit.</returns>
    public string Introduce(string sessionId, string prompt, long maxBytes, IReadOnlyList<Skill>? skills = null)
    {
        var told = SkillWords.Of(skills ?? []);
        var room = Math.Min(maxBytes - Encoding.UTF8.GetByteCount(prompt) - Encoding.UTF8.GetByteCount(told) - 16, cost.Limits.SessionMaxBytes);
        // A message's heading is shorter than its JSON, so the text is never longer than the counted size of the messages.
        if (room < prefix.Bytes || Assemble(sessionId, null, room) is not { Messages.Count: > 1 } assembled)
            return SkillWords.Before(prompt, skills ?? []);
        var text = new StringBuilder(prefix.Text);
        if (told.Length > 0)
            text.Append("\n\n").Append(told);
        foreach (var message in assembled.Messages.Skip(1))
            text.Append("\n\n[").Append(message.Role).Append("]\n").Append(message.Content);
        // A NUL would silently end an argument.
        return text.Append("\n\n[task]\n").Append(prompt).Replace('\0', '\uFFFD').ToString();
    }

    private AssembledPrompt? Assemble(string sessionId, string? scratch, long maxBytes)
    {
        if (sessions.Read(sessionId, all: false) is not { } session)
            return null;
        var log = session.Entries.Select(MessageOf).OfType<PromptMessage>().ToList();
        var sizes = log.ConvertAll(SizeOf);
        var end = string.IsNullOrEmpty(scratch) ? null : new PromptMessage("user", scratch);
        // Each message but the first brings a comma, the array its two brackets.
        var total = 2 + SizeOf(_prefix) + sizes.Sum(size => size + 1) + (end is null ? 0 : SizeOf(end) + 1);
        var trimmed = 0;
        if (end is not null && total > maxBytes)
        {
            total -= SizeOf(end) + 1;
            (end, trimmed) = (null, 1);
        }
        var first = 0;
        for (; first < log.Count && total > maxBytes; first++)
            total -= sizes[first] + 1;
        IReadOnlyList<PromptMessage> messages = [_prefix, .. log[first..], .. end is null ? [] : new[] { end }];
        return new AssembledPrompt
        {
            SessionId = sessionId,
            Messages = messages,
            PrefixSha256 = prefix.Sha256,
            TotalBytes = total,
            EstimatedTokens = (total + BytesPerToken - 1) / BytesPerToken,
            Trimmed = trimmed + first,
        };
    }

    /// <summary>The entry as a message; null for an entry without text, and for an escalation, which does not concern the model.</summary>
    private static PromptMessage? MessageOf(SessionEntry entry) => entry switch
    {
        { Text: null } => null,
        { Kind: SessionEntryKind.User } => new PromptMessage("user", entry.Text),
        { Kind: SessionEntryKind.Assistant } => new PromptMessage("assistant", entry.Text),
        { Kind: SessionEntryKind.ToolResult } => new PromptMessage("tool", $"{entry.Tool ?? "tool"}{(entry.IsError is true ? " failed" : "")}:\n{entry.Text}"),
        { Kind: SessionEntryKind.ToolCall } => new PromptMessage("assistant", $"calls {entry.Tool ?? "tool"}:\n{entry.Text}"),
        { Kind: SessionEntryKind.Question } => new PromptMessage("assistant", $"asks:\n{entry.Text}"),
        { Kind: SessionEntryKind.Answer } => new PromptMessage("user", $"answers: {entry.Text}"),
        { Kind: SessionEntryKind.Compaction } => new PromptMessage("user", entry.Text),
        { Kind: SessionEntryKind.Note } => new PromptMessage("user", $"Note: {entry.Text}"),
        _ => null,
    };

    private static long SizeOf(PromptMessage message) => JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Wire.PromptMessage).Length;
}
