using Colibri.Web.Html;

namespace Colibri.UnitTests.Web.Html;

public sealed class HtmlWriterTests
{
    [Test]
    [Arguments("<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;")]
    [Arguments("a & b \"c\"", "a &amp; b &quot;c&quot;")]
    [Arguments("&lt;", "&amp;lt;")]
    [Arguments("two\nlines\tand a tab", "two\nlines\tand a tab")]
    [Arguments("\u001b[31mred\u0000\u009b", "[31mred")]
    [Arguments("evil\u202egnp.exe\u2066", "evilgnp.exe")]
    [Arguments("Grüße 🐦", "Grüße 🐦")]
    public void A_text_is_a_text_in_an_element_and_in_an_attribute(string text, string encoded)
    {
        new HtmlWriter().Element("p", text).Written.ShouldBe($"<p>{encoded}</p>");
        new HtmlWriter().Open("input", ("value", text)).Written.ShouldBe($"<input value=\"{encoded}\">");
    }

    [Test]
    public void An_attribute_without_a_value_is_left_out_and_an_empty_one_stands_alone() =>
        new HtmlWriter().Element("a", null, ("href", null), ("data-go", "")).Written.ShouldBe("<a data-go></a>");

    [Test]
    public void An_element_that_is_open_is_a_fault() => Should.Throw<InvalidOperationException>(() => new HtmlWriter().Open("p").Written);
}
