namespace Colibri.Core.Spawning;

/// <summary>The kinds of agent Colibri can start by name alone. An unknown binary gets its arguments and its prompt, nothing else.</summary>
public static class AgentProfiles
{
    private static readonly AgentProfile Generic = new() { Name = "pi", RpcArguments = [], SteerCommand = "steer", ForgetCommand = "new_session" };

    private static readonly AgentProfile Local = new() { Name = "local", RpcArguments = [], Providers = [] };

    private static readonly AgentProfile[] Known =
    [
        new()
        {
            Name = "pi",
            TaskArguments = ["--mode", "json", "--no-session"],
            RpcArguments = ["--mode", "rpc", "--no-session"],
            SteerCommand = "steer",
            ForgetCommand = "new_session",
            ModelArguments = static (provider, model) => [.. Flag("--provider", provider), .. Flag("--model", model)],
        },
        new()
        {
            Name = "zot",
            TaskArguments = ["rpc"],
            RpcArguments = ["rpc"],
            ModelArguments = static (provider, model) => [.. Flag("--provider", provider), .. Flag("--model", model)],
            AlwaysRpc = true,
        },
        new()
        {
            Name = "claude",
            Provider = "anthropic",
            Providers = ["anthropic"],
            TaskArguments = ["-p", "--output-format", "stream-json", "--verbose"],
            ModelArguments = static (_, model) => Flag("--model", model),
        },
        new()
        {
            Name = "codex",
            Provider = "openai",
            Providers = ["openai"],
            TaskArguments = ["exec", "--json", "--skip-git-repo-check"],
            ModelArguments = static (_, model) => Flag("-m", model),
        },
        new()
        {
            Name = "opencode",
            TaskArguments = ["run", "--format", "json"],
            ModelArguments = static (provider, model) => Flag("-m", provider is null ? model : $"{provider}/{model}"),
        },
    ];

    /// <summary>Every runtime's name, <c>local</c> included.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Select(profile => profile.Name), Local.Name];

    /// <summary>By runtime where one is stated, else by the binary's base name, else Pi's dialect and no defaults.</summary>
    public static AgentProfile For(string? runtime, string binary)
    {
        var name = runtime ?? Path.GetFileName(binary);
        return name == Local.Name ? Local : Array.Find(Known, profile => profile.Name == name) ?? Generic;
    }

    /// <summary>The providers that the agent of a request can be started on; null for any.</summary>
    public static IReadOnlyList<string>? ProvidersOf(SpawnRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        return For(request.Runtime, request.Binary).Providers;
    }

    /// <summary>Whether a stated runtime is one of <see cref="Names"/>.</summary>
    public static bool IsKnown(string runtime) => Names.Contains(runtime);

    private static IReadOnlyList<string> Flag(string name, string? value) => value is null ? [] : [name, value];
}
