namespace Colibri.Core.Providers;

/// <summary>What a run's failure says about the provider.</summary>
public enum ProviderFailure
{
    /// <summary>Nothing: the agent, its task or its process failed.</summary>
    None,

    /// <summary>The key is not taken: HTTP 401 or 403.</summary>
    Authentication,

    /// <summary>Too busy, or too often asked: HTTP 429, 500, 502, 503, 504 or 529.</summary>
    Overload,
}
