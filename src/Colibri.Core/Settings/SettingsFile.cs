using System.Text;
using Colibri.Posix.Host;

namespace Colibri.Core.Settings;

/// <summary>The configuration file: where it is, and whether it may be trusted. It decides what is executed.</summary>
public static class SettingsFile
{
    /// <summary>Names the file in place of the places where it is looked for.</summary>
    public const string Variable = "COLIBRI_CONFIG";

    /// <summary>Largest file that is read, in bytes.</summary>
    public const int MaxBytes = 1 << 20;

    private const uint TypeBits = 0xF000; // S_IFMT, sys/stat.h
    private const uint Regular = 0x8000; // S_IFREG
    private const uint OthersWrite = 0x12; // 0022

    /// <summary>The file to read; null where there is none.</summary>
    /// <param name="environment">Names it, or the user's directories.</param>
    /// <param name="isThere">Whether something is at a path.</param>
    /// <exception cref="ConfigurationException"><c>COLIBRI_CONFIG</c> is no absolute path.</exception>
    public static string? Find(IReadOnlyDictionary<string, string> environment, Predicate<string> isThere)
    {
        ArgumentNullException.ThrowIfNull(isThere);
        var reader = new EnvironmentReader(environment);
        return reader.AbsolutePath(Variable) ?? Places(reader).FirstOrDefault(place => isThere(place));
    }

    /// <summary>Reads the text.</summary>
    /// <exception cref="ConfigurationException">It cannot be read or not be trusted; the message says what to type.</exception>
    public static string Read(string path)
    {
        try
        {
            var owner = FileOwner.Of(path);
            if ((owner.Mode & TypeBits) != Regular)
                throw Invalid(path, "it is no file");
            if (owner.Uid != 0 && owner.Uid != ProcessUser.EffectiveUid)
                throw Invalid(path, $"it belongs to user {owner.Uid}, and it decides what is executed: chown root {path}");
            if ((owner.Mode & OthersWrite) != 0)
                throw Invalid(path, $"others than its owner may write it, and it decides what is executed: chmod go-w {path}");
            using var file = File.OpenRead(path);
            if (file.Length > MaxBytes)
                throw Invalid(path, $"it has more than {MaxBytes} bytes");
            // One byte more than the bound: the file may grow while it is read.
            var bytes = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            return length <= MaxBytes ? Decoded(path, bytes.AsSpan(0, length)) : throw Invalid(path, $"it has more than {MaxBytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Invalid(path, e.Message.ReplaceLineEndings(" "));
        }
    }

    private static string Decoded(string path, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (ArgumentException)
        {
            var line = 1 + bytes[..ValidLength(bytes)].Count((byte)'\n');
            throw Invalid(path, $"line {line} is no UTF-8");
        }
    }

    private static int ValidLength(ReadOnlySpan<byte> bytes)
    {
        var length = 0;
        while (Rune.DecodeFromUtf8(bytes[length..], out _, out var consumed) == System.Buffers.OperationStatus.Done)
            length += consumed;
        return length;
    }

    /// <summary>Where it is looked for, in this order, while <c>COLIBRI_CONFIG</c> names none.</summary>
    internal static IEnumerable<string> Places(EnvironmentReader reader)
    {
        // A relative one is to be ignored, as the XDG base directory specification says.
        var user = reader.Text("XDG_CONFIG_HOME") is { } config && config.StartsWith('/') ? config : reader.Text("HOME") is { } home ? Path.Combine(home, ".config") : null;
        if (user is not null && user.StartsWith('/'))
            yield return Path.Combine(user, "colibri", "colibri.toml");
        yield return "/usr/local/etc/colibri/colibri.toml";
        yield return "/etc/colibri/colibri.toml";
    }

    private static ConfigurationException Invalid(string path, string problem) => new($"configuration file {path} cannot be used: {problem}");
}
