using System.Text;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>
/// JSON can say half of a surrogate pair, which is no text and has no canonical form. An event that says it in what a redaction takes away counts as one with a wrong
/// hash, others are refused; nothing beside them is.
/// </summary>
public sealed class HalfSurrogateTests(FederatedServers all) : RemoteMemberTests(all)
{
    /// <summary>Its name among the bad bodies.</summary>
    internal const string Body = "half a surrogate pair";

    const string Missing = "/_matrix/federation/v1/get_missing_events/";

    [Theory]
    [InlineData("m.room.message", "m.\\ud800", false)]
    [InlineData("room_id", "room_\\ud83d", false)]
    [InlineData("body", "\\uDC00", true)]
    [InlineData("\"link 1\"", "\"\\ud83dx\"", true)]
    public async Task A_transaction_with_such_an_event_is_taken(string text, string half, bool isRedacted)
    {
        var chain = await eve.Chain(2);
        var good = await eve.Text("good");
        const string Typing = """{"edu_type":"m.typing\ud800","content":{"room_id":"\udc00"}}""";
        (await Put($$"""{"\ud800":1,"pdus":[{{Text(chain[0])}},{{Spoilt(chain[1], text, half)}},{{Text(good)}}],"edus":[{{Typing}}]}""")).Ok();
        Assert.NotNull((await eve.Arrived(chain[0].EventId)).Position);
        Assert.NotNull((await eve.Arrived(good.EventId)).Position);
        if (isRedacted)
            Assert.Empty((await alice.Event(room, chain[1].EventId.ToString())).GetProperty("content").EnumerateObject());
        else
            Assert.Null(await eve.Stored(chain[1].EventId));
    }

    [Fact]
    public async Task What_is_fetched_with_such_an_event_among_it_is_taken_without_it()
    {
        var chain = await eve.Chain(4);
        var aside = Spoilt(await eve.Text("aside"), "m.room.message", "\\ud800");
        remote.On(HttpMethod.Post, Missing, _ => Encoding.UTF8.GetBytes($$"""{"x":"\udc00","events":[{{Text(chain[0])}},{{aside}},{{Text(chain[1])}},{{Text(chain[2])}}]}"""));
        Assert.Null(await eve.Send(chain[3]));
        Assert.NotNull((await eve.Arrived(chain[3].EventId)).Position);
        Assert.NotNull((await eve.Stored(chain[0].EventId))?.Position);
    }

    /// <summary>Signed as servers do that sign this at all.</summary>
    Task<Reply> Put(string body)
    {
        var (path, sent) = ($"/_matrix/federation/v1/send/{Guid.NewGuid():N}", Encoding.UTF8.GetBytes(body));
        var signed = sent.ToArray();
        HalfSurrogates.Replace(signed);
        var signature = XMatrix.Sign(remote.Name, remote.Key, ServerName.Parse(servers.First.ServerName), "PUT", path, signed);
        return remote.Send(servers.First.BaseUrl, HttpMethod.Put, path, sent, signature.ToString());
    }

    static string Text(Pdu pdu) => Encoding.UTF8.GetString(pdu.Json.Span);

    static string Spoilt(Pdu pdu, string text, string half)
    {
        var json = Text(pdu);
        Assert.Contains(text, json, StringComparison.Ordinal);
        return json.Replace(text, half, StringComparison.Ordinal);
    }
}
