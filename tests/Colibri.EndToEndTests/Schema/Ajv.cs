using System.Text.Json;
using Colibri.EndToEndTests.Agents;
using Colibri.EndToEndTests.Harness;

namespace Colibri.EndToEndTests.Schema;

/// <summary>The validator of JSON Schema that most clients in JavaScript use. It is among what the MCP clients bring.</summary>
internal static class Ajv
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    /// <summary>What is wrong with the lines, and how many were held against the schema.</summary>
    public static async Task<(IReadOnlyList<string> Wrongs, long Held)> HoldAsync(string schema, IEnumerable<(string Definition, JsonElement Line)> lines)
    {
        var clients = (await Installation.FetchAsync("mcp_clients")).Required("MCP clients");
        var node = (await Installation.FetchAsync("real_node")).Required("Node");
        // A module finds its packages by its real path, so it is copied to beside a link to them.
        using var directory = new TempDirectory();
        File.CreateSymbolicLink(directory.File("node_modules"), Path.Combine(clients, "node_modules"));
        File.Copy(Path.Combine(Repository.Root, "tests", "Colibri.EndToEndTests", "Schema", "ajv.mjs"), directory.File("ajv.mjs"));
        await File.WriteAllTextAsync(directory.File("schema.json"), schema);
        await File.WriteAllLinesAsync(directory.File("lines"), lines.Select(held => $$"""{"definition":"{{held.Definition}}","line":{{held.Line.GetRawText()}}}"""));
        var finished = await Launch.ToEndAsync(
            node, [directory.File("ajv.mjs"), directory.File("schema.json"), directory.File("lines")],
            new Dictionary<string, string?> { ["HOME"] = directory.Path, ["TMPDIR"] = directory.Path }, Deadline);
        finished.ExitCode.ShouldBe(0, finished.ToString());
        var said = JsonElement.Parse(finished.Stdout);
        return ([.. said.Items("wrong").Select(wrong => wrong.GetString()!)], said.Number("held"));
    }
}
