namespace Colibri.Core.Settings;

/// <summary>
/// Who is told of what, <c>[notify.NAME]</c>: a program that gets the message as JSON on its standard input, an address that it is posted to, or the
/// desktop.
/// </summary>
public sealed record NotifySettings
{
    /// <summary>How long one delivery may take, where nothing else is set.</summary>
    public static readonly TimeSpan UsualTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Every event, in the order in which <c>"all"</c> stands for them.</summary>
    public static IReadOnlyList<string> Events { get; } = ["question", "failed", "review", "held", "budget", "stalled", "disk", "provider", "schedule", "done"];

    public required string Name { get; init; }

    /// <summary>Of <see cref="Events"/>; empty for a sink of digests.</summary>
    public IReadOnlyList<string> On { get; init; } = [];

    /// <summary>The program and its arguments; null where it is something else.</summary>
    public IReadOnlyList<string>? Exec { get; init; }

    /// <summary>An <c>http://</c> or <c>https://</c> address; null where it is something else.</summary>
    public string? Url { get; init; }

    /// <summary>With <see cref="Url"/>: the Unix socket that it is reached by.</summary>
    public string? Socket { get; init; }

    /// <summary>With <see cref="Url"/>: the file of the secret that messages are signed with.</summary>
    public string? SecretFile { get; init; }

    /// <summary>A message on the desktop, by <c>notify-send</c>.</summary>
    public bool Desktop { get; init; }

    /// <summary>How long one delivery may take.</summary>
    public TimeSpan Timeout { get; init; } = UsualTimeout;

    /// <summary>When nothing is told; null for never.</summary>
    public QuietHours? Quiet { get; init; }

    /// <summary>A digest is told in place of single events, once in each such period; null for none.</summary>
    public TimeSpan? Every { get; init; }

    internal static IReadOnlyList<FileKey<NotifySettings>> Keys { get; } =
    [
        new("on", "a list of events, or all", ReadEvents, notify => notify.On.Count == 0 ? null : TomlLiteral.Texts(notify.On)),
        FileKey<NotifySettings>.Words("exec", "a program and its arguments", ReadProgram, notify => notify.Exec),
        // What follows the host may be what lets one post there.
        new("url", "an address", ReadUrl, notify => notify.Url is { } url ? TomlLiteral.Text(url) : null, notify => notify.Url is { } url ? TomlLiteral.Text($"{new Uri(url).GetLeftPart(UriPartial.Authority)}/...") : null),
        FileKey<NotifySettings>.Path("socket", notify => notify.Socket, (notify, path) => notify with { Socket = path }),
        FileKey<NotifySettings>.Path("secret_file", notify => notify.SecretFile, (notify, path) => notify with { SecretFile = path }),
        FileKey<NotifySettings>.Truth("desktop", notify => notify.Desktop, (notify, isWanted) => notify with { Desktop = isWanted }),
        FileKey<NotifySettings>.Duration("timeout", TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(10), notify => notify.Timeout, (notify, timeout) => notify with { Timeout = timeout }),
        new("quiet", "hours such as 22:00-07:00", ReadQuiet, notify => notify.Quiet is { } quiet ? TomlLiteral.Text(quiet.ToString()) : null),
        FileKey<NotifySettings>.Duration("every", TimeSpan.FromMinutes(1), TimeSpan.FromDays(31), notify => notify.Every, (notify, every) => notify with { Every = every }),
    ];

    /// <summary>What of a table as a whole cannot be used; null where nothing is wrong.</summary>
    internal static string? WhyNot(NotifySettings notify, Predicate<string> isStated)
    {
        var events = $"use on = \"all\", or a list of {string.Join(", ", Events)}";
        if (!isStated("on") && !isStated("every"))
            return $"has no events; {events}; or every = \"24h\" for a digest";
        if (isStated("on") && isStated("every"))
            return "has both on and every; a digest is told in place of single events, so make it a sink of its own";
        if ((isStated("exec") ? 1 : 0) + (isStated("url") ? 1 : 0) + (notify.Desktop ? 1 : 0) != 1)
            return "needs one of exec, url, and desktop = true";
        return (isStated("socket") || isStated("secret_file")) && notify.Url is null ? "has socket or secret_file without url"
            : notify is { Socket: not null, Url: { } url } && !url.StartsWith("http:", StringComparison.OrdinalIgnoreCase) ? "has a socket, so its url begins with http://"
            : null;
    }

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
        const string Remedy = "use an address that begins with http:// or https://, without user and password";
        var url = value.Unseen(
            static text => Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps) && uri.UserInfo.Length == 0, Remedy);
        return notify with { Url = url };
    }

    private static NotifySettings ReadQuiet(NotifySettings notify, FileValue value)
    {
        QuietHours? hours = null;
        value.Text(text => QuietHours.TryParse(text, out hours), "use two times of the day in the host's zone, such as \"22:00-07:00\"");
        return notify with { Quiet = hours };
    }
}

/// <summary>Hours of the day in which nothing is told; over midnight where the end is the earlier one.</summary>
/// <param name="From">Their beginning, in the host's time zone.</param>
/// <param name="To">Their end, which is not among them.</param>
public sealed record QuietHours(TimeOnly From, TimeOnly To)
{
    private const string Form = "HH:mm";

    /// <summary>Whether a time of the day is among them.</summary>
    public bool Has(TimeOnly time) => From < To ? time >= From && time < To : time >= From || time < To;

    public override string ToString() => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{From:HH:mm}-{To:HH:mm}");

    internal static bool TryParse(string text, out QuietHours? hours)
    {
        hours = null;
        var invariant = System.Globalization.CultureInfo.InvariantCulture;
        if (text.Split('-') is not [var from, var to]
            || !TimeOnly.TryParseExact(from.Trim(), Form, invariant, System.Globalization.DateTimeStyles.None, out var begin)
            || !TimeOnly.TryParseExact(to.Trim(), Form, invariant, System.Globalization.DateTimeStyles.None, out var end)
            || begin == end)
            return false;
        hours = new QuietHours(begin, end);
        return true;
    }
}
