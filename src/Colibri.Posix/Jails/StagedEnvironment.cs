using System.Text;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Jails;

/// <summary>
/// An environment and a working directory as files, for a process that must not have them on its command line: for the trampoline
/// entries that end with NUL, as execve(2) takes them; for sh(1) lines that it evaluates.
/// </summary>
public static class StagedEnvironment
{
    /// <summary>The file of the environment.</summary>
    public const string EnvironmentFile = "environment";

    /// <summary>The file of the working directory.</summary>
    public const string DirectoryFile = "directory";

    /// <summary>Both.</summary>
    public static IReadOnlyList<string> Files { get; } = [EnvironmentFile, DirectoryFile];

    /// <summary>Any value but one with a NUL; sorted by name.</summary>
    /// <exception cref="ArgumentException">A name or value cannot be passed to a process.</exception>
    public static IReadOnlyList<KeyValuePair<string, byte[]>> ForTrampoline(IReadOnlyDictionary<string, string> variables, string directory)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in Sorted(variables))
            text.Append(name).Append('=').Append(value).Append('\0');
        return [new(EnvironmentFile, Bytes(text)), new(DirectoryFile, Bytes(new StringBuilder(directory).Append('\0')))];
    }

    /// <summary>The same for a shell; the names must be ones that it can export (<see cref="IsShellName"/>).</summary>
    /// <exception cref="ArgumentException">A name or value cannot be passed through a shell.</exception>
    public static IReadOnlyList<KeyValuePair<string, byte[]>> ForShell(IReadOnlyDictionary<string, string> variables, string directory)
    {
        var text = new StringBuilder();
        foreach (var (name, value) in Sorted(variables))
        {
            if (!IsShellName(name))
                throw new ArgumentException($"a shell cannot export a variable named '{name}'");
            text.Append("export ").Append(name).Append('=').Append(Quoted(value)).Append('\n');
        }
        return [new(EnvironmentFile, Bytes(text)), new(DirectoryFile, Bytes(new StringBuilder($"cd {Quoted(directory)}\n")))];
    }

    /// <summary>Whether a shell can export it: a letter or underscore, then letters, digits, underscores; and it has no use of its own for it.</summary>
    public static bool IsShellName(string name) =>
        name is [var first, ..] && (char.IsAsciiLetter(first) || first == '_') && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        && name is not ("OPTIND" or "PPID" or "LINENO" or "_");

    /// <summary>The entries that <see cref="ForTrampoline"/> wrote.</summary>
    internal static IReadOnlyList<string> Entries(byte[] file) =>
        file.Length == 0 ? [] : NativeStrings.Utf8.GetString(file).TrimEnd('\0').Split('\0');

    private static IEnumerable<KeyValuePair<string, string>> Sorted(IReadOnlyDictionary<string, string> variables)
    {
        foreach (var (name, value) in variables)
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0') || value.Contains('\0'))
                throw new ArgumentException($"not an environment variable: '{name}'");
        }
        return variables.OrderBy(variable => variable.Key, StringComparer.Ordinal);
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";

    private static byte[] Bytes(StringBuilder text) => NativeStrings.Utf8.GetBytes(text.ToString());
}
