using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Doctor;

/// <summary>Each workspace: whether its repository is there, the daemon's user may use it, and its base can be worked from.</summary>
internal sealed class WorkspaceChecks(ExaminationParts parts, GitLook git)
{
    public const string Group = "workspaces";

    private const int ShownCommit = 10;
    private const string Heads = "refs/heads/";

    public IEnumerable<Look> Looks() => parts.Settings().Workspaces.Select(workspace => new Look(Group, workspace.Name, over => FindAsync(workspace, over)));

    private async Task<IReadOnlyList<DoctorCheck>> FindAsync(WorkspaceSettings workspace, CancellationToken over)
    {
        var finding = new Finding(Group, workspace.Name);
        FindAgents(finding, workspace);
        if (!IsThere(finding, workspace))
            return finding.Checks;
        if (git.Program is null)
            return finding.Error($"{workspace.Path} was not looked at: there is no git", "install git").Checks;
        if (await RepositoryAsync(finding, workspace, over).ConfigureAwait(false) is not { } repository)
            return finding.Checks;
        FindWritable(finding, workspace, repository);
        if (await BaseAsync(finding, workspace, over).ConfigureAwait(false) is not { } tip)
            return finding.Checks;
        await FindUnusableAsync(finding, workspace, tip, over).ConfigureAwait(false);
        if (!finding.HasError)
            finding.Ok($"{workspace.Path}, {(workspace.Isolation == Isolation.Shared ? "shared, " : "")}base {tip.Name} at {tip.Commit[..Math.Min(ShownCommit, tip.Commit.Length)]}; {Rules(workspace)}");
        if (workspace.Check is null)
            finding.Note("it has no check: whatever an agent leaves counts as done", $"check = \"COMMAND\" under [workspaces.{workspace.Name}]", "check");
        return finding.Checks;
    }

    private static string Rules(WorkspaceSettings workspace)
    {
        var agents = workspace.Agents.Count > 0 ? string.Join(", ", workspace.Agents) : "any agent";
        return $"{agents}{(workspace.Setup is null ? "" : ", has a setup")}{(workspace.Check is null ? "" : ", has a check")}";
    }

    private void FindAgents(Finding finding, WorkspaceSettings workspace)
    {
        var there = parts.Candidates().Select(candidate => candidate.Name).ToList();
        if (there.Count == 0)
            finding.Warning("no agent is configured that could work here", "see agents, above", "agents");
        else if (workspace.Agents.Count > 0 && !workspace.Agents.Any(there.Contains))
            finding.Error($"none of its agents is configured: {string.Join(", ", workspace.Agents)}", $"agents = [\"{there[0]}\"] under [workspaces.{workspace.Name}]", "agents");
    }

    private bool IsThere(Finding finding, WorkspaceSettings workspace)
    {
        var look = FileLook.At(workspace.Path);
        if (look.IsDirectory)
            return true;
        if (look.IsMissing)
            finding.Error($"{workspace.Path} is not there", $"git clone it to there, or correct path under [workspaces.{workspace.Name}]");
        else if (look.Identity is null)
            finding.Error($"{parts.Host.UserName} may not look at {workspace.Path}: {look.Problem}", $"give that user the rights (namei -l {DoctorHost.ShellWord(workspace.Path)}); a unit hides homes: ProtectHome, BindPaths");
        else
            finding.Error($"{workspace.Path} is {look.Kind}", $"correct path under [workspaces.{workspace.Name}]");
        return false;
    }

    /// <summary>The directory of git's own files; null where it is no repository that git opens.</summary>
    private async Task<string?> RepositoryAsync(Finding finding, WorkspaceSettings workspace, CancellationToken over)
    {
        var (path, word) = (workspace.Path, DoctorHost.ShellWord(workspace.Path));
        var said = await git.AskAsync(path, over, "rev-parse", "--is-inside-work-tree", "--absolute-git-dir").ConfigureAwait(false);
        if (!said.IsGood)
        {
            if (said.Errors.Contains("detected dubious ownership", StringComparison.Ordinal))
                FindDubious(finding, workspace, said.Errors);
            else if (said.Errors.Contains("not a git repository", StringComparison.Ordinal))
                finding.Error($"{path} is no git repository", $"git -C {word} init, or correct path under [workspaces.{workspace.Name}]");
            else if (said.Code is null)
                finding.Warning($"{path}: {said.Why}");
            else
                finding.Error($"{path}: {said.Why}");
            return null;
        }
        if (said.Text.Split('\n') is not [var inside, var directory])
        {
            finding.Error($"{path}: git does not say where its files are");
            return null;
        }
        var top = inside == "true" ? (await git.AskAsync(path, over, "rev-parse", "--show-toplevel").ConfigureAwait(false)).Text : directory;
        if (FileIdentity.Of(path) == (top.Length > 0 ? FileIdentity.Of(top) : null))
            return directory;
        finding.Error($"{path} lies within the repository {top}", $"path = \"{top}\" under [workspaces.{workspace.Name}]");
        return null;
    }

