using System.Globalization;
using Colibri.Core.Board.Verbs;
using Colibri.Core.Providers;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Notices;

/// <summary>What is told, as one line for a person.</summary>
internal static class NoticeWords
{
    /// <summary>One line of one notice, or of several.</summary>
    public static string Line(IReadOnlyList<Notice> told, Secrets secrets) => secrets.Excerpt(told.Count == 1 ? Line(told[0]) : Summary(told), NoticeWatch.MostCharacters);

    /// <summary>One line of a digest.</summary>
    public static string Line(NoticeDigest digest) => string.Create(
        CultureInfo.InvariantCulture,
        $"since {digest.From:yyyy-MM-dd'T'HH:mm'Z'}: {digest.Runs} runs, {digest.Done} tasks done, {digest.Failed} failed, {digest.Cancelled} cancelled, {Dollars(digest)}; {digest.Waiting} wait for a person");

    private static string Line(Notice notice)
    {
        var task = notice.TaskNumber is { } number ? $"task {number.ToString(CultureInfo.InvariantCulture)}{(notice.Title is { } title ? $" ({title})" : "")}: " : "";
        return $"{OutboxVerbs.Text(notice.Kind)}: {task}{notice.Message}{(notice.EndedAt is not null && notice.Kind is not NoticeKind.Done and not NoticeKind.Digest ? " (it is over)" : "")}";
    }

    private static string Summary(IReadOnlyList<Notice> told)
    {
        var counts = told.GroupBy(notice => notice.Kind).OrderBy(group => group.Key).Select(group => $"{group.Count().ToString(CultureInfo.InvariantCulture)} {OutboxVerbs.Text(group.Key)}");
        return $"{string.Join(", ", counts)}; the first: {Line(told[0])}";
    }

    private static string Dollars(NoticeDigest digest)
    {
        var known = (digest.CostMicrocents / 100_000_000m).ToString("0.00", CultureInfo.InvariantCulture);
        return digest.UnpricedTokens > 0 ? string.Create(CultureInfo.InvariantCulture, $"{known} USD and {digest.UnpricedTokens} tokens without a price") : $"{known} USD";
    }
}
