using Colibri.Core.Settings;
using Colibri.Protocol.Wire;

namespace Colibri.Core.Agents.Transports;

/// <summary>What a tool call does to the world, as its agent says.</summary>
public enum ToolNature
{
    /// <summary>Nobody has said.</summary>
    Other,

    /// <summary>Reads, searches or thinks.</summary>
    Reads,

    /// <summary>Writes, moves or deletes files.</summary>
    Writes,

    /// <summary>Runs a command, or reaches out.</summary>
    Executes,
}

/// <summary>One permission that an agent asks for.</summary>
/// <param name="Request">The id of its request as it stands in the line: it is repeated in the answer.</param>
/// <param name="Call">The id of the tool call, as it stands in the line; empty where it is not told.</param>
/// <param name="Tool">The tool.</param>
/// <param name="Nature">What the call does.</param>
internal sealed record Permission(string Request, string Call, string Tool, ToolNature Nature)
{
    /// <summary>What is asked, in one line.</summary>
    public string? Title { get; init; }

    /// <summary>More about it.</summary>
    public string? Detail { get; init; }

    /// <summary>The files that it is about; empty where that is not told.</summary>
    public IReadOnlyList<string> Paths { get; init; } = [];

    public IReadOnlyList<PermissionOption> Options { get; init; } = [];

    /// <summary>The arguments of the call, for an answer that repeats them; JSON.</summary>
    public ReadOnlyMemory<byte> Input { get; init; }

    public AgentQuestion ToQuestion() => new(Request, AgentQuestion.Permission, Title ?? Tool, Detail, [.. Options.Select(option => option.Name)]);

    /// <summary>The option that an answer means; null where there is none such.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="shown">The options as people were shown them, in the same order; null where they are not known.</param>
    public PermissionOption? OptionFor(QuestionAnswer answer, IReadOnlyList<string>? shown = null) => answer switch
    {
        { Value: { } words } => Enumerable.Range(0, Math.Min(shown?.Count ?? 0, Options.Count)).Where(i => string.Equals(shown![i], words, StringComparison.OrdinalIgnoreCase))
            .Select(i => Options[i]).FirstOrDefault() ?? Options.FirstOrDefault(option => Is(option, words)),
        { Confirmed: true } => Of("allow_once") ?? Of("allow_always"),
        // Nobody's answer is a rejection: the turn goes on, and `cancelled` is for a turn that is over.
        _ => Of("reject_once") ?? Of("reject_always"),
    };

    private static bool Is(PermissionOption option, string words) =>
        string.Equals(option.Name, words, StringComparison.OrdinalIgnoreCase) || option.Id == words || option.Kind == words;

    private PermissionOption? Of(string kind) => Options.FirstOrDefault(option => option.Kind == kind);
}

/// <summary>One of the answers that a permission can be given.</summary>
/// <param name="Id">What the answer names.</param>
/// <param name="Name">What people are shown.</param>
/// <param name="Kind"><c>allow_once</c>, <c>allow_always</c>, <c>reject_once</c> or <c>reject_always</c>.</param>
internal sealed record PermissionOption(string Id, string Name, string Kind)
{
    public bool Allows => Kind.StartsWith("allow", StringComparison.Ordinal);
}

/// <summary>
/// The permissions that one agent asks for. Those that its access decides are answered at once; of the others one is shown at a time, in the order in
/// which they came.
/// </summary>
internal sealed class PermissionDesk
{
    /// <summary>The most that wait at once; a further one is rejected.</summary>
    public const int MaxOpen = 32;

    private readonly Lock _gate = new();
    private readonly List<Permission> _open = [];

    /// <summary>What the runs of the agent may do; null has a person decide everything.</summary>
    public Access? Access { get; set; }

    /// <summary>Whether an access allows a call; null where a person has to say.</summary>
    public bool? Decide(Permission permission) => (Access, permission.Nature) switch
    {
        (Settings.Access.Full, _) => true,
        (Settings.Access.Read or Settings.Access.Edit, ToolNature.Reads) => true,
        (Settings.Access.Read, _) => false,
        _ => null,
    };

    /// <summary>Whether the files that a call is about decide it: then somebody has to look where they lie.</summary>
    public bool GoesByPlace(Permission permission) => (Access, permission.Nature) == (Settings.Access.Edit, ToolNature.Writes) && permission.Paths.Count > 0;

    /// <summary>Why <see cref="Decide"/> said no.</summary>
    public const string ReadAlone = "access = \"read\" allows nothing but reading";

    /// <summary>Why a call was refused for the place of a file.</summary>
    public static string Outside(string path) => $"access = \"edit\" allows writes in the run's directory alone, and {path} is outside";

    /// <summary>Adds one that a person decides.</summary>
    /// <returns>Whether it is the one to be shown; null where too many wait.</returns>
    public bool? Add(Permission permission)
    {
        lock (_gate)
        {
            if (_open.Count >= MaxOpen)
                return null;
            _open.Add(permission);
            return _open.Count == 1;
        }
    }

    /// <summary>Takes one out; null where it is no longer open.</summary>
    public Permission? Take(string request)
    {
        lock (_gate)
        {
            var index = _open.FindIndex(open => open.Request == request);
            if (index < 0)
                return null;
            var taken = _open[index];
            _open.RemoveAt(index);
            return taken;
        }
    }

    /// <summary>Puts one back that could not be answered.</summary>
    public void Return(Permission permission)
    {
        lock (_gate)
            _open.Insert(0, permission);
    }

    /// <summary>Drops those of a call that has ended.</summary>
    /// <returns>Whether the one that is shown was among them.</returns>
    public bool Drop(string call)
    {
        lock (_gate)
        {
            var wasShown = _open.Count > 0 && _open[0].Call == call && call.Length > 0;
            _open.RemoveAll(open => open.Call == call && call.Length > 0);
            return wasShown;
        }
    }

    /// <summary>The one that is shown; null where none is open.</summary>
    public Permission? First
    {
        get
        {
            lock (_gate)
                return _open.Count == 0 ? null : _open[0];
        }
    }

    /// <summary>Takes all out.</summary>
    public IReadOnlyList<Permission> TakeAll()
    {
        lock (_gate)
        {
            Permission[] all = [.. _open];
            _open.Clear();
            return all;
        }
    }
}
