using Colibri.Core.Agents.Kinds;
using Colibri.Core.Board;
using Colibri.Core.Sessions.Prompts;
using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Launch;

/// <summary>The start of a request's program. It may hold megabytes of prompt, so an agent releases it at its end.</summary>
internal sealed class AgentLaunch
{
    /// <summary>An introduced prompt leaves room below <see cref="AgentCommandLine.MaxPromptBytes"/>.</summary>
    private const long MaxIntroducedBytes = 120_000;

    /// <param name="profile">The agent's kind.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="task">The task that was claimed for it, or null.</param>
    /// <param name="prompts">Puts what the session has so far before the prompt; null leaves the prompt as it is.</param>
    /// <param name="sessionId">The session.</param>
    /// <param name="skills">The skills that the task asks for.</param>
    /// <param name="earlier">The agent's own session of the task's run before, to be taken up with the task's feedback where the kind can; or null.</param>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    /// <exception cref="PromptTooLongException">The prompt goes neither into an argument nor to standard input.</exception>
    public AgentLaunch(
        AgentProfile profile, SpawnRequest request, BoardTask? task, PromptAssembler? prompts, string sessionId, IReadOnlyList<Skill> skills, Conversation? earlier = null)
    {
        Request = request;
        Prompt = PromptOf(profile, request, task, earlier);
        Recorded = CommandLineOf(profile, request, task, Prompt, earlier);
        // An agent that goes on in its own session knows what was said.
        SentPrompt = Prompt is null || task is null || IsResumed(profile, request, task, earlier) ? Prompt
            : Introduced(prompts, sessionId, Prompt, Recorded.IsRpc || Recorded.Input is not null, skills);
        Earlier = IsResumed(profile, request, task, earlier) ? earlier!.Session : null;
        _afresh = () => task is null ? Prompt : Introduced(prompts, sessionId, PromptOf(request, task)!, Recorded.IsRpc || Recorded.Input is not null, skills);
        CommandLine = ReferenceEquals(SentPrompt, Prompt) ? Recorded : CommandLineOf(profile, request, task, SentPrompt, earlier);
        if (CommandLine.Problem is { } problem)
            throw new PromptTooLongException(problem);
    }

    private readonly Func<string?> _afresh;

    public SpawnRequest Request { get; }

    /// <summary>The agent's own session that it is to go on in; null for a new one.</summary>
    public string? Earlier { get; }

    /// <summary>What it is told where it could not go on in that session: all of the task.</summary>
    public string? Afresh() => _afresh();

    /// <summary>The prompt as the session log shows it.</summary>
    public string? Prompt { get; }

    /// <summary>The prompt after the session's earlier entries, which are in the log already, and after the skills that the task asks for.</summary>
    public string? SentPrompt { get; }

    /// <summary>The command line with the prompt alone, as it is persisted.</summary>
    public AgentCommandLine Recorded { get; }

    /// <summary>The command line that is executed.</summary>
    public AgentCommandLine CommandLine { get; }

    /// <summary>The command line for a prompt.</summary>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    public static AgentCommandLine CommandLineOf(AgentProfile profile, SpawnRequest request, BoardTask? task, string? prompt, Conversation? earlier = null) =>
        AgentCommandLine.Build(
            profile, request.Arguments, request.Rpc ?? (profile.Transport == Transport.None ? null : true), request.Provider, task?.Model ?? request.Model, prompt, request.Access, request.ExtraArguments,
            IsResumed(profile, request, task, earlier) && profile.ResumeArguments is not null ? earlier!.Session : null);

    /// <summary>A task's prompt: its feedback alone where the agent goes on in its own session, which has the rest.</summary>
    public static string? PromptOf(AgentProfile profile, SpawnRequest request, BoardTask? task, Conversation? earlier) =>
        IsResumed(profile, request, task, earlier) ? task!.Feedback : PromptOf(request, task);

    // Stated arguments may be for anything.
    private static bool IsResumed(AgentProfile profile, SpawnRequest request, BoardTask? task, Conversation? earlier) =>
        earlier is { } known && known.Runtime == profile.Name && profile.CanResume && task?.Feedback is { Length: > 0 }
        && request is { Prompt: null, Arguments.Count: 0 };

    /// <summary>An agent's first prompt: that of the request, else its task's.</summary>
    public static string? PromptOf(SpawnRequest request, BoardTask? task) => request.Prompt ?? (task is null ? null : PromptOf(task));

    /// <summary>A task's prompt.</summary>
    public static string PromptOf(BoardTask task) =>
        task.Feedback is { Length: > 0 } feedback ? $"{PromptOf(task.Title, task.Description)}\n\n{feedback}" : PromptOf(task.Title, task.Description);

    /// <summary>The prompt of a task of this title and description.</summary>
    public static string PromptOf(string title, string description) => description.Length == 0 ? title : $"{title}\n\n{description}";

    /// <summary>A task's prompt after the skills that it asks for and its session's earlier entries.</summary>
    public static string Introduced(PromptAssembler? prompts, string sessionId, string prompt, bool isByInput, IReadOnlyList<Skill> skills) =>
        prompts?.Introduce(sessionId, prompt, isByInput ? long.MaxValue : MaxIntroducedBytes, skills) ?? SkillWords.Before(prompt, skills);
}

/// <summary>A prompt finds no way into the agent. The message is one line for a person, and says what to do.</summary>
public sealed class PromptTooLongException(string message) : ArgumentException(message);
