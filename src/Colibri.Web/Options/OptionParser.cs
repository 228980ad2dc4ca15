namespace Colibri.Web.Options;

/// <summary>The command line, from words to <see cref="WebOptions"/>.</summary>
internal static class OptionParser
{
    /// <summary>Between the values of a repeated option on their way through the binder. No name holds it.</summary>
    public const char Separator = '\n';

    public const string Usage = """
        usage: colibri-web [options]

        Serves the glasspane as web pages: what waits for you, tasks, agents, sessions,
        changes and cost, kept up to date while they are open. Read-only without
        --write.

          --listen ADDRESS      127.0.0.1:7766 where left out; an address with a port,
                                or unix:/path of a Unix socket
          --socket PATH         the daemon's socket; by default as colibri finds it
          --write               also takes actions: answer, retry, land, stop ...
          --token-file PATH     the token that actions need, in a file of mode 0600,
                                made where there is none (~/.colibri/web-token)
          --read-token          reading needs the token as well
          --allow-host NAME[:PORT]
                                also answers under this name; may be repeated
          --behind-proxy NAME[:PORT]
                                a TLS proxy of this name stands in front: https pages
                                under this name, and reading needs the token
          --otlp URL            sends traces of runs and tools to a collector on this
                                machine, as http://127.0.0.1:4318
          --version, --help

        An address beyond this machine needs --behind-proxy. COLIBRI_WEB_OTLP=1 sends
        traces to where OTEL_EXPORTER_OTLP_ENDPOINT says.

        Exit status: 0, 1 where it cannot serve, 2 for a wrong option.
        """;

    private static readonly string[] Flags = ["--write", "--read-token"];
    private static readonly string[] Valued = ["--listen", "--socket", "--token-file", "--allow-host", "--behind-proxy", "--otlp"];

    public static WebOptions Parse(IReadOnlyList<string> arguments)
    {
        List<string> words = [];
        List<string> hosts = [];
        var asked = WebAction.Serve;
        if (FindProblem(arguments, words, hosts, ref asked) is { } problem)
            return Refused(problem);
        if (asked != WebAction.Serve)
            return new WebOptions { Action = asked };
        if (hosts.Count > 0)
            words.AddRange("--allow-hosts", string.Join(Separator, hosts));
        return Checked(OptionBinder.Bind(words));
    }

    /// <summary>
    /// The pre-pass: puts what was typed into the words that ConsoleAppFramework takes. It does what the framework does not: <c>--option=value</c>, a
    /// repeated option, a forgotten value, names in one spelling alone, and a question that is answered as soon as it is read.
    /// </summary>
    private static string? FindProblem(IReadOnlyList<string> arguments, List<string> words, List<string> hosts, ref WebAction asked)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var word = arguments[i];
            if (word is "--help" or "-h" or "--version")
            {
                asked = word == "--version" ? WebAction.Version : WebAction.Help;
                return null;
            }
            var equals = word.StartsWith("--", StringComparison.Ordinal) ? word.IndexOf('=', StringComparison.Ordinal) : -1;
            var name = equals < 0 ? word : word[..equals];
            if (Array.IndexOf(Flags, name) >= 0 && equals < 0)
            {
                if (!words.Contains(name))
                    words.Add(name);
                continue;
            }
            if (Array.IndexOf(Valued, name) < 0)
                return word.StartsWith('-') ? $"unknown option {word}" : $"there is no use for '{word}'";
            if (equals < 0 && i + 1 >= arguments.Count)
                return $"{name} needs a value";
            var value = equals < 0 ? arguments[++i] : word[(equals + 1)..];
            if (value.Length == 0 || value.Contains(Separator, StringComparison.Ordinal))
                return $"{name} needs a value";
            if (name == "--allow-host")
                hosts.Add(value);
            else if (words.Contains(name))
                return $"{name} is given twice";
            else
                words.AddRange(name, value);
        }
        return null;
    }

    private static WebOptions Checked(SaidOptions said)
    {
        if (ListenAddress.Parse(said.Listen ?? ListenAddress.Default) is not { } listen)
            return Refused($"--listen {said.Listen}: not an address with a port, nor unix:/path");
        List<HostName> hosts = [];
        foreach (var text in said.AllowHosts)
        {
            if (HostName.Parse(text) is not { } host)
                return Refused($"--allow-host {text}: not a name, or a name with a port");
            hosts.Add(host);
        }
        var proxy = said.BehindProxy is { } named ? HostName.Parse(named) : null;
        if (said.BehindProxy is not null && proxy is null)
            return Refused($"--behind-proxy {said.BehindProxy}: not a name, or a name with a port");
        if (!listen.IsLocal && proxy is null)
            return Refused($"--listen {said.Listen} is beyond this machine: name the TLS proxy in front with --behind-proxy");
        return new WebOptions
        {
            Action = WebAction.Serve,
            Listen = listen,
            Socket = said.Socket,
            Write = said.Write,
            ReadToken = said.ReadToken,
            TokenFile = said.TokenFile,
            AllowedHosts = hosts,
            BehindProxy = proxy,
            Otlp = said.Otlp,
        };
    }

    private static WebOptions Refused(string problem) => new() { Action = WebAction.Refuse, Problem = problem };
}
