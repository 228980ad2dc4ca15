using Colibri.Core.Agents.Confinement;
using Colibri.Core.Agents.Kinds;
using Colibri.Core.Agents.Launch;
using Colibri.Core.Processes;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Posix.Spawning;
using Colibri.Protocol;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Doctor;

/// <summary>The agents that the scheduler may start: their programs, versions, keys and rights; and those that are installed and not configured.</summary>
internal sealed class AgentChecks(ExaminationParts parts, ProgramProbe probe)
{
    public const string Group = "agents";

    private const int MaxWhy = 200;
    private const int MaxFlag = 60;

    // A user that is not root, where its number is known inside a root alone.
    private const uint SomeUser = 65_534;

    private readonly ProgramVersions _versions = parts.Versions ?? new ProgramVersions(
        parts.Processes, (parts.AgentEnvironment ?? new AgentEnvironment()).ForVersions(parts.Secrets, parts.Settings().Daemon.SocketPath), parts.Secrets, parts.Time, parts.Logger,
        parts.Stopping);

    public IEnumerable<Look> Looks()
    {
        var candidates = parts.Candidates();
        if (candidates.Count == 0)
            yield return new Look(Group, "configured", FindNone);
        foreach (var candidate in candidates)
            yield return new Look(Group, candidate.Name, over => FindAsync(candidate.Name, candidate.Template, over));
        if (parts.Resident is { } resident)
            yield return new Look(Group, "resident agent", over => FindAsync("resident agent", resident, over));
        foreach (var provider in parts.Settings().Daemon.Providers.Select(route => route.Provider).Distinct(StringComparer.OrdinalIgnoreCase))
            yield return new Look(Group, $"provider {provider}", finding => FindKeyOfRoute(finding, provider));
        foreach (var kind in AgentProfiles.Startable.Where(kind => !candidates.Any(candidate => IsOf(kind, candidate.Template))))
            yield return new Look(Group, $"unused {kind.Name}", finding => FindUnused(finding, kind));
    }

    private static bool IsOf(AgentProfile kind, SpawnRequest request) => request.Runtime == kind.Name || Path.GetFileName(request.Binary) == kind.ProgramName;

    private void FindNone(Finding finding)
    {
        var found = AgentProfiles.Startable.Where(kind => parts.Programs.Find(kind.ProgramName) is not null).Select(kind => kind.Name).ToList();
        finding.Warning(
            found.Count > 0
                ? $"no agent is configured, so queued tasks wait until somebody claims them; installed: {string.Join(", ", found)}"
                : "no agent is configured, so queued tasks wait until somebody claims them; none that Colibri knows is installed",
            found.Count > 0 ? Configure(found[0]) : $"install one of those that colibri agents shows; then {Configure("NAME")}");
    }

    private void FindUnused(Finding finding, AgentProfile kind)
    {
        if (parts.Programs.Find(kind.ProgramName) is { } path)
            finding.Note($"installed at {path}; no profile uses it{Unseen(kind)}", Configure(kind.Name));
    }

    private static string Unseen(AgentProfile kind) =>
        Runtimes.Kinds.Any(known => known.Name == kind.Name && known.IsDocumentedOnly) ? "; Colibri knows its kind from documents only" : "";

    // The section and its key on two lines of the file.
    private string Configure(string kind) =>
        $"write [agents.{kind}] and, below it, kind = \"{kind}\" into {FileChecks.FileToWrite(parts)}; then: colibri reload";

    private async Task<IReadOnlyList<DoctorCheck>> FindAsync(string name, SpawnRequest request, CancellationToken over)
    {
        var finding = new Finding(Group, name);
        var kind = request.Kind;
        if (await ConfinementOfAsync(finding, request, over).ConfigureAwait(false) is not { } confinement)
            return finding.Checks;
        if (confinement.Plan is { } plan)
            FindInside(finding, request, plan);
        else if (ProgramOf(finding, kind, request) is { } program)
            await FindVersionAsync(finding, kind, request, program, over).ConfigureAwait(false);
        FindKey(finding, kind, request, isConfined: confinement.Plan is not null);
        FindRights(finding, kind, request);
        return finding.Checks;
    }

