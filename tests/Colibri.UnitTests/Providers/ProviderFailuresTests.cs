using Colibri.Core.Providers;

namespace Colibri.UnitTests.Providers;

/// <summary>What is the provider's fault and what is the task's, by what the kinds report.</summary>
public sealed class ProviderFailuresTests
{
    [Test]
    // Words as the kinds say them: Codex, Claude Code, Pi, opencode, and the SDKs and runtimes below them.
    [Arguments("You have reached your usage limit. Try again in 3 hours 12 minutes.", ProviderFailure.Limit)]
    [Arguments("You've hit your usage limit. Try again at 5:51 PM.", ProviderFailure.Limit)]
    [Arguments("You’ve hit your limit · resets 2:30am (America/New_York)", ProviderFailure.Limit)]
    [Arguments("Claude AI usage limit reached|1760000400", ProviderFailure.Limit)]
    [Arguments("5-hour limit reached ∙ resets 3pm", ProviderFailure.Limit)]
    [Arguments("You exceeded your current quota, please check your plan and billing details.", ProviderFailure.Limit)]
    [Arguments("Your credit balance is too low to access the Anthropic API", ProviderFailure.Limit)]
    [Arguments("stream disconnected before completion: Rate limit is exceeded. Try again in 17 seconds.", ProviderFailure.Limit)]
    [Arguments("overloaded_error: Overloaded", ProviderFailure.Overload)]
    [Arguments("Selected model is at capacity. Please try a different model.", ProviderFailure.Overload)]
    [Arguments("Connection error.", ProviderFailure.Unreachable)]
    [Arguments("API Error: Connection error.", ProviderFailure.Unreachable)]
    [Arguments("API Error: Unable to connect to API (ECONNREFUSED)", ProviderFailure.Unreachable)]
    [Arguments("stream disconnected before completion: error sending request for url (http://127.0.0.1:1/v1/responses)", ProviderFailure.Unreachable)]
    [Arguments("Reconnecting... 4/5 (stream disconnected before completion: idle timeout waiting for SSE)", ProviderFailure.Unreachable)]
    [Arguments("Cannot connect to API: connect ECONNREFUSED 127.0.0.1:1", ProviderFailure.Unreachable)]
    [Arguments("Unable to connect. Is the computer able to access the url?", ProviderFailure.Unreachable)]
    [Arguments("terminated", ProviderFailure.Unreachable)]
    [Arguments("terminated: Response does not match the HTTP/1.1 protocol (Invalid EOF state)", ProviderFailure.Unreachable)]
    [Arguments("terminated by its operator", ProviderFailure.None)]
    [Arguments("TypeError: fetch failed", ProviderFailure.Unreachable)]
    [Arguments("getaddrinfo EAI_AGAIN api.anthropic.com", ProviderFailure.Unreachable)]
    [Arguments("getaddrinfo ENOTFOUND api.openai.com", ProviderFailure.Unreachable)]
    [Arguments("read ECONNRESET", ProviderFailure.Unreachable)]
    [Arguments("Request timed out.", ProviderFailure.Unreachable)]
    [Arguments("unable to verify the first certificate", ProviderFailure.Unreachable)]
    [Arguments("self-signed certificate in certificate chain", ProviderFailure.Unreachable)]
    [Arguments("Not logged in · Please run /login", ProviderFailure.Authentication)]
    [Arguments("Invalid API key · Please run /login", ProviderFailure.Authentication)]
    [Arguments("This model's maximum context length is 128000 tokens. context_length_exceeded", ProviderFailure.None)]
    [Arguments("prompt is too long: 210000 tokens > 200000 maximum", ProviderFailure.None)]
    [Arguments("Disk quota exceeded", ProviderFailure.None)]
    [Arguments("it broke", ProviderFailure.None)]
    [Arguments("Request was aborted", ProviderFailure.None)]
    [Arguments("error_max_turns", ProviderFailure.None)]
    [Arguments("", ProviderFailure.None)]
    [Arguments(null, ProviderFailure.None)]
    public void Words_say_whose_fault_it_is_and_are_not_enough_for_one_task(string? error, ProviderFailure expected) =>
        ProviderFailures.Fault(0, error, hasWorked: false).ShouldBe(new ProviderFault(expected, IsStated: false));

