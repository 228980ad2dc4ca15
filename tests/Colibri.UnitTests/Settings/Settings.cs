using Colibri.Core.Settings;

namespace Colibri.UnitTests.Settings;

/// <summary>A configuration read from a few variables, on a host where nothing of the service is set up.</summary>
internal static class Settings
{
    public static DaemonConfiguration Read(params string[] assignments) => Read(_ => false, assignments);

    public static DaemonConfiguration Read(Func<string, bool> isWritableDirectory, params string[] assignments)
    {
        var environment = new Dictionary<string, string> { ["HOME"] = "/home/op" };
        foreach (var assignment in assignments)
        {
            var parts = assignment.Split('=', 2);
            environment[parts[0]] = parts[1];
        }
        return DaemonConfiguration.Read(environment, isWritableDirectory, "clawdie");
    }

    /// <summary>Where <see cref="ReadFile"/> says that its text stands.</summary>
    public const string File = "/etc/colibri/colibri.toml";

    /// <summary>A file's text and a few variables over it.</summary>
    public static SettingsReading ReadFile(string toml, params string[] assignments)
    {
        var environment = new Dictionary<string, string> { ["HOME"] = "/home/op" };
        foreach (var assignment in assignments)
            environment[assignment.Split('=')[0]] = assignment.Split('=', 2)[1];
        return new SettingsReader(environment, _ => false, "clawdie").Read(File, _ => toml);
    }

    /// <summary>What is said of a file that is refused, without its name.</summary>
    public static string FileRefusal(string toml)
    {
        var message = Should.Throw<ConfigurationException>(() => ReadFile(toml)).Message;
        message.ShouldStartWith($"{File}:");
        return message[(File.Length + 1)..];
    }

    public static string Refusal(params string[] assignments) =>
        Should.Throw<ConfigurationException>(() => Read(assignments)).Message;
}
