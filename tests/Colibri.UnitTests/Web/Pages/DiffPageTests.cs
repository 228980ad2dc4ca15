using Colibri.Web.Html;
using Colibri.Web.Pages;

namespace Colibri.UnitTests.Web.Pages;

public sealed class DiffPageTests
{
    [Test]
    public void A_patch_is_shown_file_by_file_with_every_character_as_text()
    {
        var html = new HtmlWriter();
        DiffPage.Patch(html, "diff --git a/x.js b/x.js\n--- a/x.js\n+++ b/x.js\n@@ -1,2 +1,2 @@\n-if (a < 1) return '<b>';\n+return \"</span><script>\" // why & how\n same\ndiff --git a/y b/z\nBinary files differ\n");
        var written = html.Written;
        written.ShouldContain("<summary>x.js</summary>");
        written.ShouldContain("<summary>z</summary>");
        written.ShouldContain("<span class=\"l del\">-<span class=\"key\">if</span> (a &lt; <span class=\"lit\">1</span>) <span class=\"key\">return</span> <span class=\"str\">&#39;&lt;b&gt;&#39;</span>;</span>");
        written.ShouldContain("<span class=\"str\">&quot;&lt;/span&gt;&lt;script&gt;&quot;</span>");
        written.ShouldContain("<span class=\"com\">// why &amp; how</span>");
        written.ShouldNotContain("<script");
    }

    [Test]
    [Arguments("+don't \"open")]
    [Arguments("+/")]
    [Arguments("-#-/*")]
    [Arguments("+\"\\")]
    [Arguments(" `")]
    public void Every_character_of_a_line_is_shown_once(string line)
    {
        var html = new HtmlWriter();
        DiffColours.Line(html, line);
        var shown = System.Text.RegularExpressions.Regex.Replace(html.Written, "<[^>]*>", "");
        System.Net.WebUtility.HtmlDecode(shown).ShouldBe(line + "\n");
    }

    [Test]
    public void No_patch_is_said_in_words()
    {
        var html = new HtmlWriter();
        DiffPage.Patch(html, null);
        html.Written.ShouldContain("There is no difference.");
    }
}
