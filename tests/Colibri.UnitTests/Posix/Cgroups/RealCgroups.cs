using Colibri.Posix.Cgroups;

namespace Colibri.UnitTests.Posix.Cgroups;

/// <summary>The cgroups of this machine, where a test may make some.</summary>
internal static class RealCgroups
{
    /// <summary>The one to make others in; without it the test is skipped, and says why.</summary>
    public static OwnCgroup Own()
    {
        var own = OwnCgroup.Find(out var reason);
        Skip.When(own is null, $"no cgroup can be made here: {reason}");
        return own!;
    }

    /// <summary>
    /// A script whose tool leaves it in every way there is, prints its pid and sleeps: in a session of its own, its parents gone, its
    /// environment empty. It begins when its shell is in the cgroup, as any tool of a real agent does.
    /// </summary>
    public static string Escaping(Cgroup cgroup) =>
        $"until grep -qx $$ {cgroup.Path}/cgroup.procs; do :; done; (env -i setsid sh -c 'echo $$; exec sleep 300' &)";
}
