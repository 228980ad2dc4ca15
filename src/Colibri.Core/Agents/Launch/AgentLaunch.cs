using Colibri.Core.Agents.Kinds;
using Colibri.Core.Sessions.Prompts;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Launch;

/// <summary>The start of a request's program. It may hold megabytes of prompt, so an agent releases it at its end.</summary>
internal sealed class AgentLaunch
{
    /// <summary>Linux takes no single argument of 128 KiB or more (MAX_ARG_STRLEN).</summary>
    private const long MaxArgumentBytes = 120_000;

    /// <param name="profile">The agent's kind.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="task">The task that was claimed for it, or null.</param>
    /// <param name="prompts">Puts what the session has so far before the prompt; null leaves the prompt as it is.</param>
    /// <param name="sessionId">The session.</param>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    public AgentLaunch(AgentProfile profile, SpawnRequest request, BoardTask? task, PromptAssembler? prompts, string sessionId)
    {
        Request = request;
        Prompt = PromptOf(request, task);
        Recorded = CommandLineOf(profile, request, Prompt);
        SentPrompt = Prompt is null || task is null ? Prompt : Introduced(prompts, sessionId, Prompt, Recorded.IsRpc);
        CommandLine = ReferenceEquals(SentPrompt, Prompt) ? Recorded : CommandLineOf(profile, request, SentPrompt);
    }

    public SpawnRequest Request { get; }

    /// <summary>The prompt as the session log shows it.</summary>
    public string? Prompt { get; }

    /// <summary>The prompt after the session's earlier entries, which are in the log already.</summary>
    public string? SentPrompt { get; }

    /// <summary>The command line with the prompt alone, as it is persisted.</summary>
    public AgentCommandLine Recorded { get; }

    /// <summary>The command line that is executed.</summary>
    public AgentCommandLine CommandLine { get; }

    /// <summary>The command line for a prompt.</summary>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    public static AgentCommandLine CommandLineOf(AgentProfile profile, SpawnRequest request, string? prompt) =>
        AgentCommandLine.Build(profile, request.Arguments, request.Rpc, request.Provider, request.Model, prompt);

    /// <summary>An agent's first prompt: that of the request, else its task's.</summary>
    public static string? PromptOf(SpawnRequest request, BoardTask? task) => request.Prompt ?? (task is null ? null : PromptOf(task));

    /// <summary>A task's prompt.</summary>
    public static string PromptOf(BoardTask task) => task.Description.Length == 0 ? task.Title : $"{task.Title}\n\n{task.Description}";

    /// <summary>A task's prompt after its session's earlier entries.</summary>
    public static string Introduced(PromptAssembler? prompts, string sessionId, string prompt, bool isRpc) =>
        prompts?.Introduce(sessionId, prompt, isRpc ? long.MaxValue : MaxArgumentBytes) ?? prompt;
}
