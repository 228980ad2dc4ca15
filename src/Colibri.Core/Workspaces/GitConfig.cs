using System.Globalization;
using System.Text;

namespace Colibri.Core.Workspaces;

/// <summary>
/// Settings that a call of git takes before those of its configuration files. They switch off every program that a configuration can name,
/// since an agent may have written to it.
/// </summary>
/// <remarks>
/// They are passed as GIT_CONFIG_KEY_n and not as <c>-c</c>: a driver may be called <c>a=b</c>, and <c>-c</c> ends a key at the first
/// equals sign.
/// </remarks>
internal sealed class GitConfig
{
    /// <summary>The most settings of a configuration that are overridden; a configuration with more is refused.</summary>
    public const int MaxFound = 1_000;

    /// <summary>The most bytes of the names of such settings: the environment of a program has its limit, 512 KiB on FreeBSD.</summary>
    public const int MaxFoundBytes = 128 * 1024;

    private const string Nothing = "";

    // Run in place of a planted program where git wants one: it fails, and does nothing.
    private const string Fails = "false";

    private static readonly (string Key, string Value)[] Always =
    [
        ("core.hooksPath", "/dev/null"), ("core.fsmonitor", "false"), ("core.untrackedCache", "false"), ("core.splitIndex", "false"),
        ("core.sparseCheckout", "false"), ("core.attributesFile", "/dev/null"), ("core.sshCommand", Fails), ("core.gitProxy", Fails),
        ("core.editor", Fails), ("sequence.editor", Fails), ("core.pager", "cat"), ("core.askPass", Fails), ("core.alternateRefsCommand", Fails),
        ("credential.helper", Nothing), ("diff.external", Fails), ("interactive.diffFilter", Fails), ("log.showSignature", "false"),
        ("gpg.program", Fails), ("gpg.openpgp.program", Fails), ("gpg.x509.program", Fails), ("gpg.ssh.program", Fails),
        ("gpg.ssh.defaultKeyCommand", Fails), ("commit.gpgSign", "false"), ("tag.gpgSign", "false"), ("merge.verifySignatures", "false"),
        ("uploadpack.packObjectsHook", Fails), ("protocol.allow", "never"), ("submodule.recurse", "false"), ("fetch.recurseSubmodules", "false"),
        ("status.submoduleSummary", "false"), ("gc.auto", "0"), ("maintenance.auto", "false"), ("rerere.enabled", "false"),
        ("merge.autoStash", "false"), ("rebase.autoStash", "false"), ("rebase.autoSquash", "false"), ("rebase.updateRefs", "false"),
        ("rebase.backend", "merge"), ("color.ui", "false"), ("diff.suppressBlankEmpty", "false"),
        // A newline in it makes a line of the list that a rebase runs, and `exec` is one.
        ("rebase.instructionFormat", "%s"), ("rebase.rebaseMerges", "false"), ("notes.rewrite.rebase", "false"),
        // A detached merge asks for the options of a branch called HEAD.
        ("branch.HEAD.mergeOptions", Nothing), ("pull.twohead", "ort"), ("merge.ff", "true"),
        // A newline in it makes headers of commits.
        ("i18n.commitEncoding", "UTF-8"), ("i18n.logOutputEncoding", "UTF-8"),
        // Settings by which git overlooks files that have changed, trusts indexes of history that an agent wrote, and starts processes by the number.
        ("core.trustctime", "true"), ("core.checkStat", "default"), ("core.ignoreStat", "false"), ("core.commitGraph", "false"),
        ("core.preferSymlinkRefs", "false"), ("checkout.workers", "1"), ("grep.threads", "1"),
    ];

    private readonly byte[] _variables;

    private GitConfig(IReadOnlyList<(byte[] Key, byte[] Value)> settings) => _variables = Encode(settings);

    private GitConfig(byte[] variables, GitIdentity identity) => (_variables, Identity) = (variables, identity);

    /// <summary>Without what a configuration names.</summary>
    public static GitConfig Fixed { get; } = new([.. Always.Select(setting => (Utf8(setting.Key), Utf8(setting.Value)))]);

    /// <summary>Whom commits are by.</summary>
    public GitIdentity Identity { get; } = new(null, null);

