namespace Colibri.Core.Providers;

/// <summary>
/// The words in which agents say that their provider is at fault, where no HTTP status says so. Words never give an instant: "resets 2:30am" has
/// no date and no zone.
/// </summary>
internal static class ProviderWords
{
    // An error names its cause at its start; what follows may be a story, a stack or the prompt.
    private const int MostLetters = 300;

    // After the model has answered, a limit may stand a few words into the error: "You've hit your usage limit".
    private const int OpeningLetters = 48;

    /// <summary>
    /// What the kinds say. After each: who says it. Codex, Claude Code, opencode and Pi as recorded against a stand-in that refuses, resets or
    /// limits; the Node and undici codes from the Node.js documentation of errors; the SDKs from the OpenAI and Anthropic client libraries.
    /// </summary>
    private static readonly Phrase[] Phrases =
    [
        // Limits of a plan, a quota or a credit.
        new("usage limit", ProviderFailure.Limit),               // Codex: "You've hit your usage limit"; Claude Code: "usage limit reached"
        new("hit your", ProviderFailure.Limit, "limit"),         // Claude Code: "You've hit your limit", "... your session limit"
        new("reached your", ProviderFailure.Limit, "limit"),
        new("limit reached", ProviderFailure.Limit),             // Claude Code: "5-hour limit reached"
        new("limit will reset", ProviderFailure.Limit),
        new("limit resets", ProviderFailure.Limit),
        new("resets at", ProviderFailure.Limit, "limit"),
        new("rate limit", ProviderFailure.Limit),                // OpenAI and Anthropic: RateLimitError
        new("rate_limit", ProviderFailure.Limit),
        new("ratelimit", ProviderFailure.Limit),
        new("rate-limit", ProviderFailure.Limit),
        new("quota", ProviderFailure.Limit),                     // OpenAI: insufficient_quota; Gemini: "exceeded your current quota"
        new("resource_exhausted", ProviderFailure.Limit),        // Gemini
        new("resource exhausted", ProviderFailure.Limit),
        new("credit balance is too low", ProviderFailure.Limit), // Anthropic
        new("insufficient credit", ProviderFailure.Limit),       // OpenRouter
        new("insufficient balance", ProviderFailure.Limit),      // DeepSeek
        new("insufficient funds", ProviderFailure.Limit),
        new("out of credits", ProviderFailure.Limit),
        new("payment required", ProviderFailure.Limit),
        new("spend limit", ProviderFailure.Limit),
        new("spending limit", ProviderFailure.Limit),

        // Overload.
        new("too many requests", ProviderFailure.Overload),
        new("overloaded", ProviderFailure.Overload),             // Anthropic: overloaded_error
        new("at capacity", ProviderFailure.Overload),            // Codex
        new("high demand", ProviderFailure.Overload),            // Codex
        new("service unavailable", ProviderFailure.Overload),
        new("service_unavailable", ProviderFailure.Overload),
        new("temporarily unavailable", ProviderFailure.Overload),
        new("bad gateway", ProviderFailure.Overload),
        new("gateway timeout", ProviderFailure.Overload),
        new("gateway time-out", ProviderFailure.Overload),
        new("internal server error", ProviderFailure.Overload),
        new("server_error", ProviderFailure.Overload),           // OpenAI
        new("server had an error", ProviderFailure.Overload),    // OpenAI

        // The connection. What begins an error counts even after work.
        new("connection error", ProviderFailure.Unreachable, Opens: true),        // the SDKs' APIConnectionError; Claude Code, Pi
        new("stream disconnected", ProviderFailure.Unreachable, Opens: true),     // Codex
        new("error sending request", ProviderFailure.Unreachable, Opens: true),   // Codex (reqwest)
        new("unable to connect", ProviderFailure.Unreachable, Opens: true),       // Claude Code: "... to API (ECONNREFUSED)"; Bun
        new("cannot connect to api", ProviderFailure.Unreachable, Opens: true),   // opencode (AI SDK)
        new("connection failed", ProviderFailure.Unreachable, Opens: true),       // Codex
        new("fetch failed", ProviderFailure.Unreachable, Opens: true),            // undici
        new("request timed out", ProviderFailure.Unreachable, Opens: true),       // the SDKs' APIConnectionTimeoutError
        new("network error", ProviderFailure.Unreachable, Opens: true),
        new("socket hang up", ProviderFailure.Unreachable, Opens: true),          // Node
        new("other side closed", ProviderFailure.Unreachable, Opens: true),       // undici
        new("the operation timed out", ProviderFailure.Unreachable, Opens: true), // Bun
        new("the socket connection was closed", ProviderFailure.Unreachable, Opens: true), // Bun
        new("failed to fetch", ProviderFailure.Unreachable, Opens: true),
        new("econnrefused", ProviderFailure.Unreachable),        // Node
        new("connectionrefused", ProviderFailure.Unreachable),   // Bun
        new("econnreset", ProviderFailure.Unreachable),
        new("econnaborted", ProviderFailure.Unreachable),
        new("etimedout", ProviderFailure.Unreachable),
        new("enotfound", ProviderFailure.Unreachable),
        new("eai_again", ProviderFailure.Unreachable),
        new("ehostunreach", ProviderFailure.Unreachable),
        new("enetunreach", ProviderFailure.Unreachable),
        new("getaddrinfo", ProviderFailure.Unreachable),
        new("und_err_", ProviderFailure.Unreachable),            // undici
        new("connection refused", ProviderFailure.Unreachable),
        new("connection reset", ProviderFailure.Unreachable),
        new("connection closed", ProviderFailure.Unreachable),
        new("connection lost", ProviderFailure.Unreachable),
        new("connection timed out", ProviderFailure.Unreachable),
        new("connection timeout", ProviderFailure.Unreachable),
        new("connect timeout", ProviderFailure.Unreachable),
        new("failed to connect", ProviderFailure.Unreachable),
        new("could not connect", ProviderFailure.Unreachable),
        new("cannot connect", ProviderFailure.Unreachable),
        new("network is unreachable", ProviderFailure.Unreachable),
        new("no route to host", ProviderFailure.Unreachable),
        new("dns error", ProviderFailure.Unreachable),           // Codex (hyper)
        new("dns lookup", ProviderFailure.Unreachable),
        new("failed to lookup address", ProviderFailure.Unreachable),
        new("name resolution", ProviderFailure.Unreachable),     // getaddrinfo(3)
        new("name or service not known", ProviderFailure.Unreachable),
        new("request timeout", ProviderFailure.Unreachable),
        new("timeout waiting for", ProviderFailure.Unreachable), // Codex: "idle timeout waiting for SSE"
        new("certificate", ProviderFailure.Unreachable),         // OpenSSL, rustls: "self-signed certificate", "invalid peer certificate"
        new("cert_", ProviderFailure.Unreachable),               // Node: CERT_HAS_EXPIRED
        new("unable_to_verify", ProviderFailure.Unreachable),    // Node: UNABLE_TO_VERIFY_LEAF_SIGNATURE
        new("tls handshake", ProviderFailure.Unreachable),
        new("tls error", ProviderFailure.Unreachable),
        new("tls connection", ProviderFailure.Unreachable),
        new("ssl error", ProviderFailure.Unreachable),
        new("ssl routines", ProviderFailure.Unreachable),        // OpenSSL
        new("err_ssl", ProviderFailure.Unreachable),             // Node
        new("err_tls", ProviderFailure.Unreachable),             // Node

        // The key.
        new("invalid api key", ProviderFailure.Authentication, Opens: true),
        new("invalid x-api-key", ProviderFailure.Authentication),   // Anthropic
        new("incorrect api key", ProviderFailure.Authentication),   // OpenAI
        new("invalid_api_key", ProviderFailure.Authentication),     // OpenAI
        new("api key is invalid", ProviderFailure.Authentication),
        new("api key not valid", ProviderFailure.Authentication),   // Gemini
        new("authentication_error", ProviderFailure.Authentication),
        new("authentication_failed", ProviderFailure.Authentication),
        new("not logged in", ProviderFailure.Authentication, Opens: true),  // Claude Code: "Not logged in · Please run /login"
        new("please run /login", ProviderFailure.Authentication),
        new("oauth token has expired", ProviderFailure.Authentication, Opens: true),
        new("oauth token revoked", ProviderFailure.Authentication, Opens: true),
    ];

