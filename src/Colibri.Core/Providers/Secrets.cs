using Colibri.Core.Logging;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol.Wire;
using Microsoft.Extensions.Logging;

namespace Colibri.Core.Providers;

/// <summary>
/// All known keys: from the daemon's environment and from the operator's file, which is read again when it has changed. Keys go to the agents
/// that need them, and are redacted in everything that is stored, shown or logged. Safe from any thread.
/// </summary>
public sealed class Secrets
{
    /// <summary>The text that replaces a key.</summary>
    public const string Blot = "[redacted]";

    // A shorter value is no key, and redacting it would destroy ordinary words.
    private const int ShortestKey = 8;
    private const int MaxRetiredKeys = 256;

    private readonly string? _path;
    private readonly ILogger _logger;
    private readonly Dictionary<string, string> _environment;
    private readonly Lock _gate = new();
    private readonly Func<string, IReadOnlyDictionary<string, string>> _read;
    private FileStamp _seen;
    private string? _told;
    private readonly List<string> _retired = [];
    private volatile Held _held;

    /// <param name="environment">The daemon's own environment.</param>
    /// <param name="path">The operator's file of keys; null for none.</param>
    /// <param name="logger">Logs when the file cannot be read any more.</param>
    /// <exception cref="ConfigurationException">The file cannot be used; see <see cref="ProviderEnvFile"/>.</exception>
    public Secrets(IReadOnlyDictionary<string, string> environment, string? path, ILogger logger)
        : this(environment, path, logger, ProviderEnvFile.Read)
    {
    }

    internal Secrets(IReadOnlyDictionary<string, string> environment, string? path, ILogger logger, Func<string, IReadOnlyDictionary<string, string>> read)
    {
        ArgumentNullException.ThrowIfNull(environment);
        (_path, _logger, _read) = (path, logger, read);
        _environment = environment.Where(entry => ProviderNames.IsKeyVariable(entry.Key) && entry.Value.Length > 0)
            .ToDictionary(entry => entry.Key, entry => entry.Value, StringComparer.Ordinal);
        if (path is not null)
            _seen = FileStamp.Of(path);
        _held = new Held(_environment, path is null ? new Dictionary<string, string>() : read(path));
    }

    /// <summary>No keys at all.</summary>
    public static Secrets None { get; } = new(new Dictionary<string, string>(), null, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

    /// <summary>Whether a variable must not be inherited: it holds a known key, or has the usual name of one.</summary>
    public bool IsSecret(string variable) => ProviderNames.IsKeyVariable(variable) || _held.All.ContainsKey(variable);

    /// <summary>The provider's key; null where there is none.</summary>
    public string? KeyOf(string provider)
    {
        LookAgain();
        var all = _held.All;
        return ProviderNames.KeyVariablesOf(provider).Select(name => all.GetValueOrDefault(name)).FirstOrDefault(value => !string.IsNullOrEmpty(value));
    }

    /// <summary>The keys of these names that there are.</summary>
    public IEnumerable<KeyValuePair<string, string>> Named(IReadOnlyList<string> variables)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var all = _held.All;
        foreach (var name in variables)
        {
            if (all.TryGetValue(name, out var value))
                yield return new(name, value);
        }
    }

    /// <summary>The keys for the environment of an agent that uses these providers; null stands for every provider.</summary>
    public IEnumerable<KeyValuePair<string, string>> For(IReadOnlyList<string>? providers)
    {
        LookAgain();
        if (providers is null)
            return _held.All;
        var names = providers.SelectMany(ProviderNames.KeyVariablesOf).ToHashSet(StringComparer.Ordinal);
        return _held.All.Where(entry => names.Contains(entry.Key));
    }

