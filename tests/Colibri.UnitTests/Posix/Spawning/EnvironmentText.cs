using System.Text;
using Colibri.Posix.Spawning;

namespace Colibri.UnitTests.Posix.Spawning;

/// <summary>Environments as text, for tests of those that are text.</summary>
internal static class EnvironmentText
{
    /// <summary>Every entry must be NAME=VALUE, and each name stand there once.</summary>
    public static Dictionary<string, string> Text(this EnvironmentBlock environment) => environment.Entries.Select(Encoding.UTF8.GetString)
        .ToDictionary(entry => entry[..entry.IndexOf('=', StringComparison.Ordinal)], entry => entry[(entry.IndexOf('=', StringComparison.Ordinal) + 1)..]);
}
