using System.Text.Json.Serialization;

namespace Colibri.Web.Api;

/// <summary>Source-generated serialisation of what browsers send and get. The default encoder escapes what could end a script.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ActionRequest))]
[JsonSerializable(typeof(ActionReply))]
[JsonSerializable(typeof(Happened))]
[JsonSerializable(typeof(ChartData))]
internal sealed partial class WebJson : JsonSerializerContext;

/// <summary>The fields of all actions. Which of them one takes is in <see cref="ActionApi"/>.</summary>
internal sealed record ActionRequest
{
    public string? TaskId { get; init; }
    public string? AgentId { get; init; }
    public string? Request { get; init; }
    public string? Value { get; init; }
    public bool? Confirmed { get; init; }
    public bool? Cancelled { get; init; }
    public string? Feedback { get; init; }
    public string? Provider { get; init; }
    public string? Agent { get; init; }
    public string? Workspace { get; init; }
    public string? Action { get; init; }
}

/// <param name="Ok">Whether it was done.</param>
/// <param name="Code">Why not, for programs.</param>
/// <param name="Message">Why not, in one line.</param>
internal sealed record ActionReply(bool Ok, string? Code = null, string? Message = null);

/// <param name="All">Anything may have changed: the page was told too little.</param>
/// <param name="Changed">The topics that have changed.</param>
internal sealed record Happened(bool All, string[] Changed);

/// <param name="Times">Seconds since 1970, in order.</param>
/// <param name="Series">One value for each time.</param>
internal sealed record ChartData(long[] Times, ChartSeries[] Series);

/// <param name="Name">What it is of.</param>
/// <param name="Values">In dollars, or a number of agents.</param>
internal sealed record ChartSeries(string Name, double[] Values);
