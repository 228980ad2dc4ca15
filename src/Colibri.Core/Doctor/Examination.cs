using System.Globalization;
using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Scheduling;
using Colibri.Core.Settings;
using Colibri.Posix.Spawning;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Doctor;

/// <summary>
/// Looks at everything around the daemon that agents and workspaces need. Nothing is changed. All looks begin at once, each is bounded, and one that
/// hangs delays its own lines alone. Who asks while an examination is under way gets its result.
/// </summary>
public sealed class Examination
{
    /// <summary>How long an examination takes at most; what is not finished by then is told as such.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(25);

    private const int MaxName = 100;
    private const int MaxMessage = 500;
    private const int MaxFix = 700;

    private readonly ExaminationParts _parts;
    private readonly TimeSpan _limit;
    private readonly IReadOnlyList<Func<IEnumerable<Look>>> _looks;
    private readonly Lock _gate = new();
    private readonly HashSet<string> _underWay = [];
    private Task<DoctorReport>? _running;

    /// <summary>The daemon's own.</summary>
    public Examination(ExaminationParts parts)
        : this(parts, Limit, null)
    {
    }

    internal Examination(ExaminationParts parts, TimeSpan limit, Func<IEnumerable<Look>>? looks)
    {
        ArgumentNullException.ThrowIfNull(parts);
        (_parts, _limit) = (parts, limit);
        var probe = new ProgramProbe(parts.Processes, parts.Time, parts.Logger);
        var git = new GitLook(parts, probe);
        _looks = looks is not null
            ? [looks]
            :
            [
                new AgentChecks(parts, probe).Looks, new WorkspaceChecks(parts, git).Looks, new TenantChecks(parts).Looks, new GitChecks(parts, git).Looks, new HostChecks(parts).Looks,
                new FileChecks(parts).Looks,
            ];
    }

    /// <summary>Every check, redacted; or the result of the examination that is under way.</summary>
    public Task<DoctorReport> RunAsync()
    {
        lock (_gate)
            return _running is { IsCompleted: false } ? _running : _running = Task.Run(ExamineAsync);
    }

