using Microsoft.Extensions.Logging;

namespace Colibri.Core.Board.Storage;

internal static partial class BoardLog
{
    [LoggerMessage(201, LogLevel.Error, "{Reason}")]
    public static partial void Unavailable(ILogger logger, string reason);

    [LoggerMessage(202, LogLevel.Information, "the board {Path} can be written again")]
    public static partial void Recovered(ILogger logger, string path);

    [LoggerMessage(203, LogLevel.Error, "a subscriber of the board failed on task {TaskId}")]
    public static partial void SubscriberFailed(ILogger logger, Exception error, string taskId);
}
