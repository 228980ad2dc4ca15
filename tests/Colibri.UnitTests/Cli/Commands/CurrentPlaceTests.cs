using Colibri.Cli.Commands;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Cli.Commands;

public sealed class CurrentPlaceTests
{
    private static readonly StatusWorkspace[] Some = [new("all", "/srv"), new("site", "/srv/site/"), new("root-of-none", "/srv/site/docs-old")];

    [Test]
    [Arguments("/srv/site", "site")]
    [Arguments("/srv/site/docs/en", "site")]
    [Arguments("/srv/site-old", "all")]
    [Arguments("/srv", "all")]
    [Arguments("/home/me", null)]
    public void The_innermost_workspace_holds_a_directory(string here, string? name) => CurrentPlace.Holding(here, Some)?.Name.ShouldBe(name);

    [Test]
    public void A_workspace_is_found_through_links()
    {
        var home = Directory.CreateTempSubdirectory("cp");
        try
        {
            var real = home.CreateSubdirectory("disk").CreateSubdirectory("site");
            File.CreateSymbolicLink(Path.Combine(home.FullName, "srv"), "disk");
            File.CreateSymbolicLink(Path.Combine(home.FullName, "web"), Path.Combine(home.FullName, "srv", "site"));
            File.CreateSymbolicLink(Path.Combine(home.FullName, "loop"), "loop");

            CurrentPlace.Holding(Path.Combine(real.FullName, "docs"), [new("loop", Path.Combine(home.FullName, "loop")), new("site", Path.Combine(home.FullName, "web"))])!.Name.ShouldBe("site");
        }
        finally
        {
            home.Delete(recursive: true);
        }
    }
}