    private void FindDubious(Finding finding, WorkspaceSettings workspace, string errors)
    {
        // Git names the directory that it wants to be told of, which is not always the one that it was asked for.
        var path = Between(errors, "detected dubious ownership in repository at '", "'\n") ?? workspace.Path;
        var owner = FileLook.At(workspace.Path).Owner.Uid;
        var home = parts.Variable("HOME");
        var command = $"config {(home is null ? "--system" : "--global")} --add safe.directory {DoctorHost.ShellWord(path)}";
        finding.Error(
            $"{path} belongs to user {owner}, and git of {parts.Host.UserName} refuses it (dubious ownership)",
            home is null ? $"sudo git {command}" : parts.Host.AsUser(parts.Settings().Daemon.SocketPath, home, $"git {command}"));
    }

    private void FindWritable(Finding finding, WorkspaceSettings workspace, string repository)
    {
        if (FileLook.IsWritable(repository, out var problem))
            return;
        finding.Error(
            $"{parts.Host.UserName} may not write into {repository}, where branches and worktrees are kept: {problem}",
            $"give that user or its group the rights (ls -ld {DoctorHost.ShellWord(repository)}); a unit wants ReadWritePaths={DoctorHost.ShellWord(workspace.Path)}: systemctl edit colibri-daemon");
    }

    private async Task<Tip?> BaseAsync(Finding finding, WorkspaceSettings workspace, CancellationToken over)
    {
        var (path, word) = (workspace.Path, DoctorHost.ShellWord(workspace.Path));
        var name = workspace.Base;
        if (name is null)
        {
            var head = await git.AskAsync(path, over, "symbolic-ref", "--quiet", "HEAD").ConfigureAwait(false);
            if (!head.Text.StartsWith(Heads, StringComparison.Ordinal))
            {
                finding.Error($"{path} has no branch checked out, and no base is stated", $"base = \"BRANCH\" under [workspaces.{workspace.Name}]");
                return null;
            }
            name = head.Text[Heads.Length..];
        }
        var tip = await git.AskAsync(path, over, "rev-parse", "--verify", "--quiet", $"{Heads}{name}^{{commit}}").ConfigureAwait(false);
        if (tip is { IsGood: true, Text.Length: > 0 })
            return new Tip(name, tip.Text);
        var others = await git.AskAsync(path, over, "for-each-ref", "--count=8", "--format=%(refname:short)", Heads).ConfigureAwait(false);
        if (others.Text.Length == 0)
            finding.Error($"{path} has no commits, and work starts from one", $"git -C {word} commit --allow-empty -m start");
        else
            finding.Error($"there is no branch {name} in {path}; there are {others.Text.Replace("\n", ", ", StringComparison.Ordinal)}", $"base = \"{others.Text.Split('\n')[0]}\" under [workspaces.{workspace.Name}]");
        return null;
    }

    private async Task FindUnusableAsync(Finding finding, WorkspaceSettings workspace, Tip tip, CancellationToken over)
    {
        var isWorktree = workspace.Isolation == Isolation.Worktree;
        if ((await git.AskAsync(workspace.Path, over, "rev-parse", "--verify", "--quiet", $"{tip.Commit}:.gitmodules").ConfigureAwait(false)).IsGood && workspace.Setup is null && isWorktree)
        {
            finding.Error(
                $"{tip.Name} has submodules, and a new worktree has none of them", $"setup = \"git submodule update --init --recursive\" under [workspaces.{workspace.Name}]", "submodules");
        }
        var lfs = await git.AskAsync(
            workspace.Path, over, "grep", "--quiet", "--no-textconv", "-I", "-e", "filter=lfs", tip.Commit, "--", ":(glob)**/.gitattributes").ConfigureAwait(false);
        if (lfs.IsGood && isWorktree)
            finding.Error($"{tip.Name} keeps files with git LFS, whose programs do not run in worktrees that Colibri makes", $"isolation = \"shared\" under [workspaces.{workspace.Name}]", "LFS");
    }

    private static string? Between(string text, string before, string behind)
    {
        var start = text.IndexOf(before, StringComparison.Ordinal) is >= 0 and var found ? found + before.Length : -1;
        var end = start < 0 ? -1 : text.IndexOf(behind, start, StringComparison.Ordinal);
        return end < 0 ? null : text[start..end];
    }

    private sealed record Tip(string Name, string Commit);
}