    /// <summary>Null where the agent cannot be confined as it is to be.</summary>
    private async Task<Confinement?> ConfinementOfAsync(Finding finding, SpawnRequest request, CancellationToken over)
    {
        const string Part = "confinement";
        try
        {
            if (await parts.Plan(request).ConfigureAwait(false) is not { } plan)
                return new Confinement(null);
            if (await WhyNoNamespacesAsync(over).ConfigureAwait(false) is { } reason)
            {
                finding.Error($"bwrap cannot confine here: {reason}", "a unit must allow namespaces and mounts (confinement.conf, docs/linux.md), and so must sysctl kernel.unprivileged_userns_clone", Part);
                return null;
            }
            finding.Ok(plan.Description, Part);
            return new Confinement(plan);
        }
        catch (SpawnRefusedException e)
        {
            finding.Error(e.Message, part: Part);
            return null;
        }
    }

    /// <summary>A plan says that bwrap is there; only a try says whether kernel and unit let it work.</summary>
    private async Task<string?> WhyNoNamespacesAsync(CancellationToken over)
    {
        if (parts.Host.Kind != OperatingSystemKind.Linux || parts.Programs.Find("bwrap") is not { } bwrap)
            return null;
        var environment = EnvironmentBlock.Of([new("PATH", "/usr/bin:/bin")]);
        var answer = await probe.AskAsync(
            bwrap, ["--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-pid", "--die-with-parent", "--", "/bin/true"], environment, over).ConfigureAwait(false);
        return answer.IsGood ? null : answer.Problem ?? LastLine(answer.Errors) ?? $"it does not end well, {answer.Exit?.ToString() ?? "and was ended"}";
    }

    private sealed record Confinement(ConfinementPlan? Plan);

    private static void FindInside(Finding finding, SpawnRequest request, ConfinementPlan plan)
    {
        if (plan.Root.Find(request.Binary) is { } inside)
            finding.Ok($"{inside} inside {plan.Root.Path}; its version is not asked for, since it runs in there alone");
        else
            finding.Error($"there is no executable '{request.Binary}' inside {plan.Root.Path}", $"install it there, or state its path there: binary = \"/PATH/{Path.GetFileName(request.Binary)}\"");
    }

    private string? ProgramOf(Finding finding, AgentProfile kind, SpawnRequest request)
    {
        var (binary, programs) = (request.Binary, parts.Programs);
        if (programs.Find(binary) is { } program)
            return program;
        if (parts.Tenants().FirstOrDefault(tenant => JailRoot.Find(tenant.JailRootPath, binary) is not null) is { } tenant)
        {
            finding.Note($"it is not on the host and inside the root of tenant {tenant.TenantId}: it does tasks of tenants alone");
            return null;
        }
        var where = Where(request);
        if (programs.WhyNot(binary) is { } reason)
            finding.Error($"{parts.Host.UserName} cannot execute it: {reason}");
        else if (binary.Contains('/'))
            finding.Error($"there is no {binary}", $"install {kind.Name} there, or correct {where}");
        else
            finding.Error($"there is no '{binary}' on the daemon's search path: {string.Join(':', programs.Directories)}", $"install {(request.IsOfKind ? kind.Name : binary)} in one of these, or state where it is: {where}");
        return null;
    }

    private static string Where(SpawnRequest request)
    {
        var path = $"/PATH/{Path.GetFileName(request.Binary)}";
        return request.Profile is { } profile ? $"binary = \"{path}\" under [agents.{profile.Name}]" : $"COLIBRI_AGENT_BINARY={path}";
    }

    private async Task FindVersionAsync(Finding finding, AgentProfile kind, SpawnRequest request, string program, CancellationToken over)
    {
        ProbeAnswer answer;
        try
        {
            answer = await _versions.AskAsync(program, kind, over).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            answer = new ProbeAnswer(null, "", "");
        }
        // A program that is stated by its path is what the operator says it is.
        var told = _versions.Judge(request.IsOfKind ? kind : kind with { Recognises = null }, answer);
        if (told.WhyNot is { } another && answer.Exit is not { Code: 126 or 127 })
            finding.Error($"{program} is not the program of {kind.Name}: {another}; no task is given to it", $"install {kind.Name}, or state where it is: {Where(request)}");
        else if (answer.Problem is { } problem)
            finding.Error($"{program} cannot be started: {problem}");
        else if (answer.IsTimedOut)
            finding.Warning($"{program}; it did not answer --version within {ProgramVersions.Deadline.TotalSeconds} s and was ended", $"see what it waits for: {AsUser($"{DoctorHost.ShellWord(program)} --version")}");
        else if (answer.IsFull)
            finding.Warning($"{program}; it answered --version with more than {ProgramProbe.MaxBytes} bytes and was ended: is that {Path.GetFileName(request.Binary)}?");
        else if (answer.Exit is null)
            finding.Warning($"{program}; its version was not learnt: the examination was over before");
        else if (!answer.IsGood)
            FindBrokenProgram(finding, program, answer);
        else if (told.Version is { } version)
            finding.Ok($"{version} at {program}{Unseen(kind)}");
        else
            finding.Note($"{program}; it says no version");
    }

