using System.Text.Json;
using Colibri.Daemon.Commands;
using Colibri.Protocol;

namespace Colibri.Daemon.Server;

/// <summary>A request line, parsed but not yet run: its handler and fields, or the error reply.</summary>
/// <param name="Id">The id to repeat in the reply, as it was written.</param>
/// <param name="Command">The command's name; empty where the line has none.</param>
/// <param name="Handler">Null for <c>subscribe</c>, which the connection itself answers.</param>
/// <param name="Context">The fields; null where there is a failure.</param>
/// <param name="Failure">The error reply to a line that is no valid request.</param>
/// <param name="TooLarge">The line was beyond the limit.</param>
internal readonly record struct ParsedRequest(
    byte[] Id, string Command, CommandHandler? Handler, CommandContext? Context, Reply? Failure, bool TooLarge = false)
{
    public static ParsedRequest Oversize { get; } = new([], "", null, null, null, TooLarge: true);

    public static ParsedRequest Parse(ReadOnlySpan<byte> line, CommandTable commands)
    {
        RequestEnvelope envelope;
        try
        {
            envelope = RequestEnvelope.Read(line);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Fail([], "", ErrorCodes.BadJson, "the line is not one JSON object");
        }
        byte[] id = envelope.Id.IsEmpty ? [] : envelope.Id.ToArray();
        if (envelope.IdIsInvalid)
            return Fail(id, "", ErrorCodes.BadRequest, "id is neither a string nor a number");
        if (envelope.Command is not { } command)
            return Fail(id, "", ErrorCodes.BadRequest, "cmd is missing");
        var handler = commands.Find(command);
        if (handler is null && command != WireCommand.Subscribe.Name)
            return Fail(id, command, ErrorCodes.UnknownCommand, $"there is no command '{Shorten(command)}'; colibri --help lists them");
        try
        {
            // The hot path: a ping has no fields, so its line is not deserialised.
            var context = command == WireCommand.Ping.Name ? CommandContext.None : CommandContext.Parse(line);
            return new ParsedRequest(id, command, handler, context, null);
        }
        catch (RequestException e)
        {
            return Fail(id, command, e.Code, e.Message);
        }
    }

    private static ParsedRequest Fail(byte[] id, string command, string code, string message) =>
        new(id, command, null, null, Reply.Error(code, message));

    private static string Shorten(string command) => command.Length > 64 ? command[..64] + "…" : command;
}

/// <summary>A request that is answered with an error.</summary>
/// <param name="code">One of <see cref="Protocol.ErrorCodes"/>.</param>
/// <param name="message">One line for a person.</param>
internal sealed class RequestException(string code, string message) : Exception(message)
{
    public string Code { get; } = code;
}