    /// <summary>What is the task's own or the host's, whatever else the words say.</summary>
    private static readonly string[] TasksOwn =
    [
        "context_length", "context length", "context window", "maximum context", "long context", "prompt is too long", "prompt too long", "input is too long",
        "too many input tokens", "max_tokens", "disk quota", "turn limit", "turns limit", "iteration limit", "step limit", "recursion limit", "output limit",
    ];

    /// <summary>What the kinds put before an error of their provider.</summary>
    private static readonly string[] Preambles =
    [
        "api error:", "api error", "[api error:", "ran into this error:", "error:", "typeerror:", "exceeded retry limit, last status:", "unexpected status", "http error", "exception",
        "llm error:", "server error:", "internal error:",
    ];

    private const string LastError = "Last error:";

    /// <summary>Whether the words name something of the task's own, such as a prompt that is too long.</summary>
    public static bool IsTasksOwn(string? error) => error is not null && Array.Exists(TasksOwn, own => Head(error).Contains(own, StringComparison.OrdinalIgnoreCase));

    /// <summary>The error from where its cause begins: without "API Error:", "Reconnecting... 2/5 (" and the like.</summary>
    public static string? WithoutPreamble(string? error)
    {
        if (error is null)
            return null;
        var words = error.AsSpan().Trim();
        while (true)
        {
            words = words.TrimStart(" (:·-");
            if (LengthOfPreamble(words) is not (> 0 and var length))
                return words.ToString();
            words = words[length..];
        }
    }

