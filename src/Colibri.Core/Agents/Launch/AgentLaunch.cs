using System.Text;
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
    /// <param name="earlier">The agent's own session of the task's runs before, to be gone on in where the kind can; or null.</param>
    /// <param name="given">The id for a session of its own that it begins, where the kind takes one; or null.</param>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    /// <exception cref="PromptTooLongException">The prompt goes neither into an argument nor to standard input.</exception>
    public AgentLaunch(
        AgentProfile profile, SpawnRequest request, BoardTask? task, PromptAssembler? prompts, string sessionId, IReadOnlyList<Skill> skills, EarlierSession? earlier = null, string? given = null)
    {
        Request = request;
        Prompt = PromptOf(profile, request, task, earlier);
        Recorded = CommandLineOf(profile, request, task, Prompt, earlier, given);
        TakenUp = GoingOn.SessionOf(profile, request, task, earlier, given) is { IsTakenUp: true } own ? own.Conversation : null;
        // An agent that goes on in its own session knows what was said, unless the task was changed, which may change its skills.
        SentPrompt = Prompt is null || task is null ? Prompt
            : TakenUp is null ? Introduced(prompts, sessionId, Prompt, Recorded.IsRpc || Recorded.Input is not null, skills)
            : earlier!.IsTaskTold ? Prompt : SkillWords.Before(Prompt, skills);
        _afresh = () => task is null ? Prompt : Introduced(prompts, sessionId, PromptOf(profile, request, task, earlier: null)!, Recorded.IsRpc || Recorded.Input is not null, skills);
        CommandLine = ReferenceEquals(SentPrompt, Prompt) ? Recorded : CommandLineOf(profile, request, task, SentPrompt, earlier, given);
        if (CommandLine.Problem is { } problem)
            throw new PromptTooLongException(problem);
    }

    private readonly Func<string?> _afresh;

    public SpawnRequest Request { get; }

    /// <summary>What it is told where it could not go on in that session: all of the task.</summary>
    public string? Afresh() => _afresh();

    /// <summary>The prompt as the session log shows it.</summary>
    public string? Prompt { get; }

    /// <summary>The prompt after the session's earlier entries, which are in the log already, and after the skills that the task asks for.</summary>
    public string? SentPrompt { get; }

    /// <summary>The agent's own session that it goes on in; null where it begins anew.</summary>
    public Conversation? TakenUp { get; }

    /// <summary>The command line with the prompt alone, as it is persisted.</summary>
    public AgentCommandLine Recorded { get; }

    /// <summary>The command line that is executed.</summary>
    public AgentCommandLine CommandLine { get; }

    /// <summary>The command line for a prompt.</summary>
    /// <exception cref="ArgumentException">RPC is wanted of a kind that has none.</exception>
    public static AgentCommandLine CommandLineOf(AgentProfile profile, SpawnRequest request, BoardTask? task, string? prompt, EarlierSession? earlier = null, string? given = null)
    {
        var own = GoingOn.SessionOf(profile, request, task, earlier, given);
        return AgentCommandLine.Build(
            profile, request.Arguments, request.Rpc ?? (profile.Transport == Transport.None ? null : true), request.Provider, task?.Model ?? request.Model, prompt, request.Access, request.ExtraArguments,
            own is { IsTakenUp: true } ? own.Conversation.Session : null, own is { IsTakenUp: false } ? own.Conversation.Session : null);
    }

    /// <summary>
    /// A task's prompt: what is new alone where the agent goes on in its own session, which has the rest. For an agent that takes it as an argument alone, what
    /// is told of the tasks before is cut to the room that its own text leaves.
    /// </summary>
    public static string? PromptOf(AgentProfile profile, SpawnRequest request, BoardTask? task, EarlierSession? earlier)
    {
        var prompt = PromptOf(profile, request, task, earlier, ParentWords.MaxBytes);
        if (prompt is null || request.Prompt is not null || task?.Parents is not { Count: > 0 } || CommandLineOf(profile, request, task, prompt, earlier).Problem is null)
            return prompt;
        var own = PromptOf(profile, request, task, earlier, 0)!;
        return PromptOf(profile, request, task, earlier, Math.Max(0, (int)MaxIntroducedBytes - Encoding.UTF8.GetByteCount(own)));
    }

    private static string? PromptOf(AgentProfile profile, SpawnRequest request, BoardTask? task, EarlierSession? earlier, int room) =>
        GoingOn.SessionOf(profile, request, task, earlier, given: null) is { IsTakenUp: true } ? GoingOn.Words(task!, earlier!, room)
            : request.Prompt ?? (task is null ? null : PromptOf(task, room));

    /// <summary>An agent's first prompt: that of the request, else its task's.</summary>
    public static string? PromptOf(SpawnRequest request, BoardTask? task) => request.Prompt ?? (task is null ? null : PromptOf(task));

    /// <summary>A task's prompt: its own text, what came before it, and what was found wrong with it so far.</summary>
    /// <param name="task">With the tasks that it comes after.</param>
    /// <param name="room">The most bytes of UTF-8 that are told of those.</param>
    public static string PromptOf(BoardTask task, int room = ParentWords.MaxBytes)
    {
        var prompt = PromptOf(task.Title, task.Description);
        if (ParentWords.Of(task, room) is { } before)
            prompt = $"{prompt}\n\n{before}";
        return task.Feedback is { Length: > 0 } feedback ? $"{prompt}\n\n{feedback}" : prompt;
    }

    /// <summary>The prompt of a task of this title and description.</summary>
    public static string PromptOf(string title, string description) => description.Length == 0 ? title : $"{title}\n\n{description}";

    /// <summary>A task's prompt after the skills that it asks for and its session's earlier entries.</summary>
    public static string Introduced(PromptAssembler? prompts, string sessionId, string prompt, bool isByInput, IReadOnlyList<Skill> skills) =>
        prompts?.Introduce(sessionId, prompt, isByInput ? long.MaxValue : MaxIntroducedBytes, skills) ?? SkillWords.Before(prompt, skills);
}

/// <summary>A prompt finds no way into the agent. The message is one line for a person, and says what to do.</summary>
public sealed class PromptTooLongException(string message) : ArgumentException(message);