    private void FindBrokenProgram(Finding finding, string program, ProbeAnswer answer)
    {
        var why = (LastLine(answer.Errors) ?? LastLine(answer.Output)) is { } line ? $": {parts.Secrets.Name(line, MaxWhy)}" : "";
        // As env(1) and a shell say it of an interpreter that is not there.
        if (answer.Exit is { Code: 126 or 127 })
            finding.Error($"{program} does not start, {answer.Exit}{why}", $"what it needs must be on the daemon's search path: {string.Join(':', parts.Programs.Directories)}");
        else
            finding.Warning($"{program}; --version failed, {answer.Exit}{why}", $"try it: {AsUser($"{DoctorHost.ShellWord(program)} --version")}");
    }

    private void FindKey(Finding finding, AgentProfile kind, SpawnRequest request, bool isConfined)
    {
        const string Part = "key";
        foreach (var missing in request.PassedEnvironment.Where(name => !parts.Environment.ContainsKey(name) && !parts.Secrets.Named([name]).Any()))
            finding.Warning($"pass_env names {missing}, which is neither in the daemon's environment nor in its file of keys", $"add {missing}=VALUE to {KeyFile()}", "pass_env");
        if (kind.Providers is { Count: 0 })
            return;
        var daemon = parts.Settings().Daemon;
        if (daemon.Providers.Count > 0 && !request.StatesProvider && kind.Providers is null)
        {
            finding.Ok("that of the route of COLIBRI_PROVIDERS which is chosen", Part);
            return;
        }
        var source = ProviderSource.Of(request.Provider, request.Model, [.. request.Arguments, .. request.ExtraArguments], kind.Provider, request.Binary);
        if (source.Program is null && daemon.KeylessProviders.Contains(source.Name, StringComparer.OrdinalIgnoreCase))
        {
            finding.Ok($"{source.Name} needs none (COLIBRI_PROVIDERS_KEYLESS)", Part);
            return;
        }
        // The names alone, of what an agent of this request would get.
        IReadOnlyList<string>? providers = request.Provider is { } chosen && kind.Providers is null ? [chosen] : kind.Providers;
        var given = parts.Secrets.For(providers).Concat(parts.Secrets.Named(request.PassedEnvironment)).Where(entry => entry.Value.Length > 0)
            .Select(entry => entry.Key).Concat(request.Environment.Keys).Distinct(StringComparer.Ordinal).ToList();
        var wanted = source.Program is null ? ProviderNames.KeyVariablesOf(source.Name) : [];
        var there = given.Where(name => source.Program is null ? wanted.Contains(name) : ProviderNames.IsKeyVariable(name)).Order(StringComparer.Ordinal).ToList();
        if (there.Count > 0)
            finding.Ok(string.Join(", ", there), Part);
        else
            FindLogin(finding, kind, wanted, name => VariableOf(request, name), isConfined);
    }

    private void FindLogin(Finding finding, AgentProfile kind, IReadOnlyList<string> wanted, Func<string, string?> variable, bool isConfined)
    {
        const string Part = "key";
        var none = wanted.Count > 0 ? $"there is no {wanted[0]}" : "no key is there, and nothing names its provider";
        var add = $"add {(wanted.Count > 0 ? wanted[0] : "NAME_API_KEY")}=VALUE to {KeyFile()}";
        if (kind.Login is not { } login)
            finding.Warning(none, add, Part);
        else if (isConfined)
            finding.Warning($"{none}; a login of {kind.Name}'s own would have to lie in its root", add, Part);
        else if (login.PathFor(variable) is not { } file)
            finding.Warning($"{none}, and no home directory (HOME) in which {kind.Name} could keep a login", add, Part);
        else if (File.Exists(file))
            finding.Ok($"{none}; a login of {kind.Name}'s own is at {file}", Part);
        else
            finding.Warning($"{none}, and no login of {kind.Name}'s own at {file}", $"{add}; or log in as {parts.Host.UserName}: {AsUser(login.Command)}", Part);
    }

