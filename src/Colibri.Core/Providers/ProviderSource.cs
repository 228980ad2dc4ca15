namespace Colibri.Core.Providers;

/// <summary>Who an agent asks: its provider, or, where nothing names one, its program.</summary>
/// <param name="Name">The provider's name; of a program without one, its base name.</param>
/// <param name="Model">The model, if one was chosen.</param>
/// <param name="Program">The program's path or name; null where the provider is known.</param>
public sealed record ProviderSource(string Name, string? Model = null, string? Program = null)
{
    private const string ProgramPrefix = "program:";

    /// <summary>Under which its hold is kept: tasks of one provider wait together, whatever their model.</summary>
    public string Key => Program is null ? Name.ToLowerInvariant() : ProgramPrefix + Program;

    /// <summary>Finds the provider in a request, else in the arguments, else in the kind's default.</summary>
    /// <param name="provider">As requested; null for none.</param>
    /// <param name="model">As requested; null for none.</param>
    /// <param name="arguments">The agent's own, in which an operator may name the provider.</param>
    /// <param name="byDefault">The kind's; null where it is not known.</param>
    /// <param name="program">The program's path or name.</param>
    public static ProviderSource Of(string? provider, string? model, IReadOnlyList<string> arguments, string? byDefault, string program)
    {
        var named = provider ?? ValueOf(arguments, "--provider") ?? ProviderOf(ValueOf(arguments, "-m") ?? ValueOf(arguments, "--model")) ?? byDefault;
        return string.IsNullOrWhiteSpace(named) ? new ProviderSource(Path.GetFileName(program), model, program) : new ProviderSource(named, model);
    }

    /// <summary>Of a key that was kept.</summary>
    internal static ProviderSource OfKey(string key) => key.StartsWith(ProgramPrefix, StringComparison.Ordinal)
        ? new ProviderSource(Path.GetFileName(key), null, key[ProgramPrefix.Length..])
        : new ProviderSource(key);

    /// <summary>Whether an operator means it by this name.</summary>
    public bool IsCalled(string name) => string.Equals(Name, name, StringComparison.OrdinalIgnoreCase) || Program == name;

    // "anthropic/claude-opus-5-5", as opencode takes it.
    private static string? ProviderOf(string? model) => model?.IndexOf('/') is > 0 and var slash ? model[..slash] : null;

    private static string? ValueOf(IReadOnlyList<string> arguments, string option)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == option && i + 1 < arguments.Count)
                return arguments[i + 1];
            if (arguments[i].StartsWith(option, StringComparison.Ordinal) && arguments[i].Length > option.Length + 1 && arguments[i][option.Length] == '=')
                return arguments[i][(option.Length + 1)..];
        }
        return null;
    }
}
