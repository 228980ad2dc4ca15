namespace Colibri.Protocol;

/// <summary>Every code a reply's error can have.</summary>
public static class ErrorCodes
{
    public const string BadJson = "bad-json";

    /// <summary>A field is missing or invalid; the message names it.</summary>
    public const string BadRequest = "bad-request";
    public const string UnknownCommand = "unknown-command";
    public const string NotFound = "not-found";

    /// <summary>The life cycle has no such edge, or another client was faster.</summary>
    public const string Conflict = "conflict";
    public const string TooLarge = "too-large";
    public const string Denied = "denied";

    /// <summary>Right request, wrong moment or host: the daemon is stopping, the disk is full, the thing is not there.</summary>
    public const string Unavailable = "unavailable";
    public const string Internal = "internal";
}
