using Colibri.Core.Board.Storage;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Panes;

/// <summary>
/// Takes down what an agent said and did. Called on the thread that feeds the pane, between reads, with no lock held; what it throws
/// goes to whoever feeds.
/// </summary>
public interface ITranscript
{
    /// <summary>Once for each finished message of the assistant that has words in it.</summary>
    void Assistant(string text);

    /// <summary>Once for each finished tool call.</summary>
    /// <param name="tool">Null when the agent never named it.</param>
    /// <param name="isError">The agent says the tool failed.</param>
    /// <param name="text">Empty when it answered no words.</param>
    void ToolResult(string? tool, bool isError, string text);

    /// <summary>Once for each report, with what it adds to those before it.</summary>
    void Usage(Usage usage);
}