    private async Task<DoctorReport> ExamineAsync()
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(_parts.Stopping);
        List<(Look Look, Task<IReadOnlyList<DoctorCheck>> Checks)> started = [.. _looks.SelectMany(looks => looks()).Select(look => (look, Start(look, over.Token)))];
        var all = Task.WhenAll(started.Select(one => one.Checks));
        await Task.WhenAny(all, Task.Delay(_limit, _parts.Time, over.Token)).ConfigureAwait(false);
        // Ends the programs that still run.
        await over.CancelAsync().ConfigureAwait(false);
        var checks = new List<DoctorCheck>();
        foreach (var (look, found) in started)
            checks.AddRange(found.IsCompletedSuccessfully ? await found.ConfigureAwait(false) : [Unfinished(look)]);
        return new DoctorReport([.. checks.Select(Shown)]);
    }

    private Task<IReadOnlyList<DoctorCheck>> Start(Look look, CancellationToken over)
    {
        lock (_gate)
        {
            // A thread hangs in it: a further one would hang beside it.
            if (!_underWay.Add(look.Key))
                return Task.FromResult<IReadOnlyList<DoctorCheck>>([new DoctorCheck(look.Group, look.Name, DoctorState.Warning, "an earlier look at it has not come back: a file system that does not answer?")]);
        }
        var checks = Task.Run(() => LookAsync(look, over), CancellationToken.None);
        _ = Background.Run(_parts.Logger, $"looking at {look.Key}", checks);
        return checks;
    }

    private async Task<IReadOnlyList<DoctorCheck>> LookAsync(Look look, CancellationToken over)
    {
        try
        {
            return await look.Run(over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return [Unfinished(look)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [new DoctorCheck(look.Group, look.Name, DoctorState.Warning, $"it cannot be looked at: {e.Message}")];
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            _parts.Logger.UnexpectedFailure($"looking at {look.Key}", e);
            return [new DoctorCheck(look.Group, look.Name, DoctorState.Warning, "the look failed in the daemon; its log says how")];
        }
        finally
        {
            lock (_gate)
                _underWay.Remove(look.Key);
        }
    }

    private DoctorCheck Unfinished(Look look) => new(
        look.Group, look.Name, DoctorState.Warning,
        _parts.Stopping.IsCancellationRequested
            ? "it was not looked at: the daemon is stopping"
            : string.Create(CultureInfo.InvariantCulture, $"the look at it was not finished within {_limit.TotalSeconds:0.###} s"));

    // Programs' words and paths are anybody's: they go out redacted, on one line, and without what a terminal acts on.
    private DoctorCheck Shown(DoctorCheck check) => check with
    {
        Name = _parts.Secrets.Name(check.Name, MaxName),
        Message = _parts.Secrets.Name(check.Message, MaxMessage),
        Fix = check.Fix is null ? null : _parts.Secrets.Name(check.Fix, MaxFix),
    };
}

/// <summary>One look: what it is about, and how it is done.</summary>
/// <param name="Group">As <see cref="DoctorCheck.Group"/>.</param>
/// <param name="Name">The name of a line about its failure.</param>
/// <param name="Run">Finds the lines.</param>
internal sealed record Look(string Group, string Name, Func<CancellationToken, Task<IReadOnlyList<DoctorCheck>>> Run)
{
    public Look(string group, string name, Action<Finding> find)
        : this(group, name, _ => Task.FromResult(Found(group, name, find)))
    {
    }

    /// <summary>No two looks of an examination share it.</summary>
    public string Key => $"{Group}/{Name}";

    private static IReadOnlyList<DoctorCheck> Found(string group, string name, Action<Finding> find)
    {
        var finding = new Finding(group, name);
        find(finding);
        return finding.Checks;
    }
}

/// <summary>What an examination looks at and with.</summary>
public sealed record ExaminationParts
{
    /// <summary>What is in force.</summary>
    public required Func<ColibriSettings> Settings { get; init; }

    /// <summary>Reads file and environment anew; null where the settings are fixed.</summary>
    public Func<SettingsReading>? Reread { get; init; }

    /// <summary>The daemon's own variables.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }

    /// <summary>The agents that the scheduler may start.</summary>
    public required Func<IReadOnlyList<AgentCandidate>> Candidates { get; init; }

    /// <summary>The agent that is kept; null where none is.</summary>
    public SpawnRequest? Resident { get; init; }

    /// <summary>Those that are registered.</summary>
    public Func<IReadOnlyList<Tenant>> Tenants { get; init; } = static () => [];

    public required ProgramPath Programs { get; init; }
    public required ChildProcesses Processes { get; init; }

    /// <summary>How an agent would be confined; throws <see cref="SpawnRefusedException"/> where it cannot be.</summary>
    public required Func<SpawnRequest, Task<ConfinementPlan?>> Plan { get; init; }

    /// <summary>The keys that agents get, and that are redacted.</summary>
    public Secrets Secrets { get; init; } = Secrets.None;

    /// <summary>The agents' cgroups, as <c>status</c> has them; null on a system without.</summary>
    public Func<StatusCgroup?> Cgroup { get; init; } = static () => null;

    /// <summary>Why limits of memory are kept by a look each second; null where the kernel keeps them.</summary>
    public Func<string?> WhyMemoryIsLookedAt { get; init; } = static () => null;

    /// <summary>Why limits of processes are not kept; null where the kernel keeps them.</summary>
    public Func<string?> WhyProcessesAreNotLimited { get; init; } = static () => null;

    /// <summary>The daemon's files that are not as they should be, as <c>status</c> has them.</summary>
    public Func<IReadOnlyList<StatusFile>?> Files { get; init; } = static () => null;

    /// <summary>Descriptors that the daemon wants.</summary>
    public long OpenFilesWanted { get; init; }

    /// <summary>The daemon's version and process, in words.</summary>
    public string Daemon { get; init; } = "colibri-daemon";

    /// <summary>What programs said of themselves; null asks each anew.</summary>
    public ProgramVersions? Versions { get; init; }

    public DoctorHost Host { get; init; } = new();
    public required TimeProvider Time { get; init; }
    public required ILogger Logger { get; init; }

    /// <summary>The daemon stops.</summary>
    public CancellationToken Stopping { get; init; }

    /// <summary>What agents inherit; null for this process's environment.</summary>
    internal AgentEnvironment? AgentEnvironment { get; init; }

    /// <summary>A variable of the daemon's; null where it is not set or empty.</summary>
    internal string? Variable(string name) => Environment.TryGetValue(name, out var value) && value.Length > 0 ? value : null;
}
