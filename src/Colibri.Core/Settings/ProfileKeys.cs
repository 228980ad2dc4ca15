using System.Net;
using Colibri.Protocol;

namespace Colibri.Core.Settings;

/// <summary>The keys of <c>[agents.NAME]</c>, in the order in which they are printed.</summary>
internal static class ProfileKeys
{
    public const int MaxArguments = 1_000;
    public const int MaxNames = 64;
    public const int MaxVariables = 256;

    /// <summary>Linux gives out no more pids (PID_MAX_LIMIT, linux/threads.h).</summary>
    public const int MaxProcesses = 4 * 1024 * 1024;

    private static readonly TimeSpan ShortestWait = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(365);

    private static readonly IReadOnlyList<FileKey<ConfineSettings>> Confine =
    [
        FileKey<ConfineSettings>.Path("path", confine => confine.Path, (confine, path) => confine with { Path = path }),
        FileKey<ConfineSettings>.Text("user", confine => confine.User, (confine, user) => confine with { User = user }),
        new(
            "ip4",
            "inherit, disable or an address",
            (confine, value) => confine with { Ip4 = value.Text(IsIp4, "use \"inherit\", \"disable\" for no network, or an address such as \"10.0.0.2\"") },
            confine => confine.Ip4 is { } ip4 ? TomlLiteral.Text(ip4) : null),
    ];

    public static IReadOnlyList<FileKey<ProfileSettings>> All { get; } =
    [
        FileKey<ProfileSettings>.Choice(
            "kind", [.. Runtimes.All.Select(kind => (kind, kind))], profile => profile.Kind, (profile, kind) => profile with { Kind = kind }),
        new(
            "binary",
            "a program's name or absolute path",
            (profile, value) => profile with { Binary = value.Text(IsProgram, "use a bare program name, or an absolute path") },
            profile => profile.Binary is { } binary ? TomlLiteral.Text(binary) : null),
        FileKey<ProfileSettings>.Choice(
            "transport", [.. TransportNames.All.Select(name => (name, TransportNames.Named(name)!.Value))], profile => profile.Transport, (profile, transport) => profile with { Transport = transport }),
        FileKey<ProfileSettings>.Text("model", profile => profile.Model, (profile, model) => profile with { Model = model }),
        FileKey<ProfileSettings>.Text("provider", profile => profile.Provider, (profile, provider) => profile with { Provider = provider }),
        FileKey<ProfileSettings>.Texts("args", MaxArguments, profile => profile.Arguments, (profile, args) => profile with { Arguments = args }),
        FileKey<ProfileSettings>.Texts(
            "extra_args", MaxArguments, profile => Unless(profile.ExtraArguments), (profile, args) => profile with { ExtraArguments = args }),
        FileKey<ProfileSettings>.Choice(
            "access", [("read", Access.Read), ("edit", Access.Edit), ("full", Access.Full)], profile => profile.Access, (profile, access) => profile with { Access = access }),
        new(
            "capabilities",
            "a list of names",
            (profile, value) => profile with
            {
                Capabilities = value.Names(MaxNames, static name => name.Length <= 256 && !string.IsNullOrWhiteSpace(name), $"use a list of up to {MaxNames} names, such as [\"code\"]"),
            },
            profile => profile.Capabilities is { Count: > 0 } names ? TomlLiteral.Texts(names) : null),
        FileKey<ProfileSettings>.Integer("acp_version", 1, 2, profile => profile.AcpVersion, (profile, version) => profile with { AcpVersion = version }),
        FileKey<ProfileSettings>.Integer("max", 1, 4_096, profile => profile.Max, (profile, max) => profile with { Max = max }),
        new(
            "memory",
            "16MiB to 1024TiB",
            (profile, value) => profile with { MemoryBytes = value.Size(16L << 20, 1L << 50) },
            profile => profile.MemoryBytes is { } bytes ? TomlLiteral.Size(bytes) : null),
        FileKey<ProfileSettings>.Integer("processes", 8, MaxProcesses, profile => profile.Processes, (profile, processes) => profile with { Processes = processes }),
        FileKey<ProfileSettings>.Duration(
            "silence_timeout", ShortestWait, LongestWait, profile => profile.SilenceTimeout, (profile, time) => profile with { SilenceTimeout = time }),
        FileKey<ProfileSettings>.Duration("tool_timeout", ShortestWait, LongestWait, profile => profile.ToolTimeout, (profile, time) => profile with { ToolTimeout = time }),
        FileKey<ProfileSettings>.Duration(
            "run_timeout", TimeSpan.FromSeconds(1), LongestWait, profile => profile.RunTimeout, (profile, time) => profile with { RunTimeout = time }),
        FileKey<ProfileSettings>.Duration(
            "question_timeout", ShortestWait, LongestWait, profile => profile.QuestionTimeout, (profile, time) => profile with { QuestionTimeout = time }),
        new(
            "budget_usd",
            "0 to 1000000",
            (profile, value) => profile with { BudgetMicrocents = value.Dollars() },
            profile => profile.BudgetMicrocents is { } microcents ? TomlLiteral.Dollars(microcents) : null),
        new(
            "env",
            "a table of texts",
            (profile, value) => profile with { Environment = value.Variables(MaxVariables) },
            profile => profile.Environment.Count == 0 ? null : $"{{ {string.Join(", ", profile.Environment.Select(variable => $"{variable.Key} = {TomlLiteral.Text(variable.Value)}"))} }}",
            profile => profile.Environment.Count == 0 ? null : $"{{ {string.Join(", ", profile.Environment.Keys)} }}"),
        new(
            "pass_env",
            "a list of variables",
            (profile, value) => profile with
            {
                PassedEnvironment = value.Names(MaxVariables, FileValue.IsVariable, $"use a list of up to {MaxVariables} names of variables, such as [\"GITHUB_TOKEN\"]"),
            },
            profile => profile.PassedEnvironment is { Count: > 0 } names ? TomlLiteral.Texts(names) : null),
        new(
            "confine",
            "a table of path, user and ip4",
            ReadConfine,
            profile => profile.Confine is { } confine
                ? $"{{ {string.Join(", ", Confine.Select(key => (key.Name, Value: key.Print(confine))).Where(key => key.Value is not null).Select(key => $"{key.Name} = {key.Value}"))} }}"
                : null),
    ];

    private static ProfileSettings ReadConfine(ProfileSettings profile, FileValue value)
    {
        var confine = value.Table(Confine, new ConfineSettings());
        return confine.Path is null ? throw value.Refused("it needs a path, the directory that becomes the agent's root") : profile with { Confine = confine };
    }

    private static bool IsProgram(string binary) => binary.StartsWith('/') || !binary.Contains('/');

    private static bool IsIp4(string text) => text is "inherit" or "disable"
        || (text.Split('.').Length == 4 && IPAddress.TryParse(text, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork);

    private static IReadOnlyList<string>? Unless(IReadOnlyList<string> list) => list.Count == 0 ? null : list;
}
