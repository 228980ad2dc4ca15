using Colibri.Protocol.Wire;

namespace Colibri.Cli.Output;

/// <summary>An agent's question for a person.</summary>
internal static class QuestionView
{
    /// <summary>What to type to answer it.</summary>
    /// <param name="agent">The agent's label or id.</param>
    /// <param name="question">The question.</param>
    public static string Answer(string agent, AgentQuestion question) =>
        $"colibri answer {agent} {(question.Method is "confirm" or AgentQuestion.Permission ? "--yes|--no" : "--value TEXT")}";
}
