using Microsoft.Win32.SafeHandles;

namespace Colibri.Cli;

/// <summary>What the process around the program is.</summary>
internal static class StandardOutput
{
    private const int NarrowestUseful = 40;

    /// <summary>Standard output as a stream that says when nobody reads it any more.</summary>
    public static Stream Open()
    {
        try
        {
            // The console's own stream swallows EPIPE, so that "colibri watch | head" would never end. A FileStream does not, but it
            // keeps a file's offset to itself, so that the next program writing to the same file would write over our output.
            var file = new FileStream(new SafeFileHandle(1, ownsHandle: false), FileAccess.Write, bufferSize: 0);
            return file.CanSeek ? Console.OpenStandardOutput() : file;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return Console.OpenStandardOutput();
        }
    }

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
}
