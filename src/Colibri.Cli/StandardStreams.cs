using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Colibri.Cli;

/// <summary>
/// The process's streams, without <see cref="Console"/> where possible: it swallows EPIPE, so that <c>colibri watch | head</c> would never end.
/// </summary>
internal static class StandardStreams
{
    private const int NarrowestUseful = 40;
    private const int StandardInput = 0;
    private const int StandardOutput = 1;
    private const int StandardError = 2;

    /// <summary>
    /// The environment as it was. TERM is hidden from the console, which would write that terminal's keypad sequence to it before our
    /// first byte; the width it asks of the terminal itself.
    /// </summary>
    public static Func<string, string?> TakeEnvironment()
    {
        var term = Environment.GetEnvironmentVariable("TERM");
        Environment.SetEnvironmentVariable("TERM", null);
        return name => name == "TERM" ? term : Environment.GetEnvironmentVariable(name);
    }

    public static TextReader OpenInput() => new StreamReader(OpenDescriptor(StandardInput, FileAccess.Read) ?? Stream.Null, Utf8);

    public static Stream OpenOutput() => OpenDescriptor(StandardOutput, FileAccess.Write) switch
    {
        // A FileStream writes at an offset of its own, so the next program that writes to the same file would overwrite our output.
        null or { CanSeek: true } => Console.OpenStandardOutput(),
        var stream => stream,
    };

    public static TextWriter OpenError() => new StreamWriter(
        OpenDescriptor(StandardError, FileAccess.Write) switch
        {
            null or { CanSeek: true } => Console.OpenStandardError(),
            var stream => stream,
        }, Utf8);

    public static int Width()
    {
        if (int.TryParse(Environment.GetEnvironmentVariable("COLUMNS"), out var said) && said > 0)
            return Math.Max(said, NarrowestUseful);
        if (Console.IsOutputRedirected)
            return CliHost.DefaultWidth;
        var width = Console.WindowWidth;
        return width > 0 ? Math.Max(width, NarrowestUseful) : CliHost.DefaultWidth;
    }

    public static string? CurrentDirectory()
    {
        try
        {
            return Environment.CurrentDirectory;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static UTF8Encoding Utf8 { get; } = new(encoderShouldEmitUTF8Identifier: false);

    private static FileStream? OpenDescriptor(int descriptor, FileAccess access)
    {
        try
        {
            return new FileStream(new SafeFileHandle(descriptor, ownsHandle: false), access, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }
}
