using System.Text.RegularExpressions;
using Colibri.Core.Agents.Kinds;
using Colibri.Protocol;
using Colibri.UnitTests.Structure;

namespace Colibri.UnitTests.Agents.Kinds;

/// <summary>The kinds of agent against the list of the protocol, and what the pages say of them.</summary>
public sealed partial class AgentProfilesTests
{
    [Test]
    public void Every_runtime_of_the_protocol_has_a_profile_and_no_other_has() => AgentProfiles.Names.ShouldBe(Runtimes.All);

    [Test]
    public void The_manual_page_has_the_default_arguments_of_each_kind() =>
        Defaults().Matches(Page("man/colibri-daemon.8")).Select(match => $"{match.Groups[1].Value} {match.Groups[2].Value.Replace("\\-", "-", StringComparison.Ordinal)}")
            .ShouldBe(AgentProfiles.All.Where(profile => profile.TaskArguments.Count > 0).Select(profile => $"{profile.Name} {string.Join(' ', profile.TaskArguments)}"));

    private static string Page(string name) => File.ReadAllText(Path.Combine(SourceTree.Root, "docs", name));

    [GeneratedRegex(@"^\.It Sy (\w+)\n\.Ql (.*)$", RegexOptions.Multiline)]
    private static partial Regex Defaults();
}
