using Colibri.Posix.Host;

namespace Colibri.Posix.Files;

/// <summary>
/// A directory below a root in which files are left for processes that start inside, with a subdirectory for each process. It is ours, with
/// mode 0700; its path has no symbolic link and no directory that other users may write. The processes inside may have created anything
/// here, so no link is followed and a file that we do not own is refused.
/// </summary>
/// <param name="root">Absolute, without links: how this process sees the root.</param>
/// <param name="inside">Absolute within the root, without dots.</param>
public sealed class StageDirectory(string root, string inside)
{
    private const uint OthersMayWrite = 0x12;
    private const uint OthersMayDoAnything = 0x3F;
    private const int MaxPasswdBytes = 1024 * 1024;
    private const int MaxFileBytes = 16 * 1024 * 1024;

    /// <summary>The path of what is left under a name, as the process inside will see it.</summary>
    public string PathInside(string name) => $"{inside}/{name}";

    /// <summary>Why no file can be left here, with the directory and what to do about it; null if files can be left. Creates nothing.</summary>
    public string? Problem()
    {
        try
        {
            using var stage = Walk(make: false);
            return null;
        }
        catch (IOException e)
        {
            return e.Message;
        }
    }

    /// <summary>Leaves files of mode 0600 in a new directory of mode 0700. Makes the stage itself if its parent exists.</summary>
    /// <exception cref="IOException">They cannot be left; none of them stays.</exception>
    public void Write(string name, IReadOnlyList<KeyValuePair<string, byte[]>> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        using var stage = Walk(make: true)!;
        using (var own = stage.Make(name))
        {
            try
            {
                foreach (var (file, content) in files)
                    own.WriteNew(file, content);
                return;
            }
            catch (IOException)
            {
                foreach (var (file, _) in files)
                    own.Remove(file);
                stage.Remove(name, isDirectory: true);
                throw;
            }
        }
    }

    /// <summary>Reads one of the files that were left.</summary>
    /// <exception cref="IOException">It is not there, not ours, or open to others.</exception>
    public byte[] Read(string name, string file)
    {
        using var stage = Walk(make: false) ?? throw new IOException($"there is no {root}{inside}");
        using var own = stage.Open(name) ?? throw new IOException($"there is no '{name}' in {root}{inside}");
        if (own.Owner is var owner && (owner.Uid != ProcessUser.EffectiveUid || (owner.Mode & OthersMayDoAnything) != 0))
            throw new IOException($"{root}{inside}/{name} is not ours alone");
        return own.Read(file, MaxFileBytes) ?? throw new IOException($"there is no '{file}' in {root}{inside}/{name}");
    }

    /// <summary>Removes the files that were left under a name, if there are any.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    public void Remove(string name, IReadOnlyList<string> files)
    {
        ArgumentNullException.ThrowIfNull(files);
        using var stage = Walk(make: false);
        using var own = stage?.Open(name);
        if (own is null)
            return;
        foreach (var file in files)
            own.Remove(file);
        stage!.Remove(name, isDirectory: true);
    }

    /// <summary>A small file of the root, such as /etc/passwd, read without following a link; null where there is none.</summary>
    /// <exception cref="IOException">It is a link, too large, or cannot be read.</exception>
    public static byte[]? ReadSmall(string root, string directory, string file)
    {
        using var top = RootedDirectory.OpenRoot(root);
        using var within = top.Open(directory);
        return within?.Read(file, MaxPasswdBytes);
    }

    private RootedDirectory? Walk(bool make)
    {
        var steps = inside.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var (here, path) = (RootedDirectory.OpenRoot(root), root);
        try
        {
            RequireNoOtherWriter(here, path);
            for (var i = 0; i < steps.Length; i++)
            {
                var next = here.Open(steps[i]);
                if (next is null)
                {
                    if (i < steps.Length - 1 || !MayMakeIn(here))
                        throw new IOException($"{root}{inside} is missing{Remedy}");
                    if (!make)
                        return null;
                    next = here.Make(steps[i]);
                }
                (path, var before) = ($"{path}/{steps[i]}", here);
                here = next;
                before.Dispose();
                if (i < steps.Length - 1)
                    RequireNoOtherWriter(here, path);
            }
            if (here.Owner is var owner && (owner.Uid != ProcessUser.EffectiveUid || (owner.Mode & OthersMayDoAnything) != 0))
                throw new IOException($"{path} is not the daemon's alone{Remedy}");
            var stage = here;
            here = null;
            return stage;
        }
        finally
        {
            here?.Dispose();
        }
    }

    private string Remedy => $" (try, as root: install -d -o {ProcessUser.EffectiveUid} -m 0700 {root}{inside})";

    private static bool MayMakeIn(RootedDirectory parent) => ProcessUser.EffectiveUid == 0 || parent.Owner.Uid == ProcessUser.EffectiveUid;

    private static void RequireNoOtherWriter(RootedDirectory directory, string path)
    {
        var owner = directory.Owner;
        if ((owner.Uid != 0 && owner.Uid != ProcessUser.EffectiveUid) || (owner.Mode & OthersMayWrite) != 0)
            throw new IOException($"{path} may be written by others than root and the daemon, so nothing secret is left below it");
    }
}
