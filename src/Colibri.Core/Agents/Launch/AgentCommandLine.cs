using System.Text;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Providers;

namespace Colibri.Core.Agents.Launch;

/// <summary>The command line of a request: the arguments, and whether the prompt goes to standard input.</summary>
/// <param name="Arguments">Without the program itself.</param>
/// <param name="IsRpc">Standard input is kept open, and takes the prompt.</param>
public sealed record AgentCommandLine(IReadOnlyList<string> Arguments, bool IsRpc)
{
    private static readonly string[] SecretWords = ["key", "token", "secret", "password"];

    /// <param name="profile">The agent's kind.</param>
    /// <param name="stated">The operator's own arguments; an empty list asks for the kind's defaults.</param>
    /// <param name="rpc">Whether RPC was asked for; null follows from the arguments.</param>
    /// <param name="provider">The provider to use, or null.</param>
    /// <param name="model">The model to use, or null.</param>
    /// <param name="prompt">What to work on, or null.</param>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    public static AgentCommandLine Build(
        AgentProfile profile, IReadOnlyList<string> stated, bool? rpc, string? provider, string? model, string? prompt)
    {
        var hasRpc = profile.RpcArguments is not null;
        var isRpc = rpc ?? (hasRpc && (stated.Count > 0 ? LooksLikeRpc(stated) : profile.AlwaysRpc));
        if (isRpc && !hasRpc)
            throw new ArgumentException($"{profile.Name} takes no prompts on standard input: it has no RPC mode");
        var defaults = isRpc ? profile.RpcArguments! : profile.TaskArguments;
        List<string> arguments = [.. stated.Count > 0 ? stated : defaults, .. profile.ModelArguments(provider, model)];
        if (prompt is not null && !isRpc)
            arguments.Add(AsArgument(prompt));
        return new AgentCommandLine(arguments, isRpc);
    }

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
        if (argument.StartsWith('-') && equals > 0 && IsSecret(argument[..equals]))
            return secrets.Redact(argument[..(equals + 1)]) + Mask;
        if (index > 0 && Arguments[index - 1] is ['-', ..] before && !before.Contains('=') && IsSecret(before))
            return Mask;
        return secrets.Excerpt(argument, Shown);
    }

    private static bool IsSecret(string flag) =>
        Array.Exists(SecretWords, word => flag.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static bool LooksLikeRpc(IReadOnlyList<string> arguments)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] is "rpc" or "--rpc" or "--mode=rpc" || (arguments[i] == "--mode" && i + 1 < arguments.Count && arguments[i + 1] == "rpc"))
                return true;
        }
        return false;
    }

    /// <summary>Protects a prompt that an agent would misread: a leading dash as an option, a leading at-sign as a file to include.</summary>
    private static string AsArgument(string prompt) => prompt.StartsWith('-') || prompt.StartsWith('@') ? " " + prompt : prompt;
}
