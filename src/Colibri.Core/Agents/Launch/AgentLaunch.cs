using Colibri.Core.Agents.Kinds;
using Colibri.Core.Sessions.Prompts;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Launch;

/// <summary>What is started for a request. It may hold megabytes of prompt, so an agent lets go of it when it has ended.</summary>
internal sealed class AgentLaunch
{
    /// <summary>Linux takes no single argument of 128 KiB or more (MAX_ARG_STRLEN).</summary>
    private const long MaxArgumentBytes = 120_000;

    /// <param name="profile">The agent's kind.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="task">The task it is for, or null.</param>
    /// <param name="prompts">Puts what the session has so far before the prompt; null leaves the prompt as it is.</param>
    /// <param name="sessionId">The session.</param>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    public AgentLaunch(AgentProfile profile, SpawnRequest request, BoardTask? task, PromptAssembler? prompts, string sessionId)
    {
        Request = request;
        Prompt = request.Prompt ?? (task is null ? null : PromptOf(task));
        Recorded = Build(Prompt);
        SentPrompt = Prompt is null || task is null || prompts is null
            ? Prompt
            : prompts.Introduce(sessionId, Prompt, Recorded.IsRpc ? long.MaxValue : MaxArgumentBytes);
        CommandLine = ReferenceEquals(SentPrompt, Prompt) ? Recorded : Build(SentPrompt);

        AgentCommandLine Build(string? prompt) =>
            AgentCommandLine.Build(profile, request.Arguments, request.Rpc, request.Provider, request.Model, prompt);
    }

    public SpawnRequest Request { get; }

    /// <summary>What to work on: what the session log shows.</summary>
    public string? Prompt { get; }

    /// <summary>The prompt behind what its session has so far; that is in the log already.</summary>
    public string? SentPrompt { get; }

    /// <summary>The command line with the prompt alone: what goes on record.</summary>
    public AgentCommandLine Recorded { get; }

    /// <summary>The command line that is executed.</summary>
    public AgentCommandLine CommandLine { get; }

    /// <summary>What a task's agent is told.</summary>
    public static string PromptOf(BoardTask task) => task.Description.Length == 0 ? task.Title : $"{task.Title}\n\n{task.Description}";
}
