using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Settings;
using Colibri.Protocol;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Scheduling;

/// <summary>The kinds of agents for the wire: what Colibri knows of each, where it is installed, and which profiles use it.</summary>
/// <param name="programs">Finds the programs.</param>
/// <param name="versions">Knows what they said of themselves.</param>
/// <param name="candidates">The agents that the scheduler may start.</param>
public sealed class KindsView(ProgramPath programs, ProgramVersions versions, Func<IReadOnlyList<AgentCandidate>> candidates)
{
    /// <summary>How long an answer waits for versions that are not known yet.</summary>
    private static readonly TimeSpan Patience = ProgramVersions.Deadline + TimeSpan.FromSeconds(2);

    /// <summary>Every kind but <c>local</c>, or one.</summary>
    /// <param name="name">The one; null for all.</param>
    public async Task<KindList> ReadAsync(string? name)
    {
        using var limit = new CancellationTokenSource(Patience);
        var profiles = candidates().Where(candidate => candidate.Profile is not null).ToList();
        var reports = AgentProfiles.Startable.Where(kind => name is null || kind.Name == name).Select(kind => ReportAsync(kind, profiles, limit.Token));
        return new KindList(await Task.WhenAll(reports).ConfigureAwait(false));
    }

    private async Task<KindReport> ReportAsync(AgentProfile kind, IEnumerable<AgentCandidate> profiles, CancellationToken over)
    {
        var row = Runtimes.Kinds.First(known => known.Name == kind.Name);
        // A program that happens to bear the name of a kind of any program is not executed for its version.
        var path = row.NeedsBinary ? null : programs.Find(kind.ProgramName);
        var told = await VersionAsync(path, kind, over).ConfigureAwait(false);
        var own = profiles.Where(candidate => AgentProfiles.For(candidate.Template.Runtime, candidate.Template.Binary).Name == kind.Name);
        return new KindReport
        {
            Name = kind.Name,
            Title = row.Title,
            DocumentedOnly = row.IsDocumentedOnly ? true : null,
            Program = kind.ProgramName,
            Path = path,
            Version = told?.Version,
            Problem = path is not null ? told?.WhyNot : row.NeedsBinary ? null : programs.WhyNot(kind.ProgramName),
            Transports = Transports(kind),
            Arguments = kind.TaskArguments,
            Tells = new KindTold(Word(kind.Tells.Usage), Word(kind.Cost), kind.Tells.Turns, kind.Tells.Refusals, kind.Tells.TokenLimit, kind.Tells.Failures),
            Can = Can(kind),
            Access = [.. Enum.GetValues<Access>().Select(access => new KindAccess(ToldAccess.Word(access), kind.Rights.Holds(access), kind.Rights.Words(access)))],
            AccessOver = AccessOver(kind) is { Count: > 0 } others ? others : null,
            Profiles = await Task.WhenAll(own.Select(candidate => ProfileAsync(kind, candidate, over))).ConfigureAwait(false),
        };
    }

    private async Task<KindProfile> ProfileAsync(AgentProfile kind, AgentCandidate candidate, CancellationToken over)
    {
        var (request, told) = (candidate.Template, ToldAccess.Of(candidate.Template));
        var path = request.Jail is null ? programs.Find(request.Binary) : null;
        // A program that is stated by its path is what the operator says it is.
        var version = await VersionAsync(path, request.IsOfKind ? kind : kind with { Recognises = null }, over).ConfigureAwait(false);
        return new KindProfile
        {
            Name = candidate.Name,
            Binary = request.Binary == kind.ProgramName ? null : request.Binary,
            Path = path,
            Version = version?.Version,
            Access = told.Access is { } access ? ToldAccess.Word(access) : null,
            Problem = told.Refusal ?? version?.WhyNot ?? told.Warning,
        };
    }

    private async Task<ProgramVersion?> VersionAsync(string? path, AgentProfile kind, CancellationToken over)
    {
        if (path is null)
            return null;
        try
        {
            return versions.Judge(kind, await versions.AskAsync(path, kind, over).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            return null;
        }
    }

    private static IReadOnlyList<string> Transports(AgentProfile kind) => [.. kind.Transports.Select(TransportNames.Of)];

    // A kind that asks for permissions is held by the answers, and elsewhere by its own flags or by nothing.
    private static IReadOnlyList<KindAccessOver> AccessOver(AgentProfile kind) =>
    [
        .. from transport in kind.Transports
           let there = kind.Over(transport).Rights
           from access in Enum.GetValues<Access>()
           where there.Holds(access) != kind.Rights.Holds(access) || there.Words(access) != kind.Rights.Words(access)
           select new KindAccessOver(TransportNames.Of(transport), ToldAccess.Word(access), there.Holds(access), there.Words(access)),
    ];

    private static IReadOnlyList<string> Can(AgentProfile kind)
    {
        var isAnswered = kind.AcpArguments is not null || kind.DuplexArguments is not null;
        return
        [
            .. kind.ResumeArguments is null && kind.AcpArguments is null ? (string[])[] : ["resume"],
            .. kind.Commands?.Steer is null && kind.DuplexArguments is null ? (string[])[] : ["steer"],
            .. isAnswered || kind.AsksByRpc ? (string[])["answer"] : [],
            .. isAnswered ? (string[])["cancel"] : [],
        ];
    }

    private static string Word(UsageReporting usage) => usage switch
    {
        UsageReporting.Live => "live",
        UsageReporting.AtItsEnd => "at-its-end",
        UsageReporting.InAFile => "in-a-file",
        _ => "never",
    };

    private static string Word(CostReport cost) => cost switch
    {
        CostReport.Live => "live",
        CostReport.AtItsEnd => "at-its-end",
        _ => "never",
    };
}
