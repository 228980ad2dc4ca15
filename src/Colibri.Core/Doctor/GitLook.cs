using Colibri.Core.Processes;
using Colibri.Posix.Spawning;

namespace Colibri.Core.Doctor;

/// <summary>
/// Asks the real git short questions that change nothing and run nothing of a repository: no hooks, no file system monitor, no pager, no network.
/// The one place of the checks that calls git.
/// </summary>
internal sealed class GitLook(ExaminationParts parts, ProgramProbe probe)
{
    private const int MaxLine = 300;

    private static readonly string[] Inherited = ["HOME", "PATH", "XDG_CONFIG_HOME", "USER", "LOGNAME"];

    private static readonly KeyValuePair<string, string>[] Set =
    [
        new("LC_ALL", "C"), new("GIT_PAGER", "cat"), new("GIT_TERMINAL_PROMPT", "0"), new("GIT_ASKPASS", "false"), new("SSH_ASKPASS", "false"),
        new("GIT_OPTIONAL_LOCKS", "0"), new("GIT_ALLOW_PROTOCOL", "none"), new("GIT_NO_LAZY_FETCH", "1"),
    ];

    /// <summary>The path of git; null where there is none.</summary>
    public string? Program => parts.Programs.Find("git");

    /// <summary>Asks in a directory.</summary>
    /// <exception cref="OperationCanceledException">The examination is over.</exception>
    public async Task<GitSaid> AskAsync(string directory, CancellationToken over, params string[] arguments)
    {
        if (Program is not { } git)
            return new GitSaid(null, "", "there is no git");
        var environment = EnvironmentBlock.Of(
            [.. Inherited.Select(name => (Name: name, Value: parts.Variable(name))).Where(one => one.Value is not null).Select(one => KeyValuePair.Create(one.Name, one.Value!)), .. Set]);
        var answer = await probe.AskAsync(
            git, ["--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", directory, .. arguments], environment, over).ConfigureAwait(false);
        var why = answer.Problem is { } problem ? $"git cannot be started: {problem}"
            : answer.IsTimedOut ? $"git {arguments[0]} took longer than {ProgramProbe.Deadline.TotalSeconds} s and was ended"
            : answer.IsFull ? $"git {arguments[0]} said more than {ProgramProbe.MaxBytes} bytes"
            : answer.Exit is null ? "the examination was over before git had answered"
            : LastLine(answer.Errors);
        return new GitSaid(answer.Exit?.Code, answer.Output.TrimEnd('\n'), why) { Errors = answer.Errors };
    }

    private string LastLine(string text) =>
        parts.Secrets.Name(
            parts.Secrets.Redact(text).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } lines
                ? Array.FindLast(lines, line => line.StartsWith("fatal: ", StringComparison.Ordinal)) ?? lines[^1]
                : "it says nothing",
            MaxLine);
}

/// <summary>What git said.</summary>
/// <param name="Code">Its exit code; null where it was ended or not started.</param>
/// <param name="Text">Standard output without the newline at its end.</param>
/// <param name="Why">Why it failed, in one line.</param>
internal sealed record GitSaid(int? Code, string Text, string Why)
{
    /// <summary>Standard error; not redacted.</summary>
    public string Errors { get; init; } = "";

    public bool IsGood => Code == 0;
}
