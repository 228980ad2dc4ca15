namespace Colibri.Core.Providers;

/// <summary>The environment variables in which agents look for a provider's key.</summary>
public static class ProviderNames
{
    // As the agents' own documentation names them; a provider that is not here is <NAME>_API_KEY.
    private static readonly Dictionary<string, string[]> Variables = new(StringComparer.OrdinalIgnoreCase)
    {
        ["anthropic"] = ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"],
        ["openai"] = ["OPENAI_API_KEY", "CODEX_API_KEY"],
        ["google"] = ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        ["gemini"] = ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
        // Of the Copilot CLI: a token of GitHub's, or the key of the provider that stands in for it.
        ["github"] = ["COPILOT_PROVIDER_API_KEY", "COPILOT_GITHUB_TOKEN"],
        ["deepseek"] = ["DEEPSEEK_API_KEY"],
        ["openrouter"] = ["OPENROUTER_API_KEY"],
        ["groq"] = ["GROQ_API_KEY"],
        ["mistral"] = ["MISTRAL_API_KEY"],
        ["xai"] = ["XAI_API_KEY"],
        ["cerebras"] = ["CEREBRAS_API_KEY"],
        ["moonshot"] = ["MOONSHOT_API_KEY", "KIMI_API_KEY"],
        ["zai"] = ["ZAI_API_KEY"],
        ["together"] = ["TOGETHER_API_KEY"],
        ["fireworks"] = ["FIREWORKS_API_KEY"],
        ["huggingface"] = ["HF_TOKEN"],
        ["minimax"] = ["MINIMAX_API_KEY"],
    };

    private static readonly HashSet<string> KeyVariables = Variables.Values.SelectMany(names => names).ToHashSet(StringComparer.Ordinal);

    /// <summary>Whether a variable holds a key by its name.</summary>
    public static bool IsKeyVariable(string variable)
    {
        ArgumentNullException.ThrowIfNull(variable);
        return KeyVariables.Contains(variable) || variable.EndsWith("_API_KEY", StringComparison.Ordinal);
    }

    /// <summary>The variables that may hold a provider's key, the usual one first.</summary>
    public static IReadOnlyList<string> KeyVariablesOf(string provider)
    {
        ArgumentNullException.ThrowIfNull(provider);
        return Variables.GetValueOrDefault(provider) ?? [$"{provider.ToUpperInvariant().Replace('-', '_')}_API_KEY"];
    }
}
