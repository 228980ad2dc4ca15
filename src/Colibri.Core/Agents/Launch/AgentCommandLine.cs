using System.Globalization;
using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Providers;
using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Launch;

/// <summary>The command line of a request: the arguments, and whether the prompt goes to standard input.</summary>
/// <param name="Arguments">Without the program itself.</param>
/// <param name="IsRpc">Standard input is kept open, and takes the prompt.</param>
public sealed record AgentCommandLine(IReadOnlyList<string> Arguments, bool IsRpc)
{
    /// <summary>The most bytes of a prompt that is an argument: Linux takes 128 KiB for one string, its NUL included (MAX_ARG_STRLEN, linux/binfmts.h).</summary>
    public const int MaxPromptBytes = 128 * 1024 - 1;

    /// <summary>What is written to standard input, which is then closed: a prompt too long for an argument. Null where nothing is.</summary>
    public string? Input { get; private init; }

    /// <summary>Why no process can be started with it, and what to do; null where one can.</summary>
    public string? Problem { get; private init; }

    /// <param name="profile">The agent's kind.</param>
    /// <param name="stated">The operator's own arguments; an empty list asks for the kind's defaults.</param>
    /// <param name="rpc">Whether RPC was asked for; null follows from the arguments.</param>
    /// <param name="provider">The provider to use, or null.</param>
    /// <param name="model">The model to use, or null.</param>
    /// <param name="prompt">What to work on, or null.</param>
    /// <param name="access">What it may do; null leaves that to the kind. Stated arguments stand in place of the kind's own for it as well.</param>
    /// <param name="extra">The operator's further arguments.</param>
    /// <param name="resume">The agent's own session to go on in, or null.</param>
    /// <param name="opened">The id of its own session that it is to begin, or null.</param>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    public static AgentCommandLine Build(
        AgentProfile profile, IReadOnlyList<string> stated, bool? rpc, string? provider, string? model, string? prompt, Access? access = null,
        IReadOnlyList<string>? extra = null, string? resume = null, string? opened = null)
    {
        var hasRpc = profile.RpcArguments is not null;
        var isRpc = rpc ?? (hasRpc && (stated.Count > 0 ? LooksLikeRpc(stated) : profile.AlwaysRpc));
        if (isRpc && !hasRpc)
            throw new ArgumentException($"{profile.Name} takes no prompts on standard input: it has no RPC mode");
        var defaults = isRpc ? profile.RpcArguments! : profile.TaskArguments;
        var rights = stated.Count > 0 || access is not { } held ? [] : profile.Rights.Arguments(held, isRpc);
        List<string> arguments = [.. stated.Count > 0 ? stated : defaults, .. rights, .. extra ?? [], .. profile.ModelArguments(provider, model), .. SessionArguments(profile, resume, opened)];
        if (prompt is null || isRpc)
            return new AgentCommandLine(arguments, isRpc);
        var argument = AsArgument(prompt, profile);
        var bytes = IsShort(argument) ? 0 : Encoding.UTF8.GetByteCount(argument);
        if (bytes > MaxPromptBytes && profile.PromptByInput is { } instead)
            return new AgentCommandLine([.. arguments, .. instead], isRpc) { Input = prompt };
        return new AgentCommandLine([.. arguments, .. profile.PromptOption is { } option ? [option] : (string[])[], argument], isRpc)
        {
            Problem = bytes <= MaxPromptBytes ? null : string.Create(
                CultureInfo.InvariantCulture,
                $"the prompt is {bytes} bytes long, and this agent takes it as one argument of at most {MaxPromptBytes}: shorten it, name a file that holds it, or use an agent that reads prompts on standard input (rpc)"),
        };
    }

    private static IReadOnlyList<string> SessionArguments(AgentProfile profile, string? resume, string? opened) =>
        (resume is not null ? profile.ResumeArguments?.Invoke(resume) : opened is not null ? profile.SessionArguments?.Invoke(opened) : null) ?? [];

    // A UTF-16 unit is at most three bytes of UTF-8.
    private static bool IsShort(string argument) => argument.Length <= MaxPromptBytes / 3;

    /// <summary>
    /// The line for the log: long arguments are shortened, and the value of a flag for a key, token, secret or password is masked. Masked in the log
    /// alone, because logs are passed around; the board keeps the arguments as they were run.
    /// </summary>
    /// <param name="program">The program.</param>
    /// <param name="secrets">The keys to redact.</param>
    public string Describe(string program, Secrets secrets)
    {
        var shown = new StringBuilder(secrets.Redact(program));
        for (var i = 0; i < Arguments.Count; i++)
            shown.Append(' ').Append(Masked(i, secrets));
        return shown.ToString();
    }

    private string Masked(int index, Secrets secrets)
    {
        const int Shown = 61;
        const string Mask = "***";
        var argument = Arguments[index];
        var equals = argument.IndexOf('=');
        if (argument.StartsWith('-') && equals > 0 && SecretNames.IsFlag(argument[..equals]))
            return secrets.Redact(argument[..(equals + 1)]) + Mask;
        if (index > 0 && Arguments[index - 1] is ['-', ..] before && !before.Contains('=') && SecretNames.IsFlag(before))
            return Mask;
        return secrets.Excerpt(argument, Shown);
    }

    private static bool LooksLikeRpc(IReadOnlyList<string> arguments)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] is "rpc" or "--rpc" or "--mode=rpc" || (arguments[i] == "--mode" && i + 1 < arguments.Count && arguments[i + 1] == "rpc"))
                return true;
        }
        return false;
    }

    /// <summary>
    /// Protects a prompt that an agent would misread: a leading dash as an option, a leading at-sign as a file to include, a single word as a command.
    /// </summary>
    private static string AsArgument(string prompt, AgentProfile profile) =>
        prompt.StartsWith('-') || prompt.StartsWith('@') ? " " + prompt : profile.PromptNeedsBlank && !prompt.AsSpan().ContainsAny(' ', '\n') ? prompt + " " : prompt;
}
