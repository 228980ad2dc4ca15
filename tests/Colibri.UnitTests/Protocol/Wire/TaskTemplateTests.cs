using System.Text.Json;
using System.Text.Json.Nodes;
using Colibri.Protocol.Json;
using Colibri.Protocol.Wire;

namespace Colibri.UnitTests.Protocol.Wire;

/// <summary>A schedule's task has every field that a task can be made with: one that is left out would be lost at each firing.</summary>
public sealed class TaskTemplateTests
{
    [Test]
    public void What_it_is_given_is_what_it_gives()
    {
        var said = new JsonObject { ["cmd"] = "create-task" };
        foreach (var property in ProtocolJson.Wire.TaskTemplate.Properties)
        {
            said[property.Name] = property.PropertyType switch
            {
                var type when type == typeof(string) => $"the {property.Name}",
                var type when type == typeof(int?) || type == typeof(long?) => 7,
                var type when type == typeof(bool?) => true,
                var type when type == typeof(DateTimeOffset?) => "2026-11-28T09:00:00+00:00",
                _ => new JsonArray("one", "two"),
            };
        }
        var request = JsonSerializer.Deserialize(said.ToJsonString(), ProtocolJson.Wire.CommandRequest)!;

        var given = JsonSerializer.Serialize(TaskTemplate.Of(request).Request("create-task"), ProtocolJson.Wire.CommandRequest);

        given.ShouldBe(JsonSerializer.Serialize(request, ProtocolJson.Wire.CommandRequest));
    }
}
