namespace Colibri.Core.Settings;

/// <summary>Who is told of what, <c>[notify.NAME]</c>: a program that gets the event as JSON on its standard input, or an address that it is posted to.</summary>
public sealed record NotifySettings
{
    /// <summary>Every event, in the order in which <c>"all"</c> stands for them.</summary>
    public static IReadOnlyList<string> Events { get; } = ["question", "failed", "review", "budget", "stalled", "disk", "provider"];

    public required string Name { get; init; }

    /// <summary>Of <see cref="Events"/>.</summary>
    public IReadOnlyList<string> On { get; init; } = [];

    /// <summary>The program and its arguments; null where it is an address.</summary>
    public IReadOnlyList<string>? Exec { get; init; }

    /// <summary>An <c>http://</c> address; null where it is a program.</summary>
    public string? Url { get; init; }

    internal static IReadOnlyList<FileKey<NotifySettings>> Keys { get; } =
    [
        new("on", "a list of events, or all", ReadEvents, notify => notify.On.Count == 0 ? null : TomlLiteral.Texts(notify.On)),
        FileKey<NotifySettings>.Words("exec", "a program and its arguments", ReadProgram, notify => notify.Exec),
        // What follows the host may be what lets one post there.
        new("url", "an address", ReadUrl, notify => notify.Url is { } url ? TomlLiteral.Text(url) : null, notify => notify.Url is { } url ? TomlLiteral.Text($"http://{new Uri(url).Authority}/...") : null),
    ];

    private static NotifySettings ReadEvents(NotifySettings notify, FileValue value)
    {
        var remedy = $"use \"all\", or a list of {string.Join(", ", Events)}";
        return notify with { On = value.IsText("all") ? Events : [.. value.Names(Events.Count, Events.Contains, remedy).Distinct()] };
    }

    private static NotifySettings ReadProgram(NotifySettings notify, FileValue value) =>
        value.Texts(ProfileKeys.MaxArguments) is { Count: > 0 } words && words[0].StartsWith('/')
            ? notify with { Exec = words }
            : throw value.Refused("use a list with the absolute path of a program and its arguments");

    private static NotifySettings ReadUrl(NotifySettings notify, FileValue value)
    {
        const string Remedy = "use an address that begins with http://, without user and password";
        var url = value.Unseen(static text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp && uri.UserInfo.Length == 0, Remedy);
        return notify with { Url = url };
    }
}
