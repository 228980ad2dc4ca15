using Colibri.Core.Sessions;

namespace Colibri.UnitTests.Sessions;

public sealed class SessionIdTests
{
    [Test]
    [Arguments("a")]
    [Arguments("0")]
    [Arguments("-")]
    [Arguments("_")]
    [Arguments("a.b_c-D9")]
    [Arguments("a..")]
    [Arguments("01a201dd-9e2c-7489-9c6b-b90dc9b73446")]
    public void Letters_digits_dot_underscore_and_dash_make_an_id(string id) => SessionId.IsValid(id).ShouldBeTrue();

    [Test]
    [Arguments(null)]
    [Arguments("")]
    [Arguments(".")]
    [Arguments("..")]
    [Arguments(".hidden")]
    [Arguments("a/b")]
    [Arguments("../a")]
    [Arguments("a b")]
    [Arguments("a\0")]
    [Arguments("a\n")]
    [Arguments("é")]
    [Arguments("\u0660")]
    [Arguments("a:b")]
    public void Anything_else_is_none(string? id) => SessionId.IsValid(id).ShouldBeFalse();

    [Test]
    public void An_id_has_at_most_128_characters()
    {
        SessionId.IsValid(new string('a', 128)).ShouldBeTrue();
        SessionId.IsValid(new string('a', 129)).ShouldBeFalse();
    }

    [Test]
    public async Task The_store_refuses_what_is_no_id_and_touches_nothing()
    {
        using var fixture = new SessionFixture();
        await Should.ThrowAsync<ArgumentException>(() => fixture.Open().AppendAsync("../out", SessionFixture.Note("x")));
        Should.Throw<ArgumentException>(() => fixture.Open().Read("..", all: true));
        Directory.Exists(fixture.Root).ShouldBeFalse();
    }
}
