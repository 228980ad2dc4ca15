using Colibri.Protocol.Wire;
using Colibri.Web.Html;
using Colibri.Web.Options;
using Colibri.Web.Pages;

namespace Colibri.UnitTests.Web.Pages;

public sealed class ActionFormsTests
{
    private static readonly WebOptions Writing = new() { Action = WebAction.Serve, Write = true };
    private static readonly WebOptions Reading = new() { Action = WebAction.Serve };

    [Test]
    [Arguments("confirm", "confirmed")]
    [Arguments("permission", "confirmed")]
    [Arguments("input", "value")]
    public void A_question_has_what_answers_it(string method, string field)
    {
        var written = Question(Writing, new AgentQuestion("q1", method, "Go on?"));
        written.ShouldContain("name=\"request\" value=\"q1\"");
        written.ShouldContain($"name=\"{field}\"");
        written.ShouldContain("colibri answer a3 --cancel");
    }

    [Test]
    public void An_option_is_answered_by_its_own_words_and_a_shell_gets_them_as_one()
    {
        var written = Question(Writing, new AgentQuestion("q1", "select", "Which?", null, ["left", "it's \"right\" <b>"]));
        written.ShouldContain("name=\"value\" value=\"it&#39;s &quot;right&quot; &lt;b&gt;\"");
        written.ShouldContain("colibri answer a3 --value left");
        written.ShouldContain("colibri answer a3 --value &#39;it&#39;\\&#39;&#39;s &quot;right&quot; &lt;b&gt;&#39;");
        written.ShouldNotContain("<b>");
    }

    [Test]
    public void Read_only_there_is_no_form_and_the_command_stands_alone()
    {
        var written = Question(Reading, new AgentQuestion("q1", "confirm", "Go on?"));
        written.ShouldNotContain("<form");
        written.ShouldContain("colibri answer a3 --yes");
    }

    [Test]
    public void What_destroys_says_what_it_ends()
    {
        var html = new HtmlWriter();
        html.StopAgent(Writing, new Pane { Id = "x", Label = "a3", Agent = "pi", Runtime = "pi", Lifecycle = Lifecycle.Running, Activity = Activity.Working, TaskNumber = 12, StartedAt = default });
        html.Written.ShouldContain("data-confirm=\"Stopping a3 ends its run of #12 and all its processes.\"");
    }

    private static string Question(WebOptions options, AgentQuestion question)
    {
        var html = new HtmlWriter();
        html.Question(options, question, "agent-id", "a3");
        return html.Written;
    }
}
