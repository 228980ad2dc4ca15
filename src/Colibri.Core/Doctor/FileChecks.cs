using System.Globalization;
using Colibri.Core.Providers;
using Colibri.Core.Settings;
using Colibri.Posix.Host;
using Colibri.Protocol;

namespace Colibri.Core.Doctor;

/// <summary>The daemon's socket and files: where they are, who may use them, and whether the configuration could be read again.</summary>
internal sealed class FileChecks(ExaminationParts parts)
{
    public const string Group = "files";

    private const uint PermissionBits = 0x1FF; // 0777, sys/stat.h
    private const uint OthersBits = 0x7; // 0007
    private const int MaxNamesFile = 1 << 20;

    public IEnumerable<Look> Looks() =>
    [
        new Look(Group, "socket", FindSocket),
        new Look(Group, "other socket", FindOtherSockets),
        new Look(Group, "configuration", FindConfiguration),
        new Look(Group, "variables", FindVariables),
        new Look(Group, "keys", FindKeys),
        new Look(Group, "board", FindBoard),
        new Look(Group, "trouble", FindTrouble),
    ];

    /// <summary>The configuration file that an operator would write: the one in force, else the first place for such a daemon.</summary>
    public static string FileToWrite(ExaminationParts parts)
    {
        var settings = parts.Settings();
        if (settings.File is { } file)
            return file;
        if (parts.Variable(SettingsFile.Variable) is { } stated)
            return stated;
        var places = SettingsFile.Places(new EnvironmentReader(parts.Environment)).ToList();
        // A user's own daemon reads the user's own file first; the others are the host's.
        if (!parts.Host.IsService(settings.Daemon.SocketPath) && parts.Host.Uid != 0)
            return places[0];
        return parts.Host.Kind == OperatingSystemKind.Linux ? places[^1] : places[^2];
    }

    private void FindSocket(Finding finding)
    {
        var path = parts.Settings().Daemon.SocketPath;
        var look = FileLook.At(path);
        if (!look.IsSocket)
        {
            finding.Error($"{path} is {(look.Identity is null ? "not there" : look.Kind)}", "restart the daemon");
            return;
        }
        var group = NameIn(parts.Host.GroupFile, look.Owner.Gid);
        var words = $"{path}, mode {Octal(look.Owner.Mode)}, user {NameIn(parts.Host.PasswordFile, look.Owner.Uid)}, group {group}: root, that user and members of that group may connect";
        if ((look.Owner.Mode & OthersBits) != 0)
            finding.Note($"{words}; its mode lets others try, and the daemon refuses them", $"chmod o= {DoctorHost.ShellWord(path)}");
        else
            finding.Ok(words);
    }

    private void FindOtherSockets(Finding finding)
    {
        var own = parts.Settings().Daemon.SocketPath;
        var identity = FileIdentity.Of(own);
        foreach (var other in parts.Host.ServiceSockets.Append(SocketPaths.Resolve(parts.Variable, static () => false)).Distinct(StringComparer.Ordinal))
        {
            // The same file by another name is none.
            if (other == own || !FileLook.At(other).IsSocket || FileIdentity.Of(other) == identity)
                continue;
            finding.Note(
                $"there is another at {other}: a client that names none may take that one",
                $"colibri --socket {DoctorHost.ShellWord(own)} COMMAND, or export {SocketPaths.EnvironmentVariable}={DoctorHost.ShellWord(own)}");
            return;
        }
    }

    private void FindConfiguration(Finding finding)
    {
        var settings = parts.Settings();
        if (parts.Reread is { } reread)
        {
            try
            {
                var read = reread().Settings;
                if (EffectiveSettings.Changes(settings, read) is { Count: > 0 } changes)
                {
                    var waits = changes.Count(change => change.Key.StartsWith("daemon.", StringComparison.Ordinal));
                    finding.Note(
                        string.Create(CultureInfo.InvariantCulture, $"{read.File ?? "what is configured"} differs from what is in force in {changes.Count} places, first {changes[0].Key}"),
                        waits == changes.Count ? "restart the daemon" : waits == 0 ? "colibri reload" : "colibri reload; a restart for the keys of [daemon]");
                    return;
                }
            }
            catch (ConfigurationException e)
            {
                finding.Error($"the daemon would refuse it now: {e.Message}", "correct it; what was read before stays in force");
                return;
            }
        }
        if (settings.File is { } file)
            finding.Ok(file);
        else
            finding.Ok($"no file; it would be {FileToWrite(parts)}, and is looked for at {string.Join(", ", SettingsFile.Places(new EnvironmentReader(parts.Environment)))}");
    }

    private void FindVariables(Finding finding)
    {
        foreach (var unknown in UnknownNames.In(parts.Environment))
            finding.Warning($"{unknown.Name} is no setting{unknown.Hint}", unknown.Nearest is { } nearest ? $"write {nearest}, or remove it" : "remove it; colibri-daemon --help lists all", null);
    }

    private void FindKeys(Finding finding)
    {
        if (parts.Settings().Daemon.ProviderEnvFile is not { } file)
        {
            finding.Ok("no file of keys (COLIBRI_PROVIDER_ENV): agents get those of the daemon's own environment");
            return;
        }
        try
        {
            var values = ProviderEnvFile.Read(file);
            var owner = FileOwner.Of(file);
            finding.Ok($"{file}, mode {Octal(owner.Mode)}, user {NameIn(parts.Host.PasswordFile, owner.Uid)}: {(values.Count == 0 ? "no key in it" : string.Join(", ", values.Keys.Order(StringComparer.Ordinal)))}");
        }
        catch (ConfigurationException e)
        {
            finding.Error($"{e.Message}; the keys read before stay in force");
        }
    }

    private void FindBoard(Finding finding) => finding.Ok($"{parts.Settings().Daemon.DatabasePath}, sessions in {parts.Settings().Daemon.SessionsDirectory}");

    private void FindTrouble(Finding finding)
    {
        foreach (var file in parts.Files() ?? [])
            finding.Error($"{file.What} is {file.State}: {file.Reason}");
    }

    private static string Octal(uint mode) => Convert.ToString(mode & PermissionBits, 8);

    /// <summary>A user's or group's name by passwd(5) or group(5); its number where the file does not have it, since a directory service may.</summary>
    private static string NameIn(string file, uint id)
    {
        var number = id.ToString(CultureInfo.InvariantCulture);
        try
        {
            if (new FileInfo(file).Length > MaxNamesFile)
                return number;
            foreach (var line in File.ReadLines(file))
            {
                if (line.Split(':') is [{ Length: > 0 } name, _, var found, ..] && found == number)
                    return name;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The number says it as well.
        }
        return number;
    }
}
