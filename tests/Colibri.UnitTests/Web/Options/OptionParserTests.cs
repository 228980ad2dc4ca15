using Colibri.Web.Options;

namespace Colibri.UnitTests.Web.Options;

public sealed class OptionParserTests
{
    [Test]
    public void Without_options_it_serves_on_loopback_read_only()
    {
        var options = OptionParser.Parse([]);
        options.Action.ShouldBe(WebAction.Serve);
        options.Listen.EndPoint!.ToString().ShouldBe("127.0.0.1:7766");
        (options.Write, options.ReadsNeedToken, options.NeedsToken, options.Socket).ShouldBe((false, false, false, null));
    }

    [Test]
    public void Every_option_is_taken()
    {
        var options = OptionParser.Parse(["--listen", "[::1]:80", "--socket=/run/d.sock", "--write", "--token-file", "/etc/token", "--read-token", "--allow-host", "Localhost:9000", "--allow-host=a.example", "--otlp", "http://127.0.0.1:4318"]);
        options.Problem.ShouldBeNull();
        options.Listen.EndPoint!.ToString().ShouldBe("[::1]:80");
        (options.Write, options.ReadToken, options.Socket, options.TokenFile).ShouldBe((true, true, "/run/d.sock", "/etc/token"));
        options.Otlp.ShouldBe("http://127.0.0.1:4318");
        options.AllowedHosts.Select(host => host.Text).ShouldBe(["localhost:9000", "a.example"]);
    }

    [Test]
    public void A_unix_socket_is_listened_on_by_its_path() => OptionParser.Parse(["--listen", "unix:/run/web.sock"]).Listen.UnixPath.ShouldBe("/run/web.sock");

    [Test]
    [Arguments("--listen 0.0.0.0:7766", "--listen 0.0.0.0:7766 is beyond this machine: name the TLS proxy in front with --behind-proxy")]
    [Arguments("--listen 192.0.2.1:80 --write", "--listen 192.0.2.1:80 is beyond this machine: name the TLS proxy in front with --behind-proxy")]
    [Arguments("--listen [::]:80", "--listen [::]:80 is beyond this machine: name the TLS proxy in front with --behind-proxy")]
    [Arguments("--listen 127.1:80", "--listen 127.1:80: not an address with a port, nor unix:/path")]
    [Arguments("--listen 127.0.0.1", "--listen 127.0.0.1: not an address with a port, nor unix:/path")]
    [Arguments("--listen 127.0.0.1:65536", "--listen 127.0.0.1:65536: not an address with a port, nor unix:/path")]
    [Arguments("--listen unix:web.sock", "--listen unix:web.sock: not an address with a port, nor unix:/path")]
    [Arguments("--listen", "--listen needs a value")]
    [Arguments("--socket=", "--socket needs a value")]
    [Arguments("--socket /a --socket /b", "--socket is given twice")]
    [Arguments("--allow-host a/b", "--allow-host a/b: not a name, or a name with a port")]
    [Arguments("--allow-host a:0", "--allow-host a:0: not a name, or a name with a port")]
    [Arguments("--behind-proxy https://a", "--behind-proxy https://a: not a name, or a name with a port")]
    [Arguments("--verbose", "unknown option --verbose")]
    [Arguments("serve", "there is no use for 'serve'")]
    public void A_wrong_command_line_is_refused_in_one_line(string line, string problem)
    {
        var options = OptionParser.Parse(line.Split(' '));
        options.Action.ShouldBe(WebAction.Refuse);
        options.Problem.ShouldBe(problem);
    }

    [Test]
    public void Beyond_this_machine_it_is_behind_a_proxy_and_reading_needs_the_token()
    {
        var options = OptionParser.Parse(["--listen", "0.0.0.0:7766", "--behind-proxy", "glass.example"]);
        options.Problem.ShouldBeNull();
        (options.ReadsNeedToken, options.NeedsToken, options.Write).ShouldBe((true, true, false));
    }

    [Test]
    [Arguments("--help", "Help")]
    [Arguments("-h", "Help")]
    [Arguments("--version", "Version")]
    public void A_question_is_answered_as_soon_as_it_is_read(string word, string action) => OptionParser.Parse([word, "--nonsense"]).Action.ToString().ShouldBe(action);

    [Test]
    public void The_usage_names_every_option_and_fits_a_terminal()
    {
        foreach (var option in (string[])["--listen", "--socket", "--write", "--token-file", "--read-token", "--allow-host", "--behind-proxy", "--otlp", "--version", "--help"])
            OptionParser.Usage.ShouldContain(option);
        OptionParser.Usage.Split('\n').Max(line => line.Length).ShouldBeLessThanOrEqualTo(80);
    }
}
