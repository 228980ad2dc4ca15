using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Kinds;

/// <summary>What opencode's runs may do, as 1.18 holds it: by rules in its environment, which come behind those of its settings. It has no sandbox.</summary>
internal static class OpencodeRights
{
    // What it would ask about is refused, because nobody is there to answer. A rule that denies a whole tool hides the tool, and no refusal is told.
    private const string Asks = """{"edit":"ask","bash":"ask","external_directory":"ask"}""";
    private const string Inside = """{"edit":"allow","bash":"allow","external_directory":"deny"}""";

    public static KindRights All { get; } = new()
    {
        Read = new("reads in its directory; a write or a command is refused, and ends the run") { Environment = Rules(Asks) },
        Edit = new("cannot be held whole: its tools write in its directory alone, but a command may write elsewhere; confine it")
        {
            Environment = Rules(Inside),
            IsHeld = false,
        },
        Full = new("does all that its user may") { Environment = Rules("""{"*":"allow","external_directory":"allow"}""") },
    };

    /// <summary>Rules that have it ask a client for what the access does not decide.</summary>
    public static IReadOnlyDictionary<string, string> Asking(Access access) =>
        Rules(access == Access.Full ? """{"*":"allow","external_directory":"allow"}""" : """{"edit":"ask","bash":"ask","webfetch":"ask","external_directory":"ask"}""");

    private static Dictionary<string, string> Rules(string permission) => new() { ["OPENCODE_PERMISSION"] = permission };
}
