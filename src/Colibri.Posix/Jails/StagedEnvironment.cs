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

    /// <summary>Every entry, whatever its bytes; sorted by name, and those of one name in their order.</summary>
    public static IReadOnlyList<KeyValuePair<string, byte[]>> ForTrampoline(EnvironmentBlock variables, string directory)
    {
        using var text = new MemoryStream();
        foreach (var entry in Sorted(variables))
        {
            text.Write(entry);
            text.WriteByte(0);
        }
        return [new(EnvironmentFile, text.ToArray()), new(DirectoryFile, Utf8(directory + '\0'))];
    }

    /// <summary>
    /// The same for a shell, which exports any value, but only names of its own kind (<see cref="IsShellName"/>) and each of them once: of two
    /// entries of one name the first is kept, which is the one that getenv(3) finds.
    /// </summary>
    /// <exception cref="ArgumentException">A name cannot be passed through a shell, or an entry is none of NAME=VALUE.</exception>
    public static IReadOnlyList<KeyValuePair<string, byte[]>> ForShell(EnvironmentBlock variables, string directory)
    {
        using var text = new MemoryStream();
        var exported = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in Sorted(variables))
        {
            var name = Encoding.UTF8.GetString(EnvironmentBlock.NameOf(entry));
            if (!IsShellEntry(entry))
                throw new ArgumentException($"a shell cannot export a variable named '{name}'");
            if (!exported.Add(name))
                continue;
            text.Write(Utf8($"export {name}="));
            text.Write(Quoted(entry.AsSpan(name.Length + 1)));
            text.WriteByte((byte)'\n');
        }
        return [new(EnvironmentFile, text.ToArray()), new(DirectoryFile, [.. "cd "u8, .. Quoted(Utf8(directory)), (byte)'\n'])];
    }

    /// <summary>The entries that a shell can export.</summary>
    public static EnvironmentBlock ForAnyShell(EnvironmentBlock variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        return EnvironmentBlock.FromTerminated([.. variables.Entries.Where(IsShellEntry).SelectMany(entry => entry.Append((byte)0))]);
    }

    /// <summary>Whether a shell can export it: a letter or underscore, then letters, digits, underscores; and it has no use of its own for it.</summary>
    public static bool IsShellName(string name) =>
        name is [var first, ..] && (char.IsAsciiLetter(first) || first == '_') && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        && name is not ("OPTIND" or "PPID" or "LINENO" or "_");

    /// <summary>The texts of a file that <see cref="ForTrampoline"/> wrote.</summary>
    internal static IReadOnlyList<string> Entries(byte[] file) =>
        file.Length == 0 ? [] : NativeStrings.Utf8.GetString(file).TrimEnd('\0').Split('\0');

    private static bool IsShellEntry(byte[] entry) =>
        EnvironmentBlock.NameOf(entry) is var name && name.Length < entry.Length && IsShellName(Encoding.UTF8.GetString(name));

    private static IEnumerable<byte[]> Sorted(EnvironmentBlock variables) =>
        variables.Entries.OrderBy(entry => Encoding.Latin1.GetString(EnvironmentBlock.NameOf(entry)), StringComparer.Ordinal);

    private static byte[] Quoted(ReadOnlySpan<byte> text)
    {
        var quoted = new List<byte>(text.Length + 2) { (byte)'\'' };
        foreach (var next in text)
        {
            if (next == '\'')
                quoted.AddRange("'\\''"u8);
            else
                quoted.Add(next);
        }
        return [.. quoted, (byte)'\''];
    }

    private static byte[] Utf8(string text) => NativeStrings.Utf8.GetBytes(text);
}
