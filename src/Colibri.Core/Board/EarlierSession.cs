using System.Text;
using Colibri.Core.Sessions;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Board;

/// <summary>An agent's own session, which its kind can take up again.</summary>
/// <param name="Runtime">The kind that knows it.</param>
/// <param name="Session">Its id.</param>
public sealed record Conversation(string Runtime, string Session);

/// <summary>The agent's own session that a run begins in.</summary>
/// <param name="Conversation">The session.</param>
/// <param name="IsTakenUp">It is that of an earlier run; else it is new, and the agent was given its id.</param>
public sealed record OwnSession(Conversation Conversation, bool IsTakenUp);

/// <summary>The session of the latest run of a task in which the model has answered, and what became of it.</summary>
/// <param name="Conversation">The session.</param>
public sealed record EarlierSession(Conversation Conversation)
{
    /// <summary>Where that run worked: the session belongs to that directory. Null where that is not on record.</summary>
    public string? Directory { get; init; }

    /// <summary>Whether the task reads as it was told in the session.</summary>
    public bool IsTaskTold { get; init; } = true;

    /// <summary>Whether what came before the task was told in the session as it is now.</summary>
    public bool AreParentsTold { get; init; } = true;

    /// <summary>Whether the task's feedback was told in the session.</summary>
    public bool IsFeedbackTold { get; init; }

    /// <summary>How many runs since have failed to take it up.</summary>
    public int Failures { get; init; }

    /// <summary>Why the task's latest run is not done, in one line; null where it is.</summary>
    public string? Reason { get; init; }
}

/// <summary>
/// What a run was told of its task, as hashes: that of the task, that of the tasks that it comes after if there are any, and that of its feedback. An edit of
/// the task, or another outcome of one of those, shows as another.
/// </summary>
internal static class ToldMark
{
    private const int Digits = 32;

    /// <param name="task">With the tasks that it comes after.</param>
    public static string Of(BoardTask task) => HasParents(task)
        ? $"{OfTask(task)}.{OfParents(task)}.{Hash(task.Feedback ?? "")}"
        : $"{OfTask(task)}.{Hash(task.Feedback ?? "")}";

    public static bool IsTaskIn(string told, BoardTask task) => told.StartsWith(OfTask(task) + ".", StringComparison.Ordinal);

    public static bool AreParentsIn(string told, BoardTask task) => !HasParents(task) || told.Contains($".{OfParents(task)}.", StringComparison.Ordinal);

    public static bool IsFeedbackIn(string told, BoardTask task) => told.EndsWith("." + Hash(task.Feedback ?? ""), StringComparison.Ordinal);

    private static bool HasParents(BoardTask task) => task.Parents is { Count: > 0 };

    // The capabilities decide which skills it is told.
    private static string OfTask(BoardTask task) => Hash($"{task.Title}\0{task.Description}\0{string.Join('\0', task.Capabilities)}");

    private static string OfParents(BoardTask task) => Hash(string.Join('\0', task.Parents!.Select(parent =>
        $"{parent.Number}\0{parent.Title}\0{parent.Status}\0{parent.Result?.Text}\0{parent.Change?.Branch}\0{parent.Change?.Head}\0{parent.Change?.State}\0{parent.Error?.Code}\0{parent.Error?.Message}")));

    private static string Hash(string text) => Sha256.HexOf(Encoding.UTF8.GetBytes(text))[..Digits];
}
