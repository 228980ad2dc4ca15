using Colibri.Core.Sessions;

namespace Colibri.UnitTests.Sessions;

public sealed class SessionIdTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("0")]
    [InlineData("-")]
    [InlineData("_")]
    [InlineData("a.b_c-D9")]
    [InlineData("a..")]
    [InlineData("01a201dd-9e2c-7489-9c6b-b90dc9b73446")]
    public void Letters_digits_dot_underscore_and_dash_make_an_id(string id) => SessionId.IsValid(id).ShouldBeTrue();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("../a")]
    [InlineData("a b")]
    [InlineData("a\0")]
    [InlineData("a\n")]
    [InlineData("é")]
    [InlineData("\u0660")]
    [InlineData("a:b")]
    public void Anything_else_is_none(string? id) => SessionId.IsValid(id).ShouldBeFalse();

    [Fact]
    public void An_id_has_at_most_128_characters()
    {
        SessionId.IsValid(new string('a', 128)).ShouldBeTrue();
        SessionId.IsValid(new string('a', 129)).ShouldBeFalse();
    }

    [Fact]
    public async Task The_store_refuses_what_is_no_id_and_touches_nothing()
    {
        using var fixture = new SessionFixture();
        await Should.ThrowAsync<ArgumentException>(() => fixture.Open().AppendAsync("../out", SessionFixture.Note("x")));
        Should.Throw<ArgumentException>(() => fixture.Open().Read("..", all: true));
        Directory.Exists(fixture.Root).ShouldBeFalse();
    }
}
