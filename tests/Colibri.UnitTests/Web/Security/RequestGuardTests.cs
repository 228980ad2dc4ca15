using Colibri.Web.Security;

namespace Colibri.UnitTests.Web.Security;

/// <summary>Every rule, on a real socket: what a browser, a page of another site, or a program can send.</summary>
public sealed class RequestGuardTests
{
    private const string Here = "Host: 127.0.0.1:PORT";
    private const string Json = "Content-Type: application/json";
    private const int Served = 503;

    [Test]
    [Arguments("127.0.0.1:PORT", Served)]
    [Arguments("localhost:PORT", Served)]
    [Arguments("LOCALHOST:PORT", Served)]
    [Arguments("[::1]:PORT", Served)]
    [Arguments("evil.example:PORT", 421)]
    [Arguments("127.0.0.1.evil.example:PORT", 421)]
    [Arguments("127.0.0.1", 421)]
    [Arguments("localhost:1", 421)]
    [Arguments("127.0.0.2:PORT", 421)]
    [Arguments("0.0.0.0:PORT", 421)]
    public async Task Only_our_own_names_are_answered(string host, int status)
    {
        await using var server = await WebServer.StartAsync();
        (await server.GetAsync("/inbox", $"Host: {host}")).Status.ShouldBe(status == Served ? 200 : status);
    }

    [Test]
    public async Task A_request_without_a_host_is_refused()
    {
        await using var server = await WebServer.StartAsync();
        (await server.SendAsync("GET /inbox HTTP/1.0", [], "")).Status.ShouldBe(421);
        (await server.SendAsync("GET /inbox HTTP/1.1", [], "")).Status.ShouldBe(400);
    }

    [Test]
    public async Task A_name_is_allowed_by_option_alone()
    {
        await using var server = await WebServer.StartAsync("--allow-host", "glass.example:9000");
        (await server.GetAsync("/inbox", "Host: glass.example:9000")).Status.ShouldBe(200);
        (await server.GetAsync("/inbox", "Host: glass.example:9000", "Origin: https://glass.example:9000")).Status.ShouldBe(200);
        (await server.GetAsync("/inbox", "Host: glass.example")).Status.ShouldBe(421);
    }

    [Test]
    [Arguments("http://127.0.0.1:PORT", 200)]
    [Arguments("https://127.0.0.1:PORT", 403)]
    [Arguments("http://127.0.0.1:1", 403)]
    [Arguments("http://localhost:PORT", 403)]
    [Arguments("http://evil.example", 403)]
    [Arguments("http://127.0.0.1:PORT.evil.example", 403)]
    [Arguments("null", 403)]
    [Arguments("", 403)]
    public async Task An_origin_is_exactly_ours(string origin, int status)
    {
        await using var server = await WebServer.StartAsync();
        (await server.GetAsync("/inbox", Here, $"Origin: {origin}")).Status.ShouldBe(status);
    }

    [Test]
    [Arguments("same-origin", 200)]
    [Arguments("none", 200)]
    [Arguments("same-site", 403)]
    [Arguments("cross-site", 403)]
    [Arguments("", 403)]
    public async Task The_browsers_own_word_on_the_asking_site_counts(string site, int status)
    {
        await using var server = await WebServer.StartAsync();
        (await server.GetAsync("/inbox", Here, $"Sec-Fetch-Site: {site}")).Status.ShouldBe(status);
    }

    [Test]
    [Arguments("PUT /inbox")]
    [Arguments("POST /inbox")]
    [Arguments("DELETE /tasks/1")]
    [Arguments("OPTIONS /api/answer")]
    [Arguments("GET /api/answer")]
    public async Task Pages_take_get_and_actions_take_post(string line)
    {
        await using var server = await WebServer.StartAsync("--write");
        (await server.SendAsync($"{line} HTTP/1.1", [Here, Json, "Content-Length: 0"], "")).Status.ShouldBe(405);
    }

    [Test]
    [Arguments("text/plain")]
    [Arguments("application/x-www-form-urlencoded")]
    [Arguments("multipart/form-data; boundary=x")]
    [Arguments("application/jsonp")]
    [Arguments("application/json; charset=utf-16")]
    public async Task An_action_takes_json_alone(string type)
    {
        await using var server = await WebServer.StartAsync("--write");
        (await server.PostAsync("/api/answer", "{}", Here, $"Content-Type: {type}", $"Authorization: Bearer {server.Token.Text}")).Status.ShouldBe(415);
        (await server.PostAsync("/api/answer", "{}", Here, $"Authorization: Bearer {server.Token.Text}")).Status.ShouldBe(415);
    }

    [Test]
    public async Task A_page_takes_no_body()
    {
        await using var server = await WebServer.StartAsync();
        (await server.SendAsync("GET /inbox HTTP/1.1", [Here, "Content-Length: 2"], "{}")).Status.ShouldBe(400);
    }

