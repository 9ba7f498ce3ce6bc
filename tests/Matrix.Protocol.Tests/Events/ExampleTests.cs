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

    /// <summary>The examples of the Server-Server API, with the versions that they are of. Their hashes and signatures are placeholders.</summary>
    [Theory]
    [InlineData("pdu_v1", 1, 2, 1, "example.com")]
    [InlineData("pdu_v3", 3, 3, 2, "example.com")]
    [InlineData("pdu_v4", 4, 10, 2, "example.com")]
    [InlineData("pdu_v4_join_membership", 8, 10, 2, "example.com resident.example.com")]
    [InlineData("pdu_v11", 11, 11, 2, "example.com")]
    [InlineData("pdu_v12", 12, 12, 2, "example.com")]
    public void An_example_of_a_pdu_is_read_in_its_versions_and_refused_in_those_of_other_formats(string name, int from, int to, int references, string signers)
    {
        using var stream = typeof(ExampleTests).Assembly.GetManifestResourceStream($"pdus/{name}.json")!;
        var json = JsonNode.Parse(stream)!.AsObject();
        var bytes = Encoding.UTF8.GetBytes(json.ToJsonString());
        foreach (var rules in RoomVersions.All)
        {
            var version = int.Parse(rules.Id);
            if (version < from && rules.HasAssignedEventIds != from <= 2 || (version == 12) != (from == 12))
            {
                Assert.ThrowsAny<InvalidEventException>(() => Pdu.Parse(bytes, rules));
                continue;
            }
            if (version < from || version > to)
                continue;
            var pdu = Pdu.Parse(bytes, rules);
            Assert.Equal(((string?)json["type"], (string?)json["state_key"], (string?)json["sender"], (string?)json["room_id"], (long?)json["depth"]),
                (pdu.Type, pdu.StateKey, pdu.Sender.ToString(), pdu.RoomId.ToString(), pdu.Depth));
            Assert.Equal((references, references), (pdu.PrevEvents.Count, pdu.AuthEvents.Count));
            Assert.Equal(signers, string.Join(" ", EventSignatures.RequiredSigners(pdu)));
            Assert.False(pdu.HasValidContentHash);
            Assert.DoesNotContain("unsigned", Encoding.UTF8.GetString(pdu.Json.Span), StringComparison.Ordinal);
        }
    }
}