    /// <summary>Classifies words from which the preamble is gone.</summary>
    /// <param name="words">The words, or null.</param>
    /// <param name="hasWorked">Whether the model has answered in the run: only the start of the words counts then.</param>
    public static ProviderFailure Of(string? words, bool hasWorked)
    {
        if (string.IsNullOrWhiteSpace(words))
            return ProviderFailure.None;
        // undici's message when the other side closes in the middle of an answer. Pi hands it on, alone or with its cause behind a colon.
        if (words.StartsWith("terminated", StringComparison.OrdinalIgnoreCase) && (words.Length == 10 || words[10] is '.' or ':'))
            return ProviderFailure.Unreachable;
        var head = Head(words);
        var opening = head[..Math.Min(head.Length, OpeningLetters)];
        foreach (var phrase in Phrases)
        {
            var isSaid = !hasWorked ? head.Contains(phrase.Words, StringComparison.OrdinalIgnoreCase)
                : phrase.Failure == ProviderFailure.Limit ? opening.Contains(phrase.Words, StringComparison.OrdinalIgnoreCase)
                : (phrase.Opens || phrase.Failure == ProviderFailure.Overload) && head.StartsWith(phrase.Words, StringComparison.OrdinalIgnoreCase);
            if (isSaid && (phrase.And is null || head.Contains(phrase.And, StringComparison.OrdinalIgnoreCase)))
                return phrase.Failure;
        }
        return ProviderFailure.None;
    }

    private static int LengthOfPreamble(ReadOnlySpan<char> words)
    {
        if (words.StartsWith("Reconnecting...", StringComparison.Ordinal) && words.IndexOf('(') is >= 0 and var open)
            return open + 1;
        // Copilot: "...; retried 5 times (total retry wait time: 15.75 seconds) Last error: 503 service unavailable".
        if (words.StartsWith("Failed to get response from the AI model", StringComparison.Ordinal) && words.IndexOf(LastError, StringComparison.Ordinal) is >= 0 and var last)
            return last + LastError.Length;
        foreach (var preamble in Preambles)
        {
            if (words.Length > preamble.Length && words.StartsWith(preamble, StringComparison.OrdinalIgnoreCase))
                return preamble.Length;
        }
        return 0;
    }

    private static ReadOnlySpan<char> Head(string words) => words.AsSpan(0, Math.Min(words.Length, MostLetters));

    /// <param name="Words">Lower case.</param>
    /// <param name="Failure">What they mean.</param>
    /// <param name="And">Words that have to be there too.</param>
    /// <param name="Opens">An error that begins so is the connection's even after the model has answered.</param>
    private sealed record Phrase(string Words, ProviderFailure Failure, string? And = null, bool Opens = false);
}
