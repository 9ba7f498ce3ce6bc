using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Matrix.Protocol.Tests;

/// <summary>The examples of room events in the specification's event schemas.</summary>
public class ExampleTests
{
    public static TheoryData<string> Names =>
        [.. typeof(ExampleTests).Assembly.GetManifestResourceNames().Where(name => name.StartsWith("examples/", StringComparison.Ordinal))];

    [Theory, MemberData(nameof(Names))]
    public void An_example_survives_building_parsing_and_redacting(string name)
    {
        using var stream = typeof(ExampleTests).Assembly.GetManifestResourceStream(name)!;
        var example = JsonNode.Parse(stream)!.AsObject();
        foreach (var rules in RoomVersions.All)
        {
            var room = new TestRoom(rules);
            var content = JsonSerializer.SerializeToUtf8Bytes(example["content"]);
            var pdu = room.Event((string)example["type"]!, Encoding.UTF8.GetString(content), stateKey: (string?)example["state_key"]);
            var parsed = Pdu.Parse(pdu.Json, rules);
            Assert.Equal(pdu.EventId, parsed.EventId);
            Assert.True(parsed.HasValidContentHash);
            Assert.Equal(pdu.EventId, Pdu.Parse(parsed.Redact().Json, rules).EventId);
            var client = JsonNode.Parse(ClientEvent.Encode(parsed))!;
            if (parsed.Redacts is null)
                Assert.True(JsonNode.DeepEquals(example["content"], client["content"]));
            Assert.True(JsonNode.DeepEquals(example["type"], client["type"]) && JsonNode.DeepEquals(example["state_key"], client["state_key"]));
        }
    }
}
