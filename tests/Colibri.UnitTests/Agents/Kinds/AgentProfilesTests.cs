using Colibri.Core.Agents.Kinds;
using Colibri.Core.Settings;
using Colibri.Protocol;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>The kinds of agent against the list of the protocol, and against what programs answer.</summary>
public sealed class AgentProfilesTests
{
    [Test]
    public void Every_runtime_of_the_protocol_has_a_profile_and_no_other_has() => AgentProfiles.Names.ShouldBe(Runtimes.All);

    [Test]
    public void A_kind_is_found_by_the_name_of_its_program()
    {
        foreach (var profile in AgentProfiles.Startable)
            AgentProfiles.For(null, $"/opt/bin/{profile.ProgramName}").ShouldBe(profile);
    }

    // As real programs of these versions were seen to answer, and what else answers under such a name: pressly/goose, the stub of an npm package, a wrapper that fails.
    [Test]
    [Arguments("pi", "1.6.0", true)]
    [Arguments("pi", "1.5.2\n", true)]
    [Arguments("claude", "2.1.332 (Claude Code)\n", true)]
    [Arguments("codex", "codex-cli 0.171.0\n", true)]
    [Arguments("opencode", "1.18.33\n", true)]
    [Arguments("opencode", "0.0.0-dev-202611\n", true)]
    [Arguments("gemini", "0.61.0\n", true)]
    [Arguments("qwen", "0.24.4\n", true)]
    [Arguments("copilot", "GitHub Copilot CLI 1.0.102.\nRun 'copilot update' to check for updates.\n", true)]
    [Arguments("cline", "3.0.65\n", true)]
    [Arguments("goose", " 1.34.0\n", true)]
    [Arguments("droid", "0.225.2\n", true)]
    [Arguments("goose", "goose version: v3.24.1\n", false)]
    [Arguments("copilot", "1.0.102", false)]
    [Arguments("copilot", "GitHub Copilot CLI .", false)]
    [Arguments("claude", "2.1.332", false)]
    [Arguments("codex", "0.171.0", false)]
    [Arguments("codex", "codex-cli", false)]
    [Arguments("pi", "goose version: v3.24.1", false)]
    [Arguments("pi", "3", false)]
    [Arguments("pi", "Downloading pi...", false)]
    [Arguments("pi", "v", false)]
    [Arguments("pi", "", false)]
    public void A_program_is_recognised_by_what_it_answers_to_version(string kind, string answer, bool isIt) =>
        AgentProfiles.Find(kind)!.Recognises!(answer).ShouldBe(isIt);

    [Test]
    public void The_protocol_says_of_each_kind_how_its_agents_can_be_told_things()
    {
        TransportNames.All.Count.ShouldBe(Enum.GetValues<Transport>().Length);
        foreach (var kind in Runtimes.Kinds)
            AgentProfiles.Find(kind.Name)!.Transports.Select(TransportNames.Of).ShouldBe(kind.Transports, kind.Name);
    }

    /// <summary>The pages name the command that lists the kinds: a new kind is in its own file, in the list of profiles and in that of the protocol.</summary>
    [Test]
    public void A_kind_is_named_by_three_source_files()
    {
        foreach (var kind in AgentProfiles.Startable)
        {
            var file = SourceTree.Files("Colibri.Core").Single(file => file.Name.EndsWith($"/Agents/Kinds/{char.ToUpperInvariant(kind.Name[0])}{kind.Name[1..]}.cs", StringComparison.Ordinal));
            // A provider may bear the name of a kind.
            SourceTree.Files().Where(other => other.Folder != file.Folder && other.Folder != "Colibri.Core/Providers" && other.Lines.Any(line => Code(line).Contains($"\"{kind.Name}\"", StringComparison.Ordinal)))
                .Select(other => other.Name).ShouldBe(Names(kind.Name), ignoreOrder: true, kind.Name);
        }

        // The agent of old that is kept where nothing else is configured.
        static string[] Names(string kind) => kind == "zot" ? ["Colibri.Core/Settings/DaemonConfiguration.cs", "Colibri.Protocol/Runtimes.cs"] : ["Colibri.Protocol/Runtimes.cs"];
        static string Code(string line) => line.TrimStart().StartsWith("//", StringComparison.Ordinal) ? "" : line;
    }
}
