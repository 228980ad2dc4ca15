using System.Globalization;
using System.Text;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;

namespace Colibri.Posix.Spawning;

/// <summary>Checks the arguments of a spawn, and words the error of one that the system refused.</summary>
internal static class SpawnArguments
{
    public static void Check(SpawnOptions options)
    {
        if (!options.Path.StartsWith('/'))
            throw new ArgumentException($"the path of a process must be absolute: {options.Path}", nameof(options));
        if (options.WorkingDirectory is { } directory && (directory.Length == 0 || directory.Contains('\0', StringComparison.Ordinal)))
            throw new ArgumentException("the working directory is empty or holds a NUL", nameof(options));
    }

    public static SpawnException Explain(SpawnOptions options, int errno)
    {
        var reason = Errno.Describe(errno);
        if (options.WorkingDirectory is { } directory && WhyNotEnter(directory) is { } closed)
            return new SpawnException($"cannot start {options.Path} in {directory}: {reason}{closed}", errno);
        var hint = errno == AbiConstants.E2BIG ? TooMuch(options) : FailedExec.Explain(options.Path, errno);
        return new SpawnException($"cannot start {options.Path}: {reason}{(hint.Length > 0 ? "; " : "")}{hint}", errno);
    }

    private static string TooMuch(SpawnOptions options)
    {
        long total = 0;
        var (longest, variable) = (0, (string?)null);
        foreach (var argument in (string[])[options.Path, .. options.Arguments])
            Count(Encoding.UTF8.GetByteCount(argument) + 1, null);
        foreach (var entry in options.Environment.Entries)
            Count(entry.Length + 1, entry);
        // What most often is that long is a prompt.
        var way = variable is null
            ? "use rpc, which sends the prompt on standard input, or a shorter task"
            : $"the longest is the variable {variable}: unset it for the daemon, or shorten it";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"arguments and environment take {total} bytes, the longest string {longest} (Linux takes {AbiConstants.MAX_ARG_STRLEN} for one string); {way}");

        void Count(int length, byte[]? entry)
        {
            total += length;
            if (length <= longest)
                return;
            longest = length;
            variable = entry is null ? null : Encoding.UTF8.GetString(EnvironmentBlock.NameOf(entry));
        }
    }

    // Null where it can be entered.
    private static unsafe string? WhyNotEnter(string directory)
    {
        if (!Directory.Exists(directory))
            return File.Exists(directory) ? "; it is no directory" : "";
        fixed (byte* path = PosixSpawn.CString(directory))
            return Libc.access(path, AbiConstants.X_OK) == 0 ? null : $"; uid {ProcessUser.EffectiveUid} may not enter it: chmod a+x {directory}";
    }
}
