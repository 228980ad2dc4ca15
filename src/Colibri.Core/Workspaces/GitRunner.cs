using System.Globalization;
using System.Text;
using Colibri.Core.Providers;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Runs the real git, without prompts, pagers, editors, hooks and network. Of the daemon's environment it gets what it needs to find its
/// own configuration, and no variable of git's own. Each call has its time and its most output.
/// </summary>
/// <param name="processes">Starts it.</param>
/// <param name="find">The path of git on the daemon's search path; null where there is none. Asked until it is found, once.</param>
/// <param name="time">Its monotonic clock bounds the calls.</param>
/// <param name="logger">Told of trees that had to be killed.</param>
internal sealed class GitRunner(ChildProcesses processes, Func<string?> find, TimeProvider time, ILogger logger)
{
    public static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(60);

    /// <summary>For calls that write or read a whole working tree.</summary>
    public static readonly TimeSpan TreeTimeout = TimeSpan.FromMinutes(10);

    public const int UsualOutput = 8 * 1024 * 1024;

    // GIT_CONFIG_COUNT is of 2.31, `worktree add --lock --reason` of 2.33: an older git would ignore what switches planted programs off.
    private static readonly Version Oldest = new(2, 33);

    private static readonly string[] Inherited = ["HOME", "PATH", "XDG_CONFIG_HOME", "TMPDIR", "USER", "LOGNAME", "EMAIL"];

    private static readonly KeyValuePair<string, string>[] Set =
    [
        new("LC_ALL", "C"),
        new("PAGER", "cat"), new("GIT_PAGER", "cat"),
        new("EDITOR", "false"), new("VISUAL", "false"), new("GIT_EDITOR", "false"), new("GIT_SEQUENCE_EDITOR", "false"),
        new("GIT_TERMINAL_PROMPT", "0"), new("GIT_ASKPASS", "false"), new("SSH_ASKPASS", "false"), new("GIT_SSH_COMMAND", "false"),
        // Stronger than any protocol.NAME.allow of a configuration.
        new("GIT_ALLOW_PROTOCOL", "none"), new("GIT_NO_LAZY_FETCH", "1"),
        new("GIT_MERGE_AUTOEDIT", "no"),
        // What is shown, compared and merged is what the ids name, and not what stands in for it in this repository alone.
        new("GIT_NO_REPLACE_OBJECTS", "1"), // Not /dev/null: git warns of any such file that is there.
        new("GIT_GRAFT_FILE", "/dev/null/none"),
    ];

    private readonly ToolRunner _tools = new(processes, time, logger);
    private volatile string? _program;

    /// <summary>The keys to redact in what git says.</summary>
    public Secrets Secrets { get; init; } = Secrets.None;

    /// <summary>Told of each call of git that has ended. A test that kills one throws here.</summary>
    internal Action<ExitStatus>? AtEnd { get; init; }

    /// <summary>The environment that the few variables which git needs are taken from.</summary>
    internal EnvironmentBlock Surroundings { get; init; } = EnvironmentBlock.Own();

    /// <summary>Runs git and returns what came of it, whatever its exit code.</summary>
    /// <exception cref="GitException">Git is missing or too old, took too long, said too much, or cannot be started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; its tree is ended.</exception>
    public async Task<GitOutput> TryAsync(GitCall call, CancellationToken cancellation)
    {
        var program = await FindAsync(cancellation).ConfigureAwait(false);
        var result = await RunToolAsync(program, ["--no-pager", .. call.Arguments], EnvironmentOf(call), call, cancellation).ConfigureAwait(false);
        AtEnd?.Invoke(result.Exit);
        if (result.IsFull && !call.MayBeCut)
            throw new GitException(GitFailureKind.TooLarge, $"{call.What} gives more than {call.MaxOutput} bytes");
        if (result.IsTimedOut)
        {
            throw new GitException(GitFailureKind.TimedOut, string.Create(CultureInfo.InvariantCulture,
                $"{call.What} took longer than {call.Timeout.TotalSeconds} s and was ended (a slow disk, a repository too large, or a pipe in it? find {GitFailure.Quoted(call.WorkTree ?? call.GitDirectory ?? call.Directory)} -type p)"))
            { IsCutShort = true };
        }
        return new GitOutput(result.Exit.Code, result.Output, result.IsFull, result.Error);
    }

