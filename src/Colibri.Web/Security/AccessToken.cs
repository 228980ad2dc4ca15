using System.Security.Cryptography;
using System.Text;

namespace Colibri.Web.Security;

/// <summary>The token that actions need, and reading where that is asked for.</summary>
internal sealed class AccessToken
{
    private const int RandomBytes = 32;
    private const int ShortestToken = 32;
    private const int LongestToken = 512;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly byte[] _bytes;

    private AccessToken(string text, string path) => (Text, Path, _bytes) = (text, path, Encoding.ASCII.GetBytes(text));

    /// <summary>For the one address that is shown to the person who starts the program.</summary>
    public string Text { get; }

    public string Path { get; }

    /// <summary>The user's own token file.</summary>
    /// <exception cref="TokenException">There is no home directory.</exception>
    public static string DefaultPath(Func<string, string?> environment) => environment("HOME") is { Length: > 0 } home
        ? System.IO.Path.Combine(home, ".colibri", "web-token")
        : throw new TokenException("HOME is not set, so there is no place for a token (say where: --token-file PATH)");

    /// <summary>Reads the file, and makes it first where there is none.</summary>
    /// <exception cref="TokenException">It cannot be read or made, others may read it, or what is in it is no token.</exception>
    public static AccessToken Open(string path)
    {
        try
        {
            if (!File.Exists(path))
                Make(path);
            return Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new TokenException($"the token file {path} cannot be used: {e.Message}");
        }
    }

    /// <summary>Whether a text is the token, in a time that does not tell how much of it is right.</summary>
    public bool Is(ReadOnlySpan<char> text)
    {
        Span<byte> given = stackalloc byte[LongestToken];
        return text.Length <= given.Length && Ascii.FromUtf16(text, given, out var length) == System.Buffers.OperationStatus.Done
            && CryptographicOperations.FixedTimeEquals(given[..length], _bytes);
    }

    private static AccessToken Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
        // Of the open file: the path may lead to another one by now.
        if ((File.GetUnixFileMode(file.SafeFileHandle) & Others) != 0)
            throw new TokenException($"others may read the token file {path} (try: chmod 600 {path})");
        Span<byte> bytes = stackalloc byte[LongestToken + 2];
        var text = Encoding.ASCII.GetString(bytes[..file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false)]).TrimEnd('\n', '\r');
        return text.Length is >= ShortestToken and <= LongestToken && text.All(IsPartOfToken)
            ? new AccessToken(text, path)
            : throw new TokenException($"{path} holds no token: {ShortestToken} to {LongestToken} letters and digits on one line (remove it, and a new one is made)");
    }

    // RandomNumberGenerator would load OpenSSL, which a static executable cannot.
    private static void Make(string path)
    {
        if (System.IO.Path.GetDirectoryName(path) is { Length: > 0 } directory)
            Directory.CreateDirectory(directory, OwnerOnly | UnixFileMode.UserExecute);
        Span<byte> random = stackalloc byte[RandomBytes];
        using (var source = new FileStream("/dev/urandom", FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0))
            source.ReadExactly(random);
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        file.Write(Encoding.ASCII.GetBytes(Convert.ToHexStringLower(random) + "\n"));
    }

    private static bool IsPartOfToken(char part) => char.IsAsciiLetterOrDigit(part) || part is '-' or '_' or '.' or '~' or '+' or '/' or '=';
}

/// <summary>There is no usable token. The message is one line that names the file and the next step.</summary>
internal sealed class TokenException(string message) : Exception(message);