    /// <summary>
    /// The text without what a terminal acts on, and then with every known key redacted, and the parts of a split one: the same object where
    /// neither is in it. Lines and tabs stay.
    /// </summary>
    public string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return _held.Finder.Blot(PlainText.Of(text, out var cuts), cuts, before: null);
    }

    /// <summary>As <see cref="Redact(string)"/>, for one of many texts that are read one after another: a key may begin in one and go on in the next.</summary>
    /// <param name="text">What an agent or an operator wrote.</param>
    /// <param name="before">How the text before it ended, null for the first; then how this one ended. It may hold a key's beginning in clear.</param>
    public string Redact(string text, ref string? before)
    {
        ArgumentNullException.ThrowIfNull(text);
        var finder = _held.Finder;
        var plain = PlainText.Of(text, out var cuts);
        var shown = finder.Blot(plain, cuts, before);
        before = finder.EndOf(before, plain);
        return shown;
    }

    /// <summary>A session entry that is safe to show: see <see cref="Redact(string)"/>.</summary>
    public SessionEntry Redact(SessionEntry entry)
    {
        string? before = null;
        return Redact(entry, ref before);
    }

    /// <summary>The same for one of a session's entries, in their order.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="before">As for <see cref="Redact(string, ref string?)"/>; an entry without text leaves it as it is.</param>
    public SessionEntry Redact(SessionEntry entry, ref string? before)
    {
        ArgumentNullException.ThrowIfNull(entry);
        var (text, tool) = (entry.Text is null ? null : Redact(entry.Text, ref before), entry.Tool is null ? null : OneLine(Redact(entry.Tool)));
        return ReferenceEquals(text, entry.Text) && ReferenceEquals(tool, entry.Tool) ? entry : entry with { Text = text, Tool = tool };
    }

    /// <summary>
    /// The text without what a terminal acts on, then with every known key redacted, and only then cut: an escape sequence in a key would hide
    /// it, and a key that is cut first is no longer recognised. Use this to shorten every text that may hold a key.
    /// </summary>
    /// <param name="text">What an agent or an operator wrote.</param>
    /// <param name="maxChars">The most UTF-16 units, at least 2; a shortened text ends in an ellipsis. No character is cut in two.</param>
    public string Excerpt(string text, int maxChars) => Cut(Redact(text), maxChars);

    /// <summary>As <see cref="Excerpt"/>, for a name: on one line.</summary>
    public string Name(string text, int maxChars) => Cut(OneLine(Redact(text)), maxChars);

    private static string OneLine(string text) => text.AsSpan().IndexOfAny('\n', '\t') < 0 ? text : text.Replace('\n', ' ').Replace('\t', ' ');

    private static string Cut(string clean, int maxChars)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(maxChars, 2);
        if (clean.Length <= maxChars)
            return clean;
        var cut = maxChars - 1;
        return string.Concat(clean.AsSpan(0, char.IsHighSurrogate(clean[cut - 1]) ? cut - 1 : cut), "…");
    }

    private void LookAgain()
    {
        if (_path is null)
            return;
        // No lock is held during the read. The stamp is taken before it, so that the next look sees a write that happens meanwhile.
        var stamp = FileStamp.Of(_path);
        lock (_gate)
        {
            if (stamp == _seen)
                return;
        }
        try
        {
            var held = new Held(_environment, _read(_path));
            lock (_gate)
            {
                // Set only after a successful read, so that a file that could not be read is read again at the next look. Of several threads that see
                // the change, one logs it.
                if (stamp == _seen)
                    return;
                (_seen, _told) = (stamp, null);
                // Old keys are redacted too, as far as they are among the latest.
                _retired.AddRange(_held.Keys.Except(held.Keys, StringComparer.Ordinal).Except(_retired, StringComparer.Ordinal).ToList());
                _retired.RemoveRange(0, Math.Max(0, _retired.Count - MaxRetiredKeys));
                _held = new Held(held.All, [.. held.Keys.Union(_retired, StringComparer.Ordinal)]);
            }
            _logger.ProviderFileRead(_path, held.All.Count);
        }
        catch (ConfigurationException e)
        {
            lock (_gate)
            {
                if (_told == e.Message)
                    return;
                _told = e.Message;
            }
            _logger.ProviderFileUnusable(e.Message);
        }
    }

    private sealed class Held(IReadOnlyDictionary<string, string> all, IReadOnlyList<string> keys)
    {
        public Held(IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> file)
            : this(Merged(environment, file))
        {
        }

        private Held(Dictionary<string, string> all)
            : this(all, [.. all.Values.Where(value => value.Length >= ShortestKey).Distinct(StringComparer.Ordinal)])
        {
        }

        public IReadOnlyDictionary<string, string> All => all;

        public IReadOnlyList<string> Keys => keys;

        public KeyFinder Finder { get; } = new(keys);

        private static Dictionary<string, string> Merged(IReadOnlyDictionary<string, string> environment, IReadOnlyDictionary<string, string> file)
        {
            var all = new Dictionary<string, string>(environment, StringComparer.Ordinal);
            foreach (var (name, value) in file)
                all[name] = value;
            return all;
        }
    }
}
