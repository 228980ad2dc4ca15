using System.Globalization;
using System.Text;

namespace Colibri.EndToEndTests.Harness;

/// <summary>A system call as strace -f -y writes it. It began no later than at line <see cref="Begun"/> of the trace, and ended at <see cref="Ended"/>.</summary>
/// <param name="Name">Of the call.</param>
/// <param name="Path">What its first argument, a descriptor, is of; empty where that is none.</param>
/// <param name="Arguments">All of them, as written.</param>
/// <param name="Thread">Who called.</param>
/// <param name="Begun">A line.</param>
/// <param name="Ended">A line; the last possible for a call that never ended.</param>
/// <param name="Succeeded">Whether it returned no error.</param>
internal sealed record TracedCall(string Name, string Path, string Arguments, int Thread, int Begun, int Ended, bool Succeeded)
{
    /// <summary>The first bytes of the first string among the arguments.</summary>
    public byte[] Bytes(int count)
    {
        var bytes = new List<byte>();
        for (var i = Arguments.IndexOf('"', StringComparison.Ordinal) + 1; bytes.Count < count; i++)
        {
            if (Arguments[i] != '\\')
            {
                bytes.Add((byte)Arguments[i]);
                continue;
            }
            var digits = Arguments.Skip(++i).Take(3).TakeWhile(c => c is >= '0' and <= '7').Count();
            bytes.Add(digits > 0 ? Convert.ToByte(Arguments.Substring(i, digits), 8) : (byte)"\t\n\v\f\r\"\\"["tnvfr\"\\".IndexOf(Arguments[i])]);
            i += Math.Max(0, digits - 1);
        }
        return [.. bytes];
    }
}

/// <summary>Traces a daemon, and reads the trace.</summary>
internal static class Strace
{
    private const int BytesOfName = 65;

    /// <param name="output">The trace, added to at each start.</param>
    /// <param name="calls">To be traced.</param>
    /// <param name="kernelVersion">What uname(2) is to say instead of the kernel's own; the daemon asks for it once.</param>
    /// <returns>A command for <see cref="ColibriDaemon.StartThroughAsync"/>: the daemon stays the process that was started, the tracer is another.</returns>
    public static IReadOnlyList<string> Command(string output, string calls, string? kernelVersion)
    {
        Skip.Unless(OperatingSystem.IsLinux(), "strace is Linux's");
        Skip.Unless(Environment.GetEnvironmentVariable("PATH")!.Split(':').Any(folder => File.Exists(Path.Combine(folder, "strace"))), "strace is not installed");
        List<string> command = ["strace", "-D", "-f", "-y", "-A", "-s", "4194304", "-e", "signal=none", "-e", $"trace=uname,{calls}", "-o", output];
        if (kernelVersion is not null)
        {
            // struct utsname: sysname, nodename, release, version and two more, 65 bytes each.
            var names = new byte[4 * BytesOfName];
            string[] texts = ["Linux", "node", "5.15.0", kernelVersion];
            for (var i = 0; i < texts.Length; i++)
                Encoding.ASCII.GetBytes(texts[i], names.AsSpan(i * BytesOfName));
            command.AddRange("-e", $"inject=uname:poke_exit=@arg1={Convert.ToHexStringLower(names)}");
        }
        return command;
    }

    /// <summary>The trace once everything traced has ended: the tracer writes that last.</summary>
    public static async Task<List<TracedCall>> ReadAsync(string output, int lastPid)
    {
        string[] lines = [];
        await Eventually.HoldsAsync(
            () => (lines = File.ReadAllLines(output, Encoding.Latin1)).Any(line => ThreadOf(line) == lastPid && line.Contains(" +++ ", StringComparison.Ordinal)),
            () => $"the trace of {lastPid} ends");
        var calls = new List<TracedCall>();
        var unfinished = new Dictionary<int, int>();
        for (var i = 0; i < lines.Length; i++)
        {
            var thread = ThreadOf(lines[i]);
            var text = lines[i][lines[i].IndexOf(' ')..].TrimStart(' ');
            if (text.StartsWith("<... ", StringComparison.Ordinal))
            {
                if (unfinished.Remove(thread, out var at))
                    calls[at] = calls[at] with { Ended = i, Succeeded = Succeeds(text) };
            }
            else if (text.IndexOf('(') is > 0 and var open && !text.StartsWith("+++", StringComparison.Ordinal))
            {
                var isWhole = !text.EndsWith("<unfinished ...>", StringComparison.Ordinal);
                if (!isWhole)
                    unfinished[thread] = calls.Count;
                calls.Add(new TracedCall(text[..open], PathIn(text), text[(open + 1)..], thread, i, isWhole ? i : int.MaxValue, isWhole && Succeeds(text)));
            }
        }
        return calls;
    }

    private static int ThreadOf(string line) => int.Parse(line.AsSpan(0, line.IndexOf(' ')), CultureInfo.InvariantCulture);

    private static bool Succeeds(string text) => !text[(text.LastIndexOf(") ", StringComparison.Ordinal) + 1)..].Contains("= -1 ", StringComparison.Ordinal);

    private static string PathIn(string text)
    {
        var (start, stop) = (text.IndexOf('<'), text.IndexOf('>'));
        return start > 0 && stop > start && text[..start].IndexOf(',') < 0 ? text[(start + 1)..stop] : "";
    }
}
