using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Colibri.Protocol.Wire;

namespace Colibri.Protocol.Json;

/// <summary>
/// Source-generated serialisation of everything that crosses the socket or lies in a session log. Metadata alone: generated writers are used only
/// with default options, and ours are not (text stays readable).
/// </summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Metadata,
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(TimestampConverter)])]
[JsonSerializable(typeof(CommandRequest))]
[JsonSerializable(typeof(Nothing))]
[JsonSerializable(typeof(StatusReport))]
[JsonSerializable(typeof(Snapshot))]
[JsonSerializable(typeof(MetricsReport))]
[JsonSerializable(typeof(BoardTask))]
[JsonSerializable(typeof(TaskList))]
[JsonSerializable(typeof(RunList))]
[JsonSerializable(typeof(Agent))]
[JsonSerializable(typeof(AgentList))]
[JsonSerializable(typeof(KindList))]
[JsonSerializable(typeof(SessionEntry))]
[JsonSerializable(typeof(SessionEntries))]
[JsonSerializable(typeof(SessionList))]
[JsonSerializable(typeof(AppendReceipt))]
[JsonSerializable(typeof(Compaction))]
[JsonSerializable(typeof(AssembledPrompt))]
[JsonSerializable(typeof(PromptMessage))]
[JsonSerializable(typeof(Skill))]
[JsonSerializable(typeof(SkillList))]
[JsonSerializable(typeof(Tenant))]
[JsonSerializable(typeof(TenantList))]
[JsonSerializable(typeof(IntakeReceipt))]
[JsonSerializable(typeof(FollowedSession))]
[JsonSerializable(typeof(Subscription))]
[JsonSerializable(typeof(CostState))]
[JsonSerializable(typeof(CostSummary))]
[JsonSerializable(typeof(BudgetState))]
[JsonSerializable(typeof(QueueAnswer))]
[JsonSerializable(typeof(SettingsChange))]
[JsonSerializable(typeof(DoctorReport))]
[JsonSerializable(typeof(PruneReport))]
[JsonSerializable(typeof(InboxReport))]
[JsonSerializable(typeof(ChangeAnswer))]
[JsonSerializable(typeof(ScheduleAnswer))]
[JsonSerializable(typeof(ScheduleList))]
[JsonSerializable(typeof(TaskTemplate))]
[JsonSerializable(typeof(NoticeList))]
[JsonSerializable(typeof(SinkReport))]
[JsonSerializable(typeof(SinkMessage))]
[JsonSerializable(typeof(NoticeDigest))]
[JsonSerializable(typeof(Event))]
[JsonSerializable(typeof(WireError))]
[JsonSerializable(typeof(Usage))]
[JsonSerializable(typeof(JsonElement))]
public sealed partial class ProtocolJson : JsonSerializerContext
{
    /// <summary>
    /// The context to use: text stays readable (<c>é</c>, <c>&lt;</c>, <c>'</c> are not escaped), since a line goes to a terminal or a
    /// program, never into a web page.
    /// </summary>
    public static ProtocolJson Wire { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Converters = { new TimestampConverter() },
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