    /// <summary>As <see cref="TryAsync"/>, where an exit code that is not expected is a failure.</summary>
    /// <exception cref="GitException">As above, and for what git said.</exception>
    public async Task<GitOutput> RunAsync(GitCall call, CancellationToken cancellation)
    {
        var output = await TryAsync(call, cancellation).ConfigureAwait(false);
        return output.IsCut || output.Exit == 0 || (output.Exit is { } code && call.Exits.Contains(code)) ? output : throw GitFailure.Of(output, call);
    }

    /// <summary>Removes a directory with all that is in it. Links are removed and never followed; names may be any bytes.</summary>
    /// <exception cref="GitException">Something of it is left.</exception>
    public async Task RemoveDirectoryAsync(string path, CancellationToken cancellation)
    {
        if (FileLook.AtName(path).IsMissing)
            return;
        var call = new GitCall { Directory = "/", Arguments = [], Timeout = TreeTimeout, What = $"the removal of {path}" };
        var environment = EnvironmentBlock.Of([new("PATH", "/bin:/usr/bin"), new("LC_ALL", "C")]);
        var removed = await RunToolAsync("/bin/rm", ["-rf", "--", path], environment, call, cancellation).ConfigureAwait(false);
        if (removed.Exit.Code == 0)
            return;
        // Tools leave directories without write permission; chmod -R follows no link below its argument.
        _ = await RunToolAsync("/bin/chmod", ["-R", "u+rwX", "--", path], environment, call, cancellation).ConfigureAwait(false);
        removed = await RunToolAsync("/bin/rm", ["-rf", "--", path], environment, call, cancellation).ConfigureAwait(false);
        if (removed.Exit.Code != 0)
            throw GitFailure.Of(new GitOutput(removed.Exit.Code, [], false, removed.Error), call);
    }

    /// <summary>
    /// Removes pipes and devices under names that git opens, in a tree whose run has ended. Git would wait at a pipe until its time is over, and
    /// there is nothing in one.
    /// </summary>
    /// <returns>What was removed, each below the tree.</returns>
    public async Task<IReadOnlyList<string>> RemovePipesAsync(string path, CancellationToken cancellation)
    {
        var call = new GitCall { Directory = path, Arguments = [], Timeout = TreeTimeout, What = $"the look for pipes in {path}", MayBeCut = true };
        string[] arguments =
        [
            ".", "(", "-type", "p", "-o", "-type", "c", "-o", "-type", "b", ")",
            "(", "-name", ".git", "-o", "-name", ".gitignore", "-o", "-name", ".gitattributes", "-o", "-name", ".gitmodules", "-o", "-path", "*/.git/*", ")",
            "-print0", "-delete",
        ];
        // What it cannot look into is told of by git.
        var found = await RunToolAsync("/usr/bin/find", arguments, EnvironmentBlock.Of([new("PATH", "/bin:/usr/bin"), new("LC_ALL", "C")]), call, cancellation).ConfigureAwait(false);
        return [.. new GitOutput(found.Exit.Code, found.Output, found.IsFull, found.Error).Fields().Select(name => BranchName.Shown(Encoding.UTF8.GetString(name.Span)))];
    }

