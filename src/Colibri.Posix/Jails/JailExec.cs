using System.Runtime.InteropServices;
using System.Text;
using Colibri.Posix.Files;
using Colibri.Posix.Host;
using Colibri.Posix.Interop;
using Colibri.Posix.Signalling;
using Colibri.Posix.Spawning;

namespace Colibri.Posix.Jails;

/// <summary>
/// The exec trampoline: the steps between fork and exec that posix_spawn(3) cannot express. It enters or makes a jail, becomes another user, and
/// executes the agent. None of that can be undone, so it is a process of its own and never the daemon.
/// </summary>
/// <remarks>
/// In jexec(8)'s order (usr.sbin/jexec/jexec.c): attach, groups, gid, uid. No setlogin: the session is the daemon's, and its login
/// name with it. No login class: limits are the daemon's. The environment is read before the jail is entered, so that no descriptor
/// of the host goes along, and nothing of it is a path that the jail's inmates could have changed.
/// </remarks>
public static unsafe class JailExec
{
    /// <summary>Exit code where nothing was executed, as a shell's.</summary>
    public const int NotExecuted = 126;

    /// <summary>Does not return where it succeeds.</summary>
    /// <exception cref="IOException">A step failed; the message says why. The process must end then.</exception>
    public static void Run(JailExecArguments arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var (environment, directory) = ReadStage(arguments);
        using var argv = new NativeStrings([arguments.Program, .. arguments.Arguments], nameof(arguments));
        using var envp = new NativeStrings(environment.ToTerminated());
        if (arguments.Enter is not null || arguments.Create is not null)
            EnterJail(arguments);
        if (arguments.Ids is { } ids)
            Become(ids);
        if (directory is not null)
            ChangeDirectory(directory);
        SignalSetup.DefaultBeforeExec();
        Libc.closefrom(3);
        fixed (byte* program = CString(arguments.Program))
            _ = Libc.execve(program, argv.Pointer, envp.Pointer);
        throw Failed($"cannot execute {arguments.Program}", Marshal.GetLastPInvokeError());
    }

    private static (EnvironmentBlock Environment, string? Directory) ReadStage(JailExecArguments arguments)
    {
        if (arguments.Stage is not { } inside)
            return (EnvironmentBlock.Own(), null);
        var stage = new StageDirectory(arguments.Root!, inside);
        return (
            EnvironmentBlock.FromTerminated(stage.Read(arguments.Name!, StagedEnvironment.EnvironmentFile)),
            StagedEnvironment.Entries(stage.Read(arguments.Name!, StagedEnvironment.DirectoryFile))[0]);
    }

    private static void EnterJail(JailExecArguments arguments)
    {
        HostJails.RequireFreeBsd();
        if (arguments.Create is { } name)
        {
            // The working directory must not stay outside.
            ChangeDirectory(arguments.Root!);
            _ = JailCalls.Set(JailParameters.ForNew(name, arguments.Root!, arguments.Network), AbiConstants.JAIL_CREATE | AbiConstants.JAIL_ATTACH);
        }
        else
        {
            var jid = JailCalls.Get(JailParameters.ForName(arguments.Enter!));
            if (jid < 0)
                throw new IOException($"there is no jail '{arguments.Enter}'");
            JailCalls.Attach(jid);
        }
        ChangeDirectory("/");
    }

    private static void Become(UserIds ids)
    {
        var groups = ids.Groups.ToArray();
        fixed (uint* list = groups)
        {
            if (Libc.setgroups((nuint)groups.Length, list) != 0)
                throw Failed($"cannot take groups {string.Join(',', groups)}", Marshal.GetLastPInvokeError());
        }
        if (Libc.setgid(ids.Gid) != 0)
            throw Failed($"cannot become group {ids.Gid}", Marshal.GetLastPInvokeError());
        if (Libc.setuid(ids.Uid) != 0)
            throw Failed($"cannot become user {ids.Uid}", Marshal.GetLastPInvokeError());
    }

    private static void ChangeDirectory(string path)
    {
        fixed (byte* directory = CString(path))
        {
            if (Libc.chdir(directory) != 0)
                throw Failed($"cannot enter {path}", Marshal.GetLastPInvokeError());
        }
    }

    private static byte[] CString(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static IOException Failed(string what, int error) => new($"{what}: {Errno.Describe(error)}");
}
