namespace Matrix.Protocol.Tests;

public class ReadmeTests
{
    /// <summary>The same lines as in the library's README, so that they stay true.</summary>
    [Fact]
    public void The_readmes_example_works()
    {
        var rules = RoomVersions.Find("12")!;
        var server = ServerName.Parse("example.org");
        using var key = SigningKey.Generate("1");
        var alice = UserId.Create("alice", server);

        var create = new PduBuilder
        {
            Type = EventTypes.Create, StateKey = "", Sender = alice, Content = """{"room_version":"12"}"""u8.ToArray(), Depth = 1,
        }.Build(rules, server, key);
        var join = new PduBuilder
        {
            Type = EventTypes.Member, StateKey = alice.ToString(), Sender = alice, RoomId = create.RoomId,
            Content = """{"membership":"join"}"""u8.ToArray(), PrevEvents = [create.EventId], Depth = 2,
        }.Build(rules, server, key);

        var pdu = Pdu.Parse(join.Json, rules);
        var signed = EventSignatures.RequiredSigners(pdu).All(signer => EventSignatures.Verify(pdu, signer, _ => key.VerifyKey));
        var usable = pdu.HasValidContentHash ? pdu : pdu.Redact();
        var result = EventAuth.Check(usable, new AuthState([create]), rules, create);
        Assert.True(signed && result.Allowed, result.Rule);
    }

    [Fact]
    public void References_of_old_versions_carry_the_hashes_of_what_they_name()
    {
        var room = new TestRoom(RoomVersions.V1);
        var next = new PduBuilder
        {
            Type = "m.x", Sender = TestRoom.Alice, RoomId = room.RoomId, Content = "{}"u8.ToArray(), PrevEvents = [room.Create.EventId],
            ReferenceHashes = new Dictionary<EventId, string> { [room.Create.EventId] = room.Create.ReferenceHash },
        }.Build(room.Rules, TestRoom.Server, TestRoom.Key);
        Assert.Contains($$"""[["{{room.Create.EventId}}",{"sha256":"{{room.Create.ReferenceHash}}"}]]""", System.Text.Encoding.UTF8.GetString(next.Json.Span), StringComparison.Ordinal);
        var current = new TestRoom(RoomVersions.V3).Create;
        Assert.Equal(current.EventId.ToString(), "$" + current.ReferenceHash);
    }
}