    private void FindKeyOfRoute(Finding finding, string provider)
    {
        if (parts.Settings().Daemon.KeylessProviders.Contains(provider, StringComparer.OrdinalIgnoreCase))
            finding.Ok("needs no key (COLIBRI_PROVIDERS_KEYLESS)");
        else if (parts.Secrets.For([provider]).Where(entry => entry.Value.Length > 0).Select(entry => entry.Key).ToList() is { Count: > 0 } names)
            finding.Ok(string.Join(", ", names));
        else
            finding.Error($"COLIBRI_PROVIDERS names it, and there is no {string.Join(" or ", ProviderNames.KeyVariablesOf(provider))}", $"add {ProviderNames.KeyVariablesOf(provider)[0]}=VALUE to {KeyFile()}");
    }

    private void FindRights(Finding finding, AgentProfile kind, SpawnRequest request)
    {
        const string Part = "rights";
        var access = request.Profile?.Access ?? request.Access ?? Access.Edit;
        request = request with { Access = access };
        var told = ToldAccess.Of(request);
        if (told.Access is null)
        {
            finding.Note("its arguments are stated and stand in place of the kind's own: they alone decide what it may do", part: Part);
            return;
        }
        var isHeld = kind.Rights.Holds(access) && request.HeldAccess is not null;
        var words = request.HeldAccess is null
            ? $"{ToldAccess.Word(access)}: its arguments are stated and stand in place of the kind's own for it"
            : $"{ToldAccess.Word(access)}: {kind.Rights.Words(access)}{Flags(kind, access, request.Arguments.Count > 0)}";
        if (request.Arguments.Count == 0 && kind.Rights.WhyNot(access, UserOf(request), name => VariableOf(request, name)) is { } why)
            FindRefusal(finding, why, Part);
        else if (isHeld || request.Jail is not null)
            finding.Ok(request.Jail is null ? words : $"{words}; confined", Part);
        else if (told.Refusal is { } refusal)
            finding.Error($"{words}; no task is given to it", $"{Refused(refusal)}; then: colibri reload", Part);
        else
            finding.Note(told.Access == Access.Full && access != Access.Full ? $"full ({words})" : words, part: Part);
    }

    private static string Refused(string refusal) => refusal[(refusal.LastIndexOf("; ", StringComparison.Ordinal) + 2)..];

    // What is wrong, a colon, and what to do.
    private static void FindRefusal(Finding finding, string why, string part)
    {
        var colon = why.IndexOf(": ", StringComparison.Ordinal);
        finding.Error(colon < 0 ? why : why[..colon], colon < 0 ? null : why[(colon + 2)..], part);
    }

    /// <summary>How it is held: the arguments and the names of the variables that the kind gets for it.</summary>
    private static string Flags(AgentProfile kind, Access access, bool areReplaced)
    {
        var flags = (areReplaced ? [] : kind.Rights.Arguments(access, kind.AlwaysRpc)).Select(argument => argument.Length <= MaxFlag ? argument : $"{argument[..MaxFlag]}…")
            .Concat(kind.Rights.Environment(access).Keys.Order(StringComparer.Ordinal));
        return string.Join(' ', flags) is { Length: > 0 } shown ? $" ({shown})" : "";
    }

    private uint UserOf(SpawnRequest request) => request.Jail is not { } jail ? parts.Host.Uid
        : jail.User is { } user ? user == "root" ? 0 : SomeUser
        : parts.Host.Kind == OperatingSystemKind.Linux ? parts.Host.Uid : 0;

    private string? VariableOf(SpawnRequest request, string name) => request.Environment.TryGetValue(name, out var stated) ? stated : parts.Variable(name);

    private string KeyFile() => parts.Settings().Daemon.ProviderEnvFile ?? "a file of mode 600 that COLIBRI_PROVIDER_ENV names";

    private string AsUser(string command) => parts.Host.AsUser(parts.Settings().Daemon.SocketPath, parts.Variable("HOME"), command);

    // Redacted as a whole first: an escape sequence may hold a newline.
    private string? LastLine(string text) => Lines(text).LastOrDefault();

    private string[] Lines(string text) => parts.Secrets.Redact(text).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
