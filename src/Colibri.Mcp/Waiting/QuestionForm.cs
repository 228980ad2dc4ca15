using System.Text.Json;
using Colibri.Protocol;
using Colibri.Protocol.Wire;
using ModelContextProtocol.Protocol;

namespace Colibri.Mcp.Waiting;

/// <summary>An agent's question as a form for the person behind the client, and the form's answer as an <c>answer</c>.</summary>
internal static class QuestionForm
{
    private const string Value = "value";
    private const string Confirmed = "confirmed";

    /// <summary>What the client shows. The words in it are the agent's, and it says so.</summary>
    public static ElicitRequestParams Of(Pane pane, AgentQuestion question) => new()
    {
        Message = $"Agent {pane.Label ?? pane.Id} ({pane.Agent}){(pane.TaskNumber is { } number ? $", at work on task {number}," : "")} asks:\n{question.Words}",
        RequestedSchema = new ElicitRequestParams.RequestSchema
        {
            Properties = { [IsChoice(question) || !IsYesOrNo(question) ? Value : Confirmed] = Field(question) },
            Required = [IsChoice(question) || !IsYesOrNo(question) ? Value : Confirmed],
        },
    };

    /// <summary>Null where the form holds no answer.</summary>
    public static CommandRequest? Answer(Pane pane, AgentQuestion question, IDictionary<string, JsonElement>? content)
    {
        var answer = new CommandRequest { Cmd = WireCommand.AnswerAgent.Name, AgentId = pane.Id, Request = question.Request };
        if (content is null)
            return null;
        if (content.TryGetValue(Value, out var value) && value.ValueKind == JsonValueKind.String)
            return answer with { Value = value.GetString() };
        return content.TryGetValue(Confirmed, out var confirmed) && confirmed.ValueKind is JsonValueKind.True or JsonValueKind.False
            ? answer with { Confirmed = confirmed.GetBoolean() }
            : null;
    }

    private static bool IsChoice(AgentQuestion question) => question.Options is { Count: > 0 };

    private static bool IsYesOrNo(AgentQuestion question) => question.Method is "confirm" or AgentQuestion.Permission;

    private static ElicitRequestParams.PrimitiveSchemaDefinition Field(AgentQuestion question)
    {
        var title = question.Title ?? question.Method;
        if (IsChoice(question))
            return new ElicitRequestParams.UntitledSingleSelectEnumSchema { Title = title, Enum = [.. question.Options!] };
        return IsYesOrNo(question)
            ? new ElicitRequestParams.BooleanSchema { Title = title }
            : new ElicitRequestParams.StringSchema { Title = title };
    }
}
