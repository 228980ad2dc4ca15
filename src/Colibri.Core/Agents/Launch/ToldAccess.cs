using Colibri.Core.Agents.Kinds;
using Colibri.Core.Settings;

namespace Colibri.Core.Agents.Launch;

/// <summary>
/// What the runs of a request may do, as it is told. An access that the kind cannot hold, or that stated arguments take the flags of, is
/// refused unless the run is confined. An access that nobody has
/// stated is told as full where the kind cannot hold it: a run must not claim what nothing keeps.
/// </summary>
/// <param name="Access">What they may do; null where the request's own arguments decide it.</param>
/// <param name="Refusal">Why they are not started, with what to write; null where they are.</param>
/// <param name="Warning">Why it is told as full, with what to write; null where it is not.</param>
public sealed record ToldAccess(Access? Access, string? Refusal = null, string? Warning = null)
{
    public static ToldAccess Of(SpawnRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        // The arguments decide what nobody has stated.
        if (request.Access is not { } access || (request.HeldAccess is null && request.IsAccessDefault))
            return new ToldAccess((Access?)null);
        var kind = request.Kind;
        var isHeld = kind.Rights.Holds(access);
        if (access == Settings.Access.Full || (isHeld && request.HeldAccess is not null) || request.Jail is not null || request.Tenant is not null)
            return new ToldAccess(access);
        var section = request.Profile is { } profile ? $" below [agents.{profile.Name}]" : "";
        var words = $"access = \"{Word(access)}\" {(isHeld ? Replaced(request) : kind.Rights.Words(access))}";
        return request.IsAccessDefault
            ? new ToldAccess(Settings.Access.Full, Warning: $"{words} with confine = {{ path = \"/ROOT\" }}{section}, or say what holds: access = \"full\"")
            : new ToldAccess(access, Refusal: $"{words} with confine = {{ path = \"/ROOT\" }}, or write access = \"full\"{section}");
    }

    // Only a profile has arguments that stand behind the kind's own.
    private static string Replaced(SpawnRequest request) =>
        $"is held by the kind's own flags, and args stand in place of those; {(request.Profile is null ? "leave one of them out" : "give them as extra_args")}, or confine it";

    /// <summary>As the configuration spells it.</summary>
    public static string Word(Access access) => access.ToString().ToLowerInvariant();
}
