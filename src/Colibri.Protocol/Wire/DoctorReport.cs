using System.Text.Json.Serialization;
using Colibri.Protocol.Json;

namespace Colibri.Protocol.Wire;

/// <summary>The answer to <c>doctor</c>.</summary>
/// <param name="Checks">In the order in which a person reads them; those of one group stand together.</param>
public sealed record DoctorReport(IReadOnlyList<DoctorCheck> Checks);

/// <summary>One thing that was looked at.</summary>
/// <param name="Group">What it belongs to: <c>agents</c>, <c>workspaces</c>, <c>tenants</c>, <c>git</c>, <c>host</c> or <c>files</c>; <c>client</c> for what the CLI looks at itself.</param>
/// <param name="Name">What was looked at.</param>
/// <param name="State">How it is.</param>
/// <param name="Message">What was found, in one line. No key is in it.</param>
/// <param name="Fix">What to type or to write where; absent where nothing need be done.</param>
public sealed record DoctorCheck(string Group, string Name, DoctorState State, string Message, string? Fix = null);

/// <summary>How something is that was looked at.</summary>
[JsonConverter(typeof(KebabEnumConverter<DoctorState>))]
public enum DoctorState
{
    Ok,

    /// <summary>Nothing is wrong, and an operator may want to know.</summary>
    Note,

    /// <summary>Work goes on, and something of it may fail.</summary>
    Warning,

    /// <summary>What was looked at cannot be used.</summary>
    Error,
}
