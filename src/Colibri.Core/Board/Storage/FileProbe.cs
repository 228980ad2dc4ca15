using Colibri.Core.Board.Verbs;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Colibri.Core.Board.Storage;

/// <summary>Looks at a board's files from outside its writer, and asks the writer to try again while something is wrong.</summary>
internal sealed class FileProbe(BoardHold hold, BoardWriter writer, BoardOptions options)
{
    /// <summary>The setting on the board that the probe writes: an empty commit succeeds on a full disk as well.</summary>
    private const string Setting = "disk-probe";

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private readonly ILogger _logger = options.Logger ?? NullLogger.Instance;
    private Task _trying = Task.CompletedTask;
    private long? _triedAt;
    private bool _wasWrong;

    /// <summary>Called by one thread at a time.</summary>
    public IReadOnlyList<StatusFile> Look()
    {
        var found = hold.Look(_logger);
        var trouble = writer.Trouble;
        var isWrong = trouble is not null || hold.IsLogLost;
        if (isWrong || _wasWrong)
            TryAgain();
        _wasWrong = isWrong;
        // A loss says more, and is the reason of the trouble.
        return trouble is null || found.Any(file => file.What == "board") ? found
            : [.. found, new StatusFile("board", hold.Path, StatusFile.Refused, trouble)];
    }

    private void TryAgain()
    {
        if (!_trying.IsCompleted || (_triedAt is { } at && options.Time.GetElapsedTime(at) < Pause))
            return;
        _triedAt = options.Time.GetTimestamp();
        _trying = Background.Run(_logger, "trying whether the board can be written", WriteAsync());
    }

    private async Task WriteAsync()
    {
        try
        {
            await writer.WriteAsync(static scope =>
            {
                RegistryVerbs.Set(scope, Setting, scope.Now.ToString(System.Globalization.CultureInfo.InvariantCulture));
                return true;
            }).ConfigureAwait(false);
        }
        catch (Exception error) when (error is BoardUnavailableException or ObjectDisposedException)
        {
            // The refusal is told as every other one.
        }
    }
}
