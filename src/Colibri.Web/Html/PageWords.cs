using System.Globalization;
using Colibri.Protocol.Wire;

namespace Colibri.Web.Html;

/// <summary>What only pages write, beside the words that all programs share.</summary>
internal static class PageWords
{
    extension(Words)
    {
        /// <summary>A number in an address or an attribute, without separators.</summary>
        public static string Plain(long number) => number.ToString(CultureInfo.InvariantCulture);

        /// <summary>A moment to the second, as it stands in a page before its age does.</summary>
        public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

        public static string Kind(InboxKind kind) => kind is InboxKind.NoAgent ? "no agent" : Words.Of(kind);

        public static string Kind(SessionEntryKind kind) => kind switch
        {
            SessionEntryKind.User => "prompt",
            SessionEntryKind.Assistant => "agent",
            _ => Words.Of(kind).Replace('_', ' '),
        };

        /// <summary>How a process ended.</summary>
        public static string End(ProcessExit exit) => exit switch
        {
            { Code: { } code } => $"exit {Plain(code)}",
            { Signal: { } signal } => $"signal {Plain(signal)}",
            _ => "exit status lost",
        };
    }
}
