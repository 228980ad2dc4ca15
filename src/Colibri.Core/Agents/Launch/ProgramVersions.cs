using Colibri.Core.Agents.Kinds;
using Colibri.Core.Logging;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Agents.Launch;

/// <summary>
/// What the programs of agents answer to <c>--version</c>. Each file is asked once, in the background, at the first sight of it, and without keys. No start
/// waits for the answer. An answer that says nothing good is asked for again at a later sight: what the program wants may be there by then.
/// </summary>
public sealed class ProgramVersions
{
    /// <summary>How many programs are remembered.</summary>
    public const int MaxPrograms = 64;

    /// <summary>How long a program may take to answer.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    /// <summary>How long an answer that says nothing good holds.</summary>
    public static readonly TimeSpan AskAgain = TimeSpan.FromMinutes(1);

    private const int MaxVersion = 80;
    private const int MaxWhy = 160;

    private readonly ProgramProbe _probe;
    private readonly Func<AgentProfile, string, EnvironmentBlock> _environment;
    private readonly Secrets _secrets;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationToken _stopping;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Asked> _asked = new(StringComparer.Ordinal);

    /// <param name="processes">Starts the programs.</param>
    /// <param name="environment">What an agent of the kind would find, without keys, by kind and program.</param>
    /// <param name="secrets">What is redacted in their answers.</param>
    /// <param name="time">The clock of the deadline.</param>
    /// <param name="logger">Logs programs that are something else.</param>
    /// <param name="stopping">Ends those that are being asked.</param>
    internal ProgramVersions(
        ChildProcesses processes, Func<AgentProfile, string, EnvironmentBlock> environment, Secrets secrets, TimeProvider time, ILogger logger, CancellationToken stopping)
    {
        (_probe, _environment, _secrets, _time, _logger, _stopping) = (new ProgramProbe(processes, time, logger), environment, secrets, time, logger, stopping);
    }

    /// <summary>A program was told apart that had not been, or turned out to be right after all. Raised without a lock; it must not block.</summary>
    public event Action? Changed;

    /// <summary>
    /// What is known of a program now; null before its first answer. It is asked in the background where it is new, where its file has changed, or
    /// where an answer that says nothing good is old.
    /// </summary>
    /// <param name="path">Absolute.</param>
    /// <param name="kind">The kind that it is to be.</param>
    public ProgramVersion? See(string path, AgentProfile kind)
    {
        ArgumentNullException.ThrowIfNull(kind);
        return EntryOf(path, kind, mayBeOld: true)?.Known is { } answer ? Judge(kind, answer) : null;
    }

