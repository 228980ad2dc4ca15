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

    public static string Refusal(params string[] assignments) =>
        Should.Throw<ConfigurationException>(() => Read(assignments)).Message;
}
