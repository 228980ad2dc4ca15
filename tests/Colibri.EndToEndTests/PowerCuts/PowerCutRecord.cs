using System.Text;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.PowerCuts;

/// <summary>One thing that a daemon under the recorder did.</summary>
/// <param name="Kind">What: see <see cref="PowerCutRecord"/>.</param>
/// <param name="Inode">Of which file or directory; of an answer the descriptor.</param>
/// <param name="Number">Offset of a write, new length, 1 for an opening that truncates; of a sync the descriptor.</param>
/// <param name="Bytes">What was written or answered, or a path.</param>
/// <param name="To">The new path of a rename.</param>
internal readonly record struct PowerCutEvent(char Kind, ulong Inode, long Number, byte[] Bytes, byte[] To)
{
    public string Path => Encoding.UTF8.GetString(Bytes);
    public string NewPath => Encoding.UTF8.GetString(To);
}

/// <summary>Runs a daemon with recorder.c preloaded, and reads what that put on record.</summary>
internal static class PowerCutRecord
{
    public const char Opened = 'o', Directory = 'd', Write = 'w', Truncate = 't', Rename = 'r', Remove = 'u';
    public const char SyncBegun = 'S', DataSyncBegun = 'D', Synced = 'e', Answer = 'a';

    private const int HeadBytes = 25;

    /// <summary>The compiled recorder; the C compiler is there where the executables were linked.</summary>
    public static async Task<string> CompileAsync(TempDirectory directory)
    {
        Skip.Unless(OperatingSystem.IsLinux(), "the recorder is written for glibc");
        var library = directory.File("recorder.so");
        var source = System.IO.Path.Combine(Repository.Root, "tests", "Colibri.EndToEndTests", "PowerCuts", "recorder.c");
        var compiled = await Launch.ToEndAsync("/bin/sh",
            ["-c", "$(command -v gcc || command -v clang) -Wall -Wextra -Werror -shared -fPIC -O2 -o \"$0\" \"$1\" -ldl", library, source]);
        compiled.ExitCode.ShouldBe(0, compiled.ToString());
        return library;
    }

    /// <summary>All that is on record; the last may be torn, for the daemon was killed.</summary>
    public static List<PowerCutEvent> Read(string path)
    {
        using var reader = new BinaryReader(File.OpenRead(path));
        var events = new List<PowerCutEvent>();
        while (reader.BaseStream.Length - reader.BaseStream.Position >= HeadBytes)
        {
            var (kind, inode, number) = ((char)reader.ReadByte(), reader.ReadUInt64(), reader.ReadInt64());
            var (length, toLength) = (reader.ReadInt32(), reader.ReadInt32());
            if (reader.BaseStream.Length - reader.BaseStream.Position < length + toLength)
                break;
            events.Add(new PowerCutEvent(kind, inode, number, reader.ReadBytes(length), reader.ReadBytes(toLength)));
        }
        return events;
    }
}
