using Colibri.Core.Settings;
using Colibri.Posix.Host;

namespace Colibri.Core.Providers;

/// <summary>The operator's file of keys: <c>NAME=VALUE</c> lines, as sh(1) would read them from assignments.</summary>
public static class ProviderEnvFile
{
    /// <summary>Largest file that is read, in bytes.</summary>
    public const long MaxBytes = 64 * 1024;

    private const uint PermissionBits = 0x1FF; // 0777, sys/stat.h
    private const uint OthersBits = 0x3F; // 0077

    /// <summary>Reads the file.</summary>
    /// <exception cref="ConfigurationException">It cannot be read, its mode lets others read it, or another user owns it; the message says what to type.</exception>
    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        try
        {
            var owner = FileOwner.Of(path);
            if ((owner.Mode & OthersBits) != 0)
                throw Invalid(path, $"its mode is {Convert.ToString(owner.Mode & PermissionBits, 8)} and others may look at it: chmod 600 {path}");
            if (owner.Uid != 0 && owner.Uid != ProcessUser.EffectiveUid)
                throw Invalid(path, $"it belongs to user {owner.Uid}: chown root {path}");
            if (new FileInfo(path).Length > MaxBytes)
                throw Invalid(path, $"it has more than {MaxBytes} bytes");
            return Parse(File.ReadAllLines(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, e.Message.ReplaceLineEndings(" "));
        }
    }

    internal static IReadOnlyDictionary<string, string> Parse(IReadOnlyList<string> lines, string path)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < lines.Count; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line.StartsWith("export ", StringComparison.Ordinal))
                line = line["export ".Length..].TrimStart();
            var equals = line.IndexOf('=');
            if (equals <= 0 || !line[..equals].All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
                throw Invalid(path, $"line {i + 1} is no NAME=VALUE");
            // The value is not shown: it may be a key.
            values[line[..equals]] = Unquoted(line[(equals + 1)..]) ?? throw Invalid(path, $"line {i + 1} has a quote that is not closed");
        }
        return values;
    }

    private static string? Unquoted(string value)
    {
        if (value.Length == 0 || value[0] is not ('"' or '\''))
            return value.IndexOf(" #", StringComparison.Ordinal) is var comment and >= 0 ? value[..comment].TrimEnd() : value;
        var end = value.IndexOf(value[0], 1);
        return end > 0 ? value[1..end] : null;
    }

    private static ConfigurationException Invalid(string path, string problem) => new($"provider file {path} cannot be used: {problem}");
}
