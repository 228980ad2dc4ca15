using System.Text;
using Colibri.Core.Settings;

namespace Colibri.Core.Sessions.Prompts;

/// <summary>The text that every prompt starts with: the same bytes in every session, mode and restart, so that a provider's prefix cache hits.</summary>
public sealed class PromptPrefix
{
    /// <summary>Longest prefix file, in bytes.</summary>
    public const int MaxBytes = 1024 * 1024;

    // Any change to this text makes every cached prefix in the field miss once.
    private const string BuiltInText = """
        You work under the supervision of Colibri. Colibri gives you a task, keeps the log of what is said and done in this session, and stops
        you when the task is over.

        - Do the task that is stated last, and nothing beyond it.
        - What stands before it is the log of this session. Where it begins with a summary, that stands for older entries.
        - Long tool results are shortened; a line in them says how much is missing. Run the tool again for a part that you need.
        - Say what you did and what is left when you finish. Say plainly what failed.
        """;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private PromptPrefix(byte[] utf8)
    {
        Text = Strict.GetString(utf8);
        Bytes = utf8.Length;
        Sha256 = Sessions.Sha256.HexOf(utf8);
    }

    /// <summary>The one to use where no file states another.</summary>
    public static PromptPrefix BuiltIn { get; } = new(Encoding.UTF8.GetBytes(BuiltInText.ReplaceLineEndings("\n")));

    public string Text { get; }

    /// <summary>Length in UTF-8.</summary>
    public int Bytes { get; }

    /// <summary>SHA-256 of the UTF-8 bytes, in lower-case hexadecimal.</summary>
    public string Sha256 { get; }

    /// <summary>Reads the operator's own prefix, once: a later change of the file shows after a restart.</summary>
    /// <param name="path">The value of <c>COLIBRI_PROMPT_PREFIX_FILE</c>; null for the built-in prefix.</param>
    /// <exception cref="ConfigurationException">The file cannot be read, is no UTF-8, or is longer than <see cref="MaxBytes"/>.</exception>
    public static PromptPrefix Load(string? path)
    {
        if (path is null)
            return BuiltIn;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
            var content = new byte[MaxBytes + 1];
            var length = file.ReadAtLeast(content, content.Length, throwOnEndOfStream: false);
            return length <= MaxBytes
                ? new PromptPrefix(content[..length])
                : throw Unusable(path, $"use a file of at most {MaxBytes} bytes");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, e.Message);
        }
        catch (DecoderFallbackException)
        {
            throw Unusable(path, "use a file in UTF-8");
        }
    }

    private static ConfigurationException Unusable(string path, string remedy) => EnvironmentReader.Invalid("COLIBRI_PROMPT_PREFIX_FILE", path, remedy);
}
