using Colibri.Web.Security;

namespace Colibri.UnitTests.Web.Security;

public sealed class AccessTokenTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("colibri-token-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Test]
    public void A_token_is_made_for_its_owner_alone_and_is_the_same_afterwards()
    {
        var path = Path.Combine(_directory, "own", "token");
        var made = AccessToken.Open(path);
        made.Text.Length.ShouldBe(64);
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        AccessToken.Open(path).Text.ShouldBe(made.Text);
        AccessToken.Open(Path.Combine(_directory, "other")).Text.ShouldNotBe(made.Text);
    }

    [Test]
    [Arguments(UnixFileMode.GroupRead)]
    [Arguments(UnixFileMode.OtherRead)]
    [Arguments(UnixFileMode.OtherWrite)]
    public void A_file_that_others_may_use_is_refused(UnixFileMode others)
    {
        var path = Path.Combine(_directory, "token");
        var made = AccessToken.Open(path);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
        var refused = Should.Throw<TokenException>(() => AccessToken.Open(path));
        refused.Message.ShouldBe($"others may read the token file {path} (try: chmod 600 {path})");
        refused.Message.ShouldNotContain(made.Text);
    }

    [Test]
    [Arguments("")]
    [Arguments("short")]
    [Arguments("a token with blanks in it, which no header takes as one")]
    [Arguments("0123456789abcdef0123456789abcdef\n0123456789abcdef0123456789abcdef")]
    public void What_is_no_token_is_refused(string text)
    {
        var path = Path.Combine(_directory, "token");
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Should.Throw<TokenException>(() => AccessToken.Open(path)).Message.ShouldStartWith($"{path} holds no token");
    }

    [Test]
    public void Only_the_whole_token_is_the_token()
    {
        var token = AccessToken.Open(Path.Combine(_directory, "token"));
        token.Is(token.Text).ShouldBeTrue();
        token.Is(token.Text.AsSpan(..^1)).ShouldBeFalse();
        token.Is(token.Text + "0").ShouldBeFalse();
        token.Is("").ShouldBeFalse();
        token.Is(new string('é', 64)).ShouldBeFalse();
        token.Is(new string('0', 5_000)).ShouldBeFalse();
    }
}
