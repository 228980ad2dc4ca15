namespace Colibri.Core.Settings;

/// <summary>How the daemon gets the right to create and enter jails.</summary>
public enum JailPrivilegeMode
{
    None,
    Mdo,
    Sudo,
}