    /// <summary>
    /// Why the program of a request on the host is another than its kind means, in words for a person; null where it is not, where nobody can tell yet, and
    /// where the request states which program it is.
    /// </summary>
    public string? WhyAnother(SpawnRequest request, ProgramPath programs)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(programs);
        if (!request.IsOfKind || programs.Find(request.Binary) is not { } path)
            return null;
        var kind = AgentProfiles.For(request.Runtime, request.Binary);
        return See(path, kind)?.WhyNot is { } why
            ? $"{path} is not the program of {kind.Name}: {why}; install the right one, or state where it is: binary = \"/PATH/{kind.ProgramName}\"" : null;
    }

    /// <summary>
    /// The version of a request's program as far as it is known now. The program that the search path has for the kind is asked at its first sight; any other
    /// may be anything, and is not executed for this.
    /// </summary>
    internal string? VersionOf(SpawnRequest request, string path)
    {
        var kind = AgentProfiles.For(request.Runtime, request.Binary);
        if (request.IsOfKind)
            return See(path, kind)?.Version;
        if (!request.IsNamedAsKind)
            return null;
        var stamp = FileStamp.Of(path);
        Asked? known;
        lock (_gate)
            known = _asked.GetValueOrDefault(path);
        return known?.Stamp == stamp && known.Known is { } answer ? Judge(kind with { Recognises = null }, answer).Version : null;
    }

    /// <summary>The answer of a program: the one that is known where it is good, else a new one.</summary>
    /// <exception cref="OperationCanceledException"><paramref name="over"/> came first.</exception>
    internal async Task<ProbeAnswer> AskAsync(string path, AgentProfile kind, CancellationToken over) =>
        EntryOf(path, kind, mayBeOld: false) is { } entry ? await entry.Answer.WaitAsync(over).ConfigureAwait(false) : new ProbeAnswer(null, "", "") { Problem = "it is not there" };

    /// <summary>The version, and why the program is something else than the kind.</summary>
    internal ProgramVersion Judge(AgentProfile kind, ProbeAnswer answer)
    {
        var why = WhyNot(kind, answer);
        return new ProgramVersion(why is null && answer.IsGood ? FirstLine(answer) : null, why);
    }

    // The file is looked at before the lock is taken.
    private Asked? EntryOf(string path, AgentProfile kind, bool mayBeOld)
    {
        var stamp = FileStamp.Of(path);
        if (stamp == default)
            return null;
        Asked entry;
        lock (_gate)
        {
            if (_asked.TryGetValue(path, out var known) && known.Stamp == stamp && (known.IsGood || !known.Answer.IsCompleted || (mayBeOld && _time.GetElapsedTime(known.At) < AskAgain)))
                return known;
            if (_asked.Count >= MaxPrograms && !_asked.ContainsKey(path))
                _asked.Remove(_asked.MinBy(other => other.Value.At).Key);
            _asked[path] = entry = new Asked(stamp, _time.GetTimestamp(), known?.Stamp == stamp ? known.Known : null);
        }
        _ = Background.Run(_logger, $"asking {path} for its version", Task.Run(() => FillAsync(path, kind, entry), CancellationToken.None));
        return entry;
    }

    private async Task FillAsync(string path, AgentProfile kind, Asked entry)
    {
        var answer = new ProbeAnswer(null, "", "");
        try
        {
            answer = await _probe.AskAsync(path, ["--version"], _environment(kind, path), _stopping, Deadline).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // The daemon stops: nothing is known of it.
        }
        finally
        {
            var before = entry.Earlier is { } earlier ? Judge(kind, earlier).WhyNot : null;
            var now = Judge(kind, answer).WhyNot;
            entry.Set(answer, isGood: answer.IsGood && now is null);
            if (now != before)
            {
                if (now is not null)
                    _logger.ProgramIsAnother(path, kind.Name, now);
                else
                    _logger.ProgramIsRight(path, kind.Name);
                Changed?.Invoke();
            }
        }
    }

    /// <summary>Why an answer is none of the kind's; null where it is one, where nobody has seen the kind answer, and where the program gave none.</summary>
    private string? WhyNot(AgentProfile kind, ProbeAnswer answer)
    {
        if (kind.Recognises is not { } recognises)
            return null;
        if (answer.IsFull)
            return $"it answers --version with more than {ProgramProbe.MaxBytes} bytes";
        if (answer is not { Problem: null, Exit.Code: { } code })
            return null;
        if (code != 0)
            return $"it answers --version with exit code {code}{(LastLine(answer) is { } line ? $": {_secrets.Name(line, MaxWhy)}" : "")}";
        var said = string.IsNullOrWhiteSpace(answer.Output) ? answer.Errors : answer.Output;
        // What a terminal acts on is no part of a version.
        return recognises(_secrets.Redact(said)) ? null
            : FirstLine(answer) is { } words ? $"it answers --version with '{words}'" : "it answers --version with nothing";
    }

    // Redacted as a whole first: an escape sequence may hold a newline.
    private string? FirstLine(ProbeAnswer answer) =>
        (Lines(answer.Output).FirstOrDefault() ?? Lines(answer.Errors).FirstOrDefault()) is { } line ? _secrets.Name(line, MaxVersion) : null;

    private string? LastLine(ProbeAnswer answer) => Lines(answer.Errors).LastOrDefault() ?? Lines(answer.Output).LastOrDefault();

    private string[] Lines(string text) => _secrets.Redact(text).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A file that was asked or is being asked.</summary>
    private sealed class Asked(FileStamp stamp, long at, ProbeAnswer? earlier)
    {
        private readonly TaskCompletionSource<ProbeAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public FileStamp Stamp => stamp;

        public long At => at;

        /// <summary>The answer of the same file before.</summary>
        public ProbeAnswer? Earlier => earlier;

        public Task<ProbeAnswer> Answer => _answer.Task;

        public ProbeAnswer? Known => _answer.Task.IsCompletedSuccessfully ? _answer.Task.Result : earlier;

        /// <summary>Whether the program has said what it is, so that it need not be asked again.</summary>
        public bool IsGood { get; private set; }

        public void Set(ProbeAnswer answer, bool isGood)
        {
            IsGood = isGood;
            _answer.TrySetResult(answer);
        }
    }
}

/// <summary>What a program said of itself.</summary>
/// <param name="Version">Its version, in its own words, at most 80 characters; null where it said none.</param>
/// <param name="WhyNot">Why it is not the program that the kind means, as the end of a sentence; null where it is, and where nobody can tell.</param>
public sealed record ProgramVersion(string? Version, string? WhyNot);
