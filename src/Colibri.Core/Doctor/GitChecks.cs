using Colibri.Protocol.Wire;

namespace Colibri.Core.Doctor;

/// <summary>Git itself, and who makes commits.</summary>
internal sealed class GitChecks(ExaminationParts parts, GitLook git)
{
    public const string Group = "git";

    private static readonly Version Oldest = new(2, 33);

    private static readonly string[] Identity = ["GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"];

    public IEnumerable<Look> Looks() => [new Look(Group, "program", FindProgramAsync), new Look(Group, "identity", FindIdentityAsync)];

    private async Task<IReadOnlyList<DoctorCheck>> FindProgramAsync(CancellationToken over)
    {
        var finding = new Finding(Group, "program");
        var isNeeded = parts.Settings().Workspaces.Count > 0;
        if (git.Program is not { } program)
        {
            return finding.Add(
                isNeeded ? DoctorState.Error : DoctorState.Note, "there is no git on the daemon's search path, and workspaces need it",
                "install git, or add its directory to the daemon's PATH", null).Checks;
        }
        var said = await git.AskAsync("/", over, "version").ConfigureAwait(false);
        var words = said.Text.Split('\n')[0].Split(' ');
        if (!said.IsGood)
            finding.Error($"{program}: {said.Why}");
        else if (words is ["git", "version", var number, ..] && Version.TryParse(string.Join('.', number.Split('.').Take(2)), out var version) && version < Oldest)
            finding.Add(isNeeded ? DoctorState.Error : DoctorState.Warning, $"{number} at {program}: workspaces need {Oldest} or newer", "install a newer git", null);
        else
            finding.Ok($"{(words is [_, _, var known, ..] ? known : said.Text)} at {program}");
        return finding.Checks;
    }

    private async Task<IReadOnlyList<DoctorCheck>> FindIdentityAsync(CancellationToken over)
    {
        var finding = new Finding(Group, "identity");
        if (git.Program is null)
            return [];
        var (name, email) = (await IdentityAsync("user.name", over).ConfigureAwait(false), await IdentityAsync("user.email", over).ConfigureAwait(false));
        if (name is not null && email is not null)
            return finding.Ok($"{name} <{email}>, of {parts.Host.UserName}").Checks;
        // Git takes these over its configuration, and agents inherit them.
        if (Array.TrueForAll(Identity, variable => parts.Variable(variable) is not null))
            return finding.Ok("of the daemon's environment (GIT_AUTHOR_NAME)").Checks;
        List<string> commands = [];
        if (name is null)
            commands.Add(AsUser("git config --global user.name NAME"));
        if (email is null)
            commands.Add(AsUser("git config --global user.email ADDRESS"));
        return finding.Warning(
            $"{parts.Host.UserName} has no {(name is null ? "user.name" : "user.email")}{(name is null && email is null ? " and no user.email" : "")}: commits of agents may fail",
            string.Join(" && ", commands)).Checks;
    }

    private async Task<string?> IdentityAsync(string key, CancellationToken over) =>
        await git.AskAsync("/", over, "config", "--get", key).ConfigureAwait(false) is { IsGood: true, Text.Length: > 0 } said ? said.Text : null;

    private string AsUser(string command) => parts.Host.AsUser(parts.Settings().Daemon.SocketPath, parts.Variable("HOME"), command);
}