    [Test]
    public async Task An_action_takes_the_token()
    {
        await using var server = await WebServer.StartAsync("--write");
        (await server.PostAsync("/api/answer", "{}", Here, Json)).Status.ShouldBe(401);
        (await server.PostAsync("/api/answer", "{}", Here, Json, $"Authorization: Bearer {server.Token.Text}0")).Status.ShouldBe(401);
        (await server.PostAsync("/api/answer", "{}", Here, Json, $"Authorization: Basic {server.Token.Text}")).Status.ShouldBe(401);
        (await server.PostAsync("/api/answer", "{}", Here, Json, $"Cookie: token={server.Token.Text}")).Status.ShouldBe(401);
        // With the token it goes on to the daemon, of which there is none.
        var passed = await server.PostAsync("/api/answer", "{}", Here, Json, $"Authorization: Bearer {server.Token.Text}");
        passed.Status.ShouldBe(503);
        passed.Text.ShouldContain("no daemon at");
    }

    [Test]
    public async Task Without_write_the_token_takes_no_action()
    {
        await using var server = await WebServer.StartAsync("--read-token");
        var refused = await server.PostAsync("/api/answer", "{}", Here, Json, $"Authorization: Bearer {server.Token.Text}");
        refused.Status.ShouldBe(403);
        refused.Text.ShouldContain("read-only");
    }

    [Test]
    public async Task A_command_that_is_no_action_does_not_exist()
    {
        await using var server = await WebServer.StartAsync("--write");
        foreach (var command in (string[])["spawn-agent", "create-task", "delete-task", "prune", "append-session", "ANSWER", "answer/"])
            (await server.PostAsync($"/api/{command}", "{}", Here, Json, $"Authorization: Bearer {server.Token.Text}")).Status.ShouldBe(404, command);
    }

    [Test]
    public async Task A_body_is_bounded_and_is_json()
    {
        await using var server = await WebServer.StartAsync("--write");
        var token = $"Authorization: Bearer {server.Token.Text}";
        (await server.PostAsync("/api/answer", new string('x', 300 * 1024), Here, Json, token)).Status.ShouldBe(413);
        (await server.PostAsync("/api/answer", "[1]", Here, Json, token)).Status.ShouldBe(400);
        (await server.PostAsync("/api/answer", "", Here, Json, token)).Status.ShouldBe(400);
    }

    [Test]
    public async Task Reading_takes_the_token_where_that_is_asked_for_and_so_do_the_streams()
    {
        await using var server = await WebServer.StartAsync("--read-token");
        foreach (var path in (string[])["/", "/inbox", "/events", "/tasks/1/session/follow", "/charts/cost.json", "/inbox?_parts=inbox", "/nothing"])
            (await server.GetAsync(path, Here)).Status.ShouldBe(401, path);
        (await server.GetAsync("/inbox", Here, $"Authorization: Bearer {server.Token.Text}")).Status.ShouldBe(200);
        // Who asks for a page gets one that asks for the token, and nothing else is in it.
        var shell = await server.GetAsync("/inbox", Here, "Accept: text/html");
        shell.Status.ShouldBe(401);
        shell.Text.ShouldContain("Reading this takes the token");
        shell.Text.ShouldNotContain("Waits for you");
    }

    [Test]
    public async Task Behind_a_proxy_its_name_is_https_alone_and_reading_takes_the_token()
    {
        await using var server = await WebServer.StartAsync("--behind-proxy", "glass.example");
        var token = $"Authorization: Bearer {server.Token.Text}";
        (await server.GetAsync("/inbox", "Host: glass.example")).Status.ShouldBe(401);
        (await server.GetAsync("/inbox", "Host: glass.example", token, "Origin: https://glass.example")).Status.ShouldBe(200);
        (await server.GetAsync("/inbox", "Host: glass.example", token, "Origin: http://glass.example")).Status.ShouldBe(403);
    }

    [Test]
    public async Task A_stream_is_checked_like_everything_else()
    {
        await using var server = await WebServer.StartAsync();
        (await server.GetAsync("/events", "Host: evil.example")).Status.ShouldBe(421);
        (await server.GetAsync("/events", Here, "Origin: http://evil.example")).Status.ShouldBe(403);
        (await server.GetAsync("/events", Here, "Sec-Fetch-Site: cross-site")).Status.ShouldBe(403);
    }

    [Test]
    [Arguments("/inbox")]
    [Arguments("/nothing")]
    [Arguments("/healthz")]
    public async Task Every_answer_carries_the_rules_and_no_cookie(string path)
    {
        await using var server = await WebServer.StartAsync();
        foreach (var text in new[] { (await server.GetAsync(path, Here)).Text, (await server.GetAsync(path, "Host: evil.example")).Text })
        {
            text.ShouldContain($"Content-Security-Policy: {ResponseRules.ContentSecurityPolicy}");
            text.ShouldContain("X-Content-Type-Options: nosniff");
            text.ShouldContain("Referrer-Policy: no-referrer");
            text.ShouldNotContain("Set-Cookie");
            text.ShouldNotContain("Access-Control-");
            text.ShouldNotContain("Server:");
        }
        ResponseRules.ContentSecurityPolicy.ShouldNotContain("unsafe");
        ResponseRules.ContentSecurityPolicy.ShouldContain("frame-ancestors 'none'");
    }

    [Test]
    public async Task A_refusal_echoes_nothing_of_the_request()
    {
        await using var server = await WebServer.StartAsync();
        (await server.GetAsync("/<script>alert(1)</script>", Here)).Text.ShouldNotContain("<script>alert");
        (await server.GetAsync("/agents/%3Cscript%3Ealert(1)%3C%2Fscript%3E", Here)).Text.ShouldNotContain("<script>alert");
    }
}
