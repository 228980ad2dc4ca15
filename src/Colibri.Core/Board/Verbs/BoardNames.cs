using Colibri.Core.Board.Storage;

namespace Colibri.Core.Board.Verbs;

/// <summary>
/// Ids that people can type, turned into ids at the one place: a task's number (<c>12</c>), an agent's label (<c>a12</c>). What names nothing
/// stays as it is, for the verb to refuse. Numbers are looked up in the verb's own transaction, so that requests sent together keep their order.
/// </summary>
internal static class BoardNames
{
    private const string TaskOfNumber = "SELECT id FROM tasks WHERE seq = $number";

    private const string AgentOfNumber = "SELECT id FROM agents WHERE number = $number";

    public static string Task(WriteScope scope, string name) =>
        AgentLabel.Digits(name) is { } number ? scope.First(TaskOfNumber, row => row.GetString(0), ("$number", number)) ?? name : name;

    public static string Task(BoardConnection connection, string name) =>
        AgentLabel.Digits(name) is { } number ? connection[TaskOfNumber].Bind(("$number", number)).First(row => row.GetString(0)) ?? name : name;

    public static string Agent(WriteScope scope, string name) =>
        AgentLabel.NumberOf(name) is { } number ? scope.First(AgentOfNumber, row => row.GetString(0), ("$number", number)) ?? name : name;

    public static string Agent(BoardConnection connection, string name) =>
        AgentLabel.NumberOf(name) is { } number ? connection[AgentOfNumber].Bind(("$number", number)).First(row => row.GetString(0)) ?? name : name;
}