    [Test]
    [Arguments(429, "any words", ProviderFailure.Overload)]
    [Arguments(500, null, ProviderFailure.Overload)]
    [Arguments(529, "Overloaded", ProviderFailure.Overload)]
    [Arguments(522, "Connection timed out", ProviderFailure.Overload)]
    [Arguments(408, null, ProviderFailure.Unreachable)]
    [Arguments(402, null, ProviderFailure.Limit)]
    [Arguments(401, "any words", ProviderFailure.Authentication)]
    [Arguments(403, null, ProviderFailure.Authentication)]
    [Arguments(429, "prompt is too long for this plan", ProviderFailure.None)]
    [Arguments(400, "unknown field", ProviderFailure.None)]
    [Arguments(404, "connection refused, says a proxy", ProviderFailure.None)]
    public void A_status_in_a_field_comes_before_the_words(int status, string? error, ProviderFailure expected)
    {
        foreach (var hasWorked in (bool[])[false, true])
            ProviderFailures.Fault(status, error, hasWorked).ShouldBe(new ProviderFault(expected, IsStated: expected != ProviderFailure.None));
    }

    [Test]
    public void Want_of_credit_may_come_with_a_status_that_says_something_else() =>
        ProviderFailures.Fault(400, "Your credit balance is too low to access the Anthropic API", hasWorked: false).Failure.ShouldBe(ProviderFailure.Limit);

    /// <summary>What opencode and Copilot say over ACP of a provider that they have given up.</summary>
    [Test]
    [Arguments("Internal error: service unavailable", ProviderFailure.Overload)]
    [Arguments("Error: Failed to get response from the AI model; retried 5 times (total retry wait time: 15.75 seconds) Last error: Connection error.", ProviderFailure.Unreachable)]
    public void Words_at_the_start_of_an_error_count_also_after_work(string error, ProviderFailure expected)
    {
        foreach (var hasWorked in (bool[])[false, true])
            ProviderFailures.Fault(0, error, hasWorked).ShouldBe(new ProviderFault(expected, IsStated: false));
    }

    [Test]
    [Arguments("503: {\"message\":\"service unavailable\"}", ProviderFailure.Overload)]
    [Arguments("unexpected status 503 Service Unavailable: service unavailable, url: http://127.0.0.1:1", ProviderFailure.Overload)]
    [Arguments("exceeded retry limit, last status: 429 Too Many Requests", ProviderFailure.Overload)]
    [Arguments("Reconnecting... 1/1 (exceeded retry limit, last status: 429 Too Many Requests)", ProviderFailure.Overload)]
    [Arguments("API Error: 529 {\"type\":\"error\"}", ProviderFailure.Overload)]
    [Arguments("Error: Failed to get response from the AI model; retried 5 times (total retry wait time: 15.75 seconds) Last error: 503 service unavailable", ProviderFailure.Overload)]
    [Arguments("401: {\"message\":\"invalid api key\"}", ProviderFailure.Authentication)]
    public void A_status_at_the_start_of_the_words_is_as_good_as_a_field_also_after_work(string error, ProviderFailure expected)
    {
        foreach (var hasWorked in (bool[])[false, true])
            ProviderFailures.Fault(0, error, hasWorked).ShouldBe(new ProviderFault(expected, IsStated: true));
    }

    [Test]
    [Arguments("curl: (7) Failed to connect to localhost port 3000: Connection refused")]
    [Arguments("the site answered: connection refused")]
    [Arguments("connect ECONNREFUSED 127.0.0.1:5432 (the tests' database)")]
    [Arguments("HTTP 503 from http://localhost:3000")]
    [Arguments("the build failed: npm error network getaddrinfo ENOTFOUND registry.npmjs.org")]
    [Arguments("the page shows: internal server error")]
    [Arguments("unable to verify the first certificate of staging.example")]
    public void An_agent_that_has_worked_may_speak_of_the_site_it_works_on(string error) =>
        ProviderFailures.Fault(0, error, hasWorked: true).IsProviders.ShouldBeFalse();

    [Test]
    [Arguments("Connection error.")]
    [Arguments("API Error: Unable to connect to API (ECONNRESET)")]
    [Arguments("stream disconnected before completion: error sending request for url (http://127.0.0.1:1/v1/responses)")]
    [Arguments("terminated")]
    [Arguments("You've hit your usage limit. Try again at 5:51 PM.")]
    [Arguments("Claude AI usage limit reached|1760000400")]
    public void What_an_error_begins_with_is_the_providers_also_after_work(string error) =>
        ProviderFailures.Fault(0, error, hasWorked: true).IsProviders.ShouldBeTrue();
}
