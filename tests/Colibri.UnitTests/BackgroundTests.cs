using Colibri.Core;
using Colibri.UnitTests.Sessions;

namespace Colibri.UnitTests;

public sealed class BackgroundTests
{
    [Test]
    public async Task What_fails_beside_its_starter_is_logged_and_told_and_never_thrown()
    {
        var logger = new CollectingLogger();
        Exception? told = null;
        await Background.Run(logger, "counting sheep", Task.FromException(new InvalidDataException("a wolf")), error => told = error);

        logger.Of(105).ShouldHaveSingleItem().ShouldContain("counting sheep");
        told.ShouldBeOfType<InvalidDataException>();
    }

    [Test]
    public async Task What_goes_well_is_told_to_nobody()
    {
        var logger = new CollectingLogger();
        await Background.Run(logger, "counting sheep", Task.CompletedTask, _ => throw new InvalidOperationException("nothing failed"));
        logger.Of(105).ShouldBeEmpty();
    }
}
