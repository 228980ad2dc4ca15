using Colibri.Core.Agents.Launch;
using Colibri.Posix.Host;

namespace Colibri.Core.Agents.Confinement;

/// <summary>The directory that becomes an agent's <c>/</c>, checked before anything is made or started.</summary>
public sealed class JailRoot
{
    private const int MostLinks = 40;

    // ALLPERMS: the permission bits of st_mode, the same on both systems (sys/stat.h).
    private const uint PermissionBits = 0xFFF;

    // In the order of a shell's search inside.
    private static readonly string[] Programs = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"];

    private JailRoot(string path) => Path = path;

    /// <summary>The path without links and dots.</summary>
    public string Path { get; }

    /// <summary>Accepts a directory strictly below the base, wherever links lead.</summary>
    /// <param name="path">As it was asked for.</param>
    /// <param name="rootBase">The value of <c>COLIBRI_JAIL_ROOT_BASE</c>; null where it is not set.</param>
    /// <exception cref="SpawnRefusedException">It is not such a directory; the message says what to do.</exception>
    public static JailRoot Accept(string path, string? rootBase)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (rootBase is null)
            throw new SpawnRefusedException(SpawnRefusal.NotConfinable, "jails are not set up here: COLIBRI_JAIL_ROOT_BASE is not set");
        if (RealPath(rootBase) is not { } allowed || !Directory.Exists(allowed))
            throw new SpawnRefusedException(SpawnRefusal.NotConfinable, $"jails are not set up here: COLIBRI_JAIL_ROOT_BASE={rootBase} is no directory");
        if (!path.StartsWith('/') || path.Split('/').Contains(".."))
            throw Wrong(path, "use an absolute path without '..'");
        if (RealPath(path) is not { } real || !Directory.Exists(real))
            throw Wrong(path, "there is no such directory");
        if (!real.StartsWith(allowed.TrimEnd('/') + "/", StringComparison.Ordinal))
            throw Wrong(path, $"it is not below {rootBase} (COLIBRI_JAIL_ROOT_BASE)");
        RequireNobodyElseCanSwap(path, real);
        return new JailRoot(real);
    }

    /// <summary>
    /// A user who may write a directory on the path can replace the root between this check and the start of the confined agent. So each
    /// directory on the path, the root included, must belong to root or to the daemon's user, and no other user may write it. A sticky directory
    /// such as /tmp is allowed, because there users cannot rename what others own.
    /// </summary>
    private static void RequireNobodyElseCanSwap(string path, string real)
    {
        for (var directory = real; directory is not null; directory = System.IO.Path.GetDirectoryName(directory))
        {
            FileOwner owner;
            try
            {
                owner = FileOwner.Of(directory);
            }
            catch (IOException e)
            {
                throw Wrong(path, e.Message);
            }
            if (owner.Uid != 0 && owner.Uid != ProcessUser.EffectiveUid)
                throw Wrong(path, $"{directory} belongs to uid {owner.Uid}, who could put another directory in its place (it must belong to root or the daemon's user: chown it)");
            var mode = (UnixFileMode)(owner.Mode & PermissionBits);
            if ((mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0 && (mode & UnixFileMode.StickyBit) == 0)
                throw Wrong(path, $"others than its owner may write {directory}, and could put another directory in its place (chmod go-w {directory})");
        }
    }

    /// <summary>The program's path as the agent will see it; null where there is none of that name or path inside.</summary>
    public string? Find(string program) => Find(Path, program);

    /// <summary>The same below a directory that is not checked yet.</summary>
    internal static string? Find(string root, string program)
    {
        ArgumentException.ThrowIfNullOrEmpty(program);
        var candidates = program.Contains('/') ? [program] : Programs.Select(directory => $"{directory}/{program}");
        return candidates.FirstOrDefault(candidate => candidate.StartsWith('/') && !candidate.Split('/').Contains("..") && IsThere(root, candidate));
    }

    /// <summary>A directory of the host as the agent will see it, wherever links lead; null where it lies outside.</summary>
    public string? Inside(string directory)
    {
        var real = RealPath(directory) ?? directory;
        return real == Path ? "/" : real.StartsWith(Path + "/", StringComparison.Ordinal) ? real[Path.Length..] : null;
    }

    // A link inside resolves inside, so from outside only its existence is checked.
    private static bool IsThere(string root, string inside)
    {
        var file = new FileInfo(root + inside);
        return file.Exists || file.LinkTarget is not null;
    }

    /// <summary>As realpath(3); null for a path that does not exist or whose links form a loop.</summary>
    internal static string? RealPath(string path)
    {
        var waiting = new Stack<string>(Enumerable.Reverse(path.Split('/', StringSplitOptions.RemoveEmptyEntries)));
        var (real, links) = ("", 0);
        while (waiting.TryPop(out var part))
        {
            if (part == ".")
                continue;
            if (part == "..")
            {
                real = real.Length == 0 ? "" : real[..real.LastIndexOf('/')];
                continue;
            }
            var here = $"{real}/{part}";
            if (new FileInfo(here).LinkTarget is not { } target)
            {
                if (!System.IO.Path.Exists(here))
                    return null;
                real = here;
                continue;
            }
            if (++links > MostLinks)
                return null;
            if (target.StartsWith('/'))
                real = "";
            foreach (var step in Enumerable.Reverse(target.Split('/', StringSplitOptions.RemoveEmptyEntries)))
                waiting.Push(step);
        }
        return real.Length == 0 ? "/" : real;
    }

    private static SpawnRefusedException Wrong(string path, string problem) => new(SpawnRefusal.JailWrong, $"jail path '{path}' cannot be used: {problem}");
}