    private async Task<ToolResult> RunToolAsync(string program, IReadOnlyList<string> arguments, EnvironmentBlock environment, GitCall call, CancellationToken cancellation)
    {
        try
        {
            return await _tools.RunAsync(
                new ToolCall
                {
                    Program = program,
                    Arguments = arguments,
                    Environment = environment,
                    Directory = call.Directory,
                    Input = call.Input,
                    Timeout = call.Timeout,
                    MaxOutput = call.MaxOutput,
                    Secrets = Secrets,
                },
                cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ArgumentException)
        {
            throw new GitException(GitFailureKind.NotStarted, $"{program} cannot be started: {e.Message}");
        }
    }

    /// <summary>The program, once its version is known to be new enough.</summary>
    private async Task<string> FindAsync(CancellationToken cancellation)
    {
        if (_program is { } known)
            return known;
        var program = find() ?? throw new GitException(GitFailureKind.Missing, "there is no git on the daemon's search path: install git, or add its directory to the daemon's PATH");
        var call = new GitCall { Directory = "/", Arguments = ["version"], MaxOutput = 4096, What = "git version" };
        var result = await RunToolAsync(program, call.Arguments, EnvironmentOf(call), call, cancellation).ConfigureAwait(false);
        var said = Encoding.UTF8.GetString(result.Output).Trim();
        if (result.Exit.Code != 0 || VersionOf(said) is not { } version)
            throw new GitException(GitFailureKind.Missing, $"{program} does not answer `git version` as git does: reinstall git");
        if (version < Oldest)
            throw new GitException(GitFailureKind.TooOld, $"{program} is {said}; workspaces need git {Oldest} or later: install a newer git");
        return _program = program;
    }

    internal static Version? VersionOf(string said)
    {
        const string Words = "git version ";
        if (!said.StartsWith(Words, StringComparison.Ordinal))
            return null;
        var parts = said[Words.Length..].Split('.', ' ', '-');
        return parts.Length >= 2
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var minor)
            ? new Version(major, minor)
            : null;
    }

    private EnvironmentBlock EnvironmentOf(GitCall call)
    {
        var variables = new List<KeyValuePair<string, string>>(Set);
        if (call.GitDirectory is { } gitDirectory)
            variables.Add(new("GIT_DIR", gitDirectory));
        if (call.CommonDirectory is { } common)
            variables.Add(new("GIT_COMMON_DIR", common));
        if (call.WorkTree is { } tree)
            variables.Add(new("GIT_WORK_TREE", tree));
        if (call.IndexFile is { } index)
            variables.Add(new("GIT_INDEX_FILE", index));
        if (call.IsRead)
            variables.Add(new("GIT_OPTIONAL_LOCKS", "0"));
        var inherited = Surroundings.Where(name => Inherited.Contains(name)).With(variables);
        return EnvironmentBlock.FromTerminated([.. inherited.ToTerminated(), .. call.Config.Variables()]);
    }
}

/// <summary>One call of git.</summary>
internal sealed record GitCall
{
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Where it runs; absolute.</summary>
    public required string Directory { get; init; }

    /// <summary>The repository, or the directory of one of its worktrees; null lets git look for it, and check its owner.</summary>
    public string? GitDirectory { get; init; }

    /// <summary>The repository of a worktree, whatever the worktree's own files say.</summary>
    public string? CommonDirectory { get; init; }

    public string? WorkTree { get; init; }

    /// <summary>An index of our own in place of the tree's.</summary>
    public string? IndexFile { get; init; }

    public GitConfig Config { get; init; } = GitConfig.Fixed;

    public ReadOnlyMemory<byte>? Input { get; init; }

    public TimeSpan Timeout { get; init; } = GitRunner.UsualTimeout;

    /// <summary>In bytes.</summary>
    public int MaxOutput { get; init; } = GitRunner.UsualOutput;

    /// <summary>More output than that is cut, and no failure.</summary>
    public bool MayBeCut { get; init; }

    /// <summary>It takes no lock.</summary>
    public bool IsRead { get; init; }

    /// <summary>The exit codes besides 0 that are an answer.</summary>
    public IReadOnlyList<int> Exits { get; init; } = [];

    /// <summary>How messages name the call.</summary>
    public string What { get => field ?? $"git {string.Join(' ', Arguments.Take(1))} in {WorkTree ?? GitDirectory ?? Directory}"; init; }
}

/// <summary>What git answered.</summary>
/// <param name="Exit">Null where a signal ended it.</param>
/// <param name="Bytes">Standard output.</param>
/// <param name="IsCut">There was more.</param>
/// <param name="Error">The last 8 KiB of standard error.</param>
internal sealed record GitOutput(int? Exit, byte[] Bytes, bool IsCut, string Error)
{
    /// <summary>Standard output without the newline at its end.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.AsSpan() is [.., (byte)'\n'] ? Bytes.AsSpan()[..^1] : Bytes);

    /// <summary>The fields of an output that ends each with a NUL.</summary>
    public IEnumerable<ReadOnlyMemory<byte>> Fields()
    {
        for (var rest = Bytes.AsMemory(); rest.Span.IndexOf((byte)0) is >= 0 and var end; rest = rest[(end + 1)..])
            yield return rest[..end];
    }
}
