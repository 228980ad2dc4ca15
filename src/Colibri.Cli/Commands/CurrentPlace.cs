using Colibri.Cli.Parsing;
using Colibri.Protocol;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.Cli.Commands;

/// <summary>Which workspace the current directory lies in.</summary>
internal static class CurrentPlace
{
    // As many as the kernel follows: MAXSYMLINKS of <sys/param.h> is 40 on Linux, 32 on FreeBSD.
    private const int MostLinks = 40;

    /// <summary>The innermost workspace that holds a directory; null where none does.</summary>
    /// <param name="here">The directory, without links in it, as getcwd(3) gives it.</param>
    /// <param name="workspaces">What the daemon has.</param>
    public static StatusWorkspace? Holding(string here, IReadOnlyList<StatusWorkspace> workspaces) => workspaces
        .Select(workspace => (Workspace: workspace, Path: RealPath(workspace.Path, MostLinks)))
        .Where(known => here == known.Path || here.StartsWith(known.Path.TrimEnd('/') + "/", StringComparison.Ordinal))
        .OrderByDescending(known => known.Path.Length)
        .Select(known => known.Workspace)
        .FirstOrDefault();

    /// <summary>The request with the workspace that holds the current directory, else with the directory itself.</summary>
    public static async Task<CommandRequest> HereAsync(CliSession session, BoundCommand bound, CommandRequest request)
    {
        if (bound.CurrentDirectory is not { } here)
            return request;
        var status = (await session.AskAsync(new CommandRequest { Cmd = WireCommand.Status.Name }).ConfigureAwait(false)).Read(ProtocolJson.Wire.StatusReport);
        return Holding(here, status.Workspaces ?? []) is { } workspace ? request with { Workspace = workspace.Name } : request with { Cwd = here };
    }

    // What may not be looked at stays as it was said.
    private static string RealPath(string path, int links)
    {
        var real = "/";
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var next = Path.Combine(real, part);
            if (LinkTarget(next) is not { } target)
                real = next;
            else if (links-- == 0)
                return path;
            else
                real = RealPath(Path.GetFullPath(target, real), links);
        }
        return real;
    }

    private static string? LinkTarget(string path)
    {
        try
        {
            return new DirectoryInfo(path).LinkTarget;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
