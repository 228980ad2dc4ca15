using Colibri.Protocol.Wire;

namespace Colibri.Core.Doctor;

/// <summary>Makes the lines about one thing.</summary>
/// <param name="group">The group of the lines.</param>
/// <param name="name">What they are about.</param>
internal sealed class Finding(string group, string name)
{
    private readonly List<DoctorCheck> _checks = [];

    public IReadOnlyList<DoctorCheck> Checks => _checks;

    /// <summary>Whether anything of it cannot be used.</summary>
    public bool HasError => _checks.Exists(check => check.State == DoctorState.Error);

    public Finding Ok(string message, string? part = null) => Add(DoctorState.Ok, message, null, part);

    public Finding Note(string message, string? fix = null, string? part = null) => Add(DoctorState.Note, message, fix, part);

    public Finding Warning(string message, string? fix = null, string? part = null) => Add(DoctorState.Warning, message, fix, part);

    public Finding Error(string message, string? fix = null, string? part = null) => Add(DoctorState.Error, message, fix, part);

    /// <param name="state">How it is.</param>
    /// <param name="message">One line.</param>
    /// <param name="fix">What to type, or null.</param>
    /// <param name="part">The part of the thing that the line is about; null for the whole.</param>
    public Finding Add(DoctorState state, string message, string? fix, string? part)
    {
        _checks.Add(new DoctorCheck(group, part is null ? name : $"{name} {part}", state, message, fix));
        return this;
    }
}
