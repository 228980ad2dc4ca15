using System.Text.Json;
using Colibri.Mcp.Output;

namespace Colibri.UnitTests.Mcp.Output;

public sealed class BoundedJsonTests
{
    [Test]
    public void What_fits_stays_as_it_is()
    {
        var (data, text) = BoundedJson.Fit(JsonElement.Parse("""{"a":[1,2],"b":"é <"}"""));

        text.ShouldBe("""{"a":[1,2],"b":"é <"}""");
        data.TryGetProperty("left_out", out _).ShouldBeFalse();
    }

    [Test]
    [Arguments(10, 100_000)]
    [Arguments(100_000, 10)]
    [Arguments(2_000, 2_000)]
    public void What_is_longer_keeps_its_shape_and_says_what_is_left_out(int items, int chars)
    {
        var long_ = new string('x', chars);
        var (data, text) = BoundedJson.Fit(JsonElement.Parse($$"""{"tasks":[{{string.Join(',', Enumerable.Range(0, items).Select(i => $$"""{"number":{{i}},"title":"{{long_}}"}"""))}}],"next":"n"}"""));

        text.Length.ShouldBeLessThanOrEqualTo(Bounds.MaxChars);
        JsonElement.Parse(text).GetProperty("next").GetString().ShouldBe("n");
        data.GetProperty("tasks")[0].GetProperty("number").GetInt32().ShouldBe(0);
        data.GetProperty("left_out").GetString()!.ShouldStartWith("this answer was longer than 65536 characters");
    }

    [Test]
    public void The_end_of_a_list_is_kept_where_that_is_asked_for()
    {
        var (data, _) = BoundedJson.Fit(JsonElement.Parse($$"""{"entries":[{{string.Join(',', Enumerable.Range(0, 50_000))}}]}"""), keepEnd: true);

        var entries = data.GetProperty("entries");
        entries[entries.GetArrayLength() - 1].GetInt32().ShouldBe(49_999);
    }
}
