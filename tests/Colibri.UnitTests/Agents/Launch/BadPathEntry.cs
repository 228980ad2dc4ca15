using System.Net.Sockets;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.UnitTests.Posix.Spawning;

namespace Colibri.UnitTests.Agents.Launch;

/// <summary>Makes what a directory of the search path may hold, or be, in place of a program.</summary>
internal static class BadPathEntry
{
    public const string Program = "gizmo";

    public static readonly string[] Kinds =
    [
        "nothing", "dangling link", "link loop", "link to a directory", "link below a file", "directory", "not executable", "executable for nobody here", "fifo", "socket", "directory is a file",
        "directory is a dangling link", "directory may not be searched", "directory name is too long", "path is too long",
    ];

    /// <summary>A directory for the search path in which <see cref="Program"/> is of that kind.</summary>
    public static string Make(string root, string kind)
    {
        var directory = Path.Combine(root, "bad");
        Directory.CreateDirectory(directory);
        var entry = Path.Combine(directory, Program);
        switch (kind)
        {
            case "nothing":
                break;
            case "dangling link":
                File.CreateSymbolicLink(entry, "/nowhere/gizmo");
                break;
            case "link loop":
                File.CreateSymbolicLink(entry, entry);
                break;
            case "link to a directory":
                File.CreateSymbolicLink(entry, "/usr");
                break;
            case "link below a file":
                File.CreateSymbolicLink(entry, "/etc/passwd/gizmo");
                break;
            case "directory":
                Directory.CreateDirectory(entry);
                break;
            case "not executable":
                Write(entry, UnixFileMode.UserRead);
                break;
            case "executable for nobody here":
                Skip.When(ProcessUser.EffectiveUid == 0, "root may execute what anybody may");
                Write(entry, UnixFileMode.UserRead | UnixFileMode.OtherExecute);
                break;
            case "fifo":
                Shell.Run(Shell.Options($"mkfifo -m 0755 '{entry}'")).GetAwaiter().GetResult().Exit.ShouldBe(new ExitStatus(0, null));
                break;
            case "socket":
                using (var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
                    socket.Bind(new UnixDomainSocketEndPoint(entry));
                // .NET removes the path with the socket; a program killed before that leaves it.
                Shell.Run(Shell.Options($"test -S '{entry}' || ln -s /dev/null '{entry}'")).GetAwaiter().GetResult().Exit.ShouldBe(new ExitStatus(0, null));
                break;
            case "directory is a file":
                return Path.Combine(Write(entry, UnixFileMode.UserRead | UnixFileMode.UserExecute), "bin");
            case "directory is a dangling link":
                File.CreateSymbolicLink(Path.Combine(directory, "link"), "/nowhere");
                return Path.Combine(directory, "link");
            case "directory may not be searched":
                Skip.When(ProcessUser.EffectiveUid == 0, "root may search any directory");
                Write(entry, UnixFileMode.UserRead | UnixFileMode.UserExecute);
                File.SetUnixFileMode(directory, UnixFileMode.None);
                break;
            case "directory name is too long":
                return Path.Combine(directory, new string('x', 300));
            case "path is too long":
                return directory + string.Concat(Enumerable.Repeat("/./././././././.", 400));
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a kind");
        }
        return directory;
    }

    /// <summary>So that the directory can be deleted.</summary>
    public static void Open(string root)
    {
        var directory = Path.Combine(root, "bad");
        if (Directory.Exists(directory))
            File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private static string Write(string path, UnixFileMode mode)
    {
        File.WriteAllText(path, "#!/bin/sh\nexit 0\n");
        File.SetUnixFileMode(path, mode);
        return path;
    }
}
