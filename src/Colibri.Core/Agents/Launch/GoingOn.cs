using Colibri.Core.Agents.Kinds;
using Colibri.Core.Board;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Launch;

/// <summary>How a task's run goes on in the agent's own session of a run before: whether it does, and what it is told then.</summary>
internal static class GoingOn
{
    /// <summary>So many runs in a row may fail to take a session up; the next one begins anew.</summary>
    public const int MaxFailures = 2;

    /// <summary>A run that fails to take its session up sooner costs its task no attempt.</summary>
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(60);

    private const int MaxReasonChars = 500;

    /// <summary>The session that a run begins in: an earlier one, or one that its agent is given the id of. Null where only the agent will tell.</summary>
    /// <param name="profile">The agent's kind.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="task">The task; a prompt without one begins in a session that nobody takes up.</param>
    /// <param name="earlier">The session of the task's runs before.</param>
    /// <param name="given">The id for a new one.</param>
    public static OwnSession? SessionOf(AgentProfile profile, SpawnRequest request, BoardTask? task, EarlierSession? earlier, string? given)
    {
        // Stated arguments may be for anything, and stated words are no task's.
        if (task is null || request is not { Prompt: null, Arguments.Count: 0 } || !profile.CanResume)
            return null;
        if (earlier is { Failures: < MaxFailures } known && known.Conversation.Runtime == profile.Name)
            return new OwnSession(known.Conversation, IsTakenUp: true);
        return given is not null && profile.SessionArguments is { } arguments && !ChoosesItsOwn(profile, arguments(given), request.ExtraArguments)
            ? new OwnSession(new Conversation(profile.Name, given), IsTakenUp: false) : null;
    }

    /// <summary>What an agent is told that goes on in its own session, which has the rest.</summary>
    /// <param name="task">With the tasks that it comes after.</param>
    /// <param name="earlier">The session.</param>
    /// <param name="room">The most bytes of UTF-8 that are told of those.</param>
    public static string Words(BoardTask task, EarlierSession earlier, int room = ParentWords.MaxBytes)
    {
        List<string> words = [];
        var feedback = task.Feedback is { Length: > 0 } said ? said : null;
        if ((feedback is null || earlier.IsFeedbackTold) && earlier.Reason is { } reason)
            words.Add(CauseOf(reason));
        if (!earlier.IsTaskTold)
            words.Add($"The task was changed after you were told it. It is now:\n\n{AgentLaunch.PromptOf(task.Title, task.Description)}");
        // Told once; again only if one of those has come to something else since.
        if (!earlier.AreParentsTold && ParentWords.Of(task, room) is { } before)
            words.Add(before);
        if (feedback is not null)
            words.Add(feedback);
        return words.Count == 0 ? AgentLaunch.PromptOf(task, room) : string.Join("\n\n", words);
    }

    private static string CauseOf(string reason) => $"""
        The run before this one ended before the task was done: {(reason.Length > MaxReasonChars ? $"{reason.AsSpan(0, MaxReasonChars)}…" : reason)}.

        What you did is kept, in this conversation and in this directory. A command that was running then may have been cut off. Look at what is there, and go on with the task where it stopped.
        """;

    private static bool ChoosesItsOwn(AgentProfile profile, IReadOnlyList<string> arguments, IReadOnlyList<string> extra) =>
        profile.Resumes(extra) || extra.Contains(arguments[0]);
}
