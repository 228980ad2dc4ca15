using System.Globalization;

namespace Colibri.Core.Processes;

/// <summary>How many processes a tree may have at once, threads counted.</summary>
/// <param name="Count">The limit.</param>
/// <param name="Name">Where it is set, for a person, such as "processes of the profile claude".</param>
internal sealed record ProcessLimit(long Count, string Name)
{
    /// <summary>What happened and what can be done, as a clause of its own.</summary>
    /// <param name="refused">How many could not be started.</param>
    public string Words(long refused) => string.Create(
        CultureInfo.InvariantCulture, $"{refused} of its processes could not be started: it reached its limit of {Count} ({Name}); larger work needs a higher {Name}");
}
