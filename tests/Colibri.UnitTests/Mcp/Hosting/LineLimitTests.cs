using Colibri.Mcp.Hosting;

namespace Colibri.UnitTests.Mcp.Hosting;

public sealed class LineLimitTests
{
    [Test]
    public async Task Lines_within_the_limit_pass_however_many_they_are()
    {
        var line = new byte[LineLimit.MaxLineBytes];
        line[^1] = (byte)'\n';
        await using var stream = new LineLimit(new MemoryStream([.. line, .. line]));

        await stream.CopyToAsync(Stream.Null);
    }

    [Test]
    public async Task A_longer_line_ends_the_stream()
    {
        await using var stream = new LineLimit(new MemoryStream(new byte[LineLimit.MaxLineBytes + 1]));

        await Should.ThrowAsync<IOException>(() => stream.CopyToAsync(Stream.Null));
    }
}