    /// <summary>The settings that go with a configuration.</summary>
    /// <param name="listed">What <c>git config --list -z</c> prints: a key, a newline and a value, which end with a NUL; or a key alone.</param>
    /// <param name="host">This host's name, for the address of a daemon without an identity.</param>
    /// <exception cref="GitException">It names more programs than are overridden.</exception>
    public static GitConfig For(ReadOnlySpan<byte> listed, string host)
    {
        var settings = new List<(byte[], byte[])>(Always.Select(setting => (Utf8(setting.Key), Utf8(setting.Value))));
        var found = new HashSet<string>(StringComparer.Ordinal);
        var bytes = 0;
        string? name = null, email = null;
        while (listed.IndexOf((byte)0) is >= 0 and var end)
        {
            var entry = listed[..end];
            listed = listed[(end + 1)..];
            var key = entry.IndexOf((byte)'\n') is >= 0 and var newline ? entry[..newline] : entry;
            var value = entry.Length > key.Length ? Encoding.UTF8.GetString(entry[(key.Length + 1)..]) : "";
            if (key.SequenceEqual("user.name"u8))
                name = value;
            else if (key.SequenceEqual("user.email"u8))
                email = value;
            if (Instead(key) is not { } instead || !found.Add(Encoding.Latin1.GetString(key)))
                continue;
            bytes += key.Length;
            if (found.Count > MaxFound || bytes > MaxFoundBytes)
                throw new GitException(GitFailureKind.Planted, $"its configuration names more than {MaxFound} programs, or in more than {MaxFoundBytes} bytes: look at it with git config --list --show-origin");
            settings.Add((key.ToArray(), Utf8(instead)));
        }
        if (string.IsNullOrWhiteSpace(name) || string.IsNullOrWhiteSpace(email))
        {
            (name, email) = ("Colibri", $"colibri@{host}");
            settings.Add((Utf8("user.name"), Utf8(name)));
            settings.Add((Utf8("user.email"), Utf8(email)));
        }
        return new GitConfig(Encode(settings), new GitIdentity(name, email));
    }

    /// <summary>Entries of an environment that each end with a NUL.</summary>
    public ReadOnlySpan<byte> Variables() => _variables;

    /// <summary>What a setting is replaced by; null where it names no program.</summary>
    /// <param name="key">As git lists it: section and name in lower case, the part between them as it is.</param>
    internal static string? Instead(ReadOnlySpan<byte> key)
    {
        var (first, last) = (key.IndexOf((byte)'.'), key.LastIndexOf((byte)'.'));
        if (first < 0 || first == last)
            return null;
        return (Encoding.UTF8.GetString(key[..first]), Encoding.UTF8.GetString(key[(last + 1)..])) switch
        {
            ("filter", "clean" or "smudge" or "process") => Nothing,
            ("filter", "required") => "false",
            ("diff", "textconv" or "command") => Fails,
            // A driver that fails is a conflict.
            ("merge", "driver") => Fails,
            ("gpg", "program" or "defaultkeycommand") => Fails,
            ("credential", "helper") => Nothing,
            ("trailer", "command" or "cmd") => Nothing,
            ("hook", "command") => Fails,
            ("hook", "enabled") => "false",
            ("submodule", "update") => "none",
            ("remote", "promisor") => "false",
            ("remote", "uploadpack" or "receivepack") => Fails,
            _ => null,
        };
    }

    private static byte[] Encode(IReadOnlyList<(byte[] Key, byte[] Value)> settings)
    {
        using var block = new MemoryStream();
        Write(block, string.Create(CultureInfo.InvariantCulture, $"GIT_CONFIG_COUNT={settings.Count}"), []);
        for (var i = 0; i < settings.Count; i++)
        {
            Write(block, string.Create(CultureInfo.InvariantCulture, $"GIT_CONFIG_KEY_{i}="), settings[i].Key);
            Write(block, string.Create(CultureInfo.InvariantCulture, $"GIT_CONFIG_VALUE_{i}="), settings[i].Value);
        }
        return block.ToArray();
    }

    private static void Write(MemoryStream block, string name, ReadOnlySpan<byte> value)
    {
        block.Write(Utf8(name));
        block.Write(value);
        block.WriteByte(0);
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}

/// <summary>An author, as git's configuration or ours names it.</summary>
internal sealed record GitIdentity(string? Name, string? Email);
