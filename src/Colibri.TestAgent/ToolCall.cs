using System.Text.Json;

namespace Colibri.TestAgent;

/// <summary>One use of the bash tool. Nothing is run: the output is known beforehand.</summary>
internal sealed record ToolCall(string Id, string Command, string Output, bool IsError = false)
{
    /// <summary>As a part of the assistant's message.</summary>
    public void WriteContent(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "toolCall"u8);
        json.WriteString("id"u8, Id);
        json.WriteString("name"u8, "bash"u8);
        WriteArguments(json, "arguments");
        json.WriteEndObject();
    }

    /// <summary>As members of an event about it.</summary>
    public void WriteNames(Utf8JsonWriter json)
    {
        json.WriteString("toolCallId"u8, Id);
        json.WriteString("toolName"u8, "bash"u8);
    }

    public void WriteArguments(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject(name);
        json.WriteString("command"u8, Command);
        json.WriteEndObject();
    }

    public static void WriteOutput(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject(name);
        json.WriteStartArray("content"u8);
        if (text.Length > 0)
            Messages.WriteText(json, text);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
