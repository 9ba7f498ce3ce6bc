using System.Text.Json;
using Matrix.Federation.Tests.Harness;
using Matrix.Protocol;
using Npgsql;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Inbound;

/// <summary>Chains that are as long as another server likes: what they make this one fetch and store is bounded. MATRIX_TEST_HOSTILE=full makes them 100,000 deep.</summary>
public sealed class DeepChainTests(FederatedServers all) : RemoteMemberTests(all)
{
    const string Missing = "/_matrix/federation/v1/get_missing_events/", StateIds = "/_matrix/federation/v1/state_ids/";

    static readonly EventId Nobodys = EventId.Parse("$" + new string('x', 43));

    [Fact]
    public async Task A_deep_chain_of_events_is_followed_as_far_as_is_allowed_and_the_room_goes_on_at_its_end()
    {
        var state = (await eve.State()).Select(pdu => pdu.EventId.ToString()).ToArray();
        var auth = (await eve.Text("x")).AuthEvents;
        var chain = Chain(HostileTests.IsFull ? 100_000 : 1500, (i, before) => new PduBuilder
        {
            Type = "m.room.message", Sender = eve.User, RoomId = eve.Room.RoomId, Content = JsonSerializer.SerializeToUtf8Bytes(new { msgtype = "m.text", body = $"link {i}" }),
            PrevEvents = [before?.EventId ?? Nobodys], AuthEvents = auth, Depth = 100 + i, OriginServerTs = 1_700_000_000_000 + i,
        });
        var places = chain.Index().ToDictionary(e => e.Item.EventId.ToString(), e => e.Index);
        remote.On(HttpMethod.Post, Missing, request =>
        {
            var latest = request.Json.At("latest_events").Items().Max(id => places[id.GetString()!]);
            var limit = request.Json.At("limit").GetInt32();
            return new { events = chain.Take(new Range(Math.Max(0, latest - limit), latest)).Select(Json) };
        });
        remote.On(HttpMethod.Get, StateIds, _ => new { pdu_ids = state, auth_chain_ids = state });
        Assert.Null(await eve.Send(chain[^1]));
        Assert.NotNull((await eve.Arrived(chain[^1].EventId)).Position);
        Assert.InRange(remote.Requests.Count(request => request.Path.StartsWith(Missing, StringComparison.Ordinal)), 1, 10);
        Assert.InRange(remote.Requests.Count(request => request.Path.StartsWith(StateIds, StringComparison.Ordinal)), 1, 4);
        Assert.InRange(await CountStored(), 10, 400);

        var asked = remote.Requests.Count(IsFetching);
        var next = await eve.Text("on top of it", prev: [chain[^1].EventId]);
        Assert.Null(await eve.Send(next));
        Assert.NotNull((await eve.Arrived(next.EventId)).Position);
        await alice.Say(room, "the room goes on");
        Assert.Equal(asked, remote.Requests.Count(IsFetching));
    }

    [Fact]
    public async Task A_deep_chain_of_auth_events_is_judged_or_refused_as_a_whole()
    {
        var text = await eve.Text("x");
        var others = text.AuthEvents.SkipLast(1).ToList();
        var chain = Chain(HostileTests.IsFull ? 100_000 : 600, (i, before) => new PduBuilder
        {
            Type = EventTypes.Member, StateKey = eve.User.ToString(), Sender = eve.User, RoomId = eve.Room.RoomId,
            Content = JsonSerializer.SerializeToUtf8Bytes(new { membership = "join", displayname = $"Eve {i}" }),
            PrevEvents = [before?.EventId ?? text.PrevEvents[0]], AuthEvents = [.. others, before?.EventId ?? text.AuthEvents[^1]], Depth = 100 + i, OriginServerTs = 1_700_000_000_000 + i,
        });
        var byId = chain.ToDictionary(pdu => Uri.EscapeDataString(pdu.EventId.ToString()));
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/event/", request => new { pdus = new[] { Json(byId[request.Path.Split('/')[^1]]) } });
        remote.On(HttpMethod.Get, "/_matrix/federation/v1/event_auth/", _ => new { auth_chain = chain.Select(Json) });
        var citing = await eve.Text("cites the last of them", auth: [.. others, chain[^1].EventId]);
        Assert.Null(await eve.Send(citing));
        await remote.Asked(request => request.Path.Contains("/event_auth/", StringComparison.Ordinal));
        if (!HostileTests.IsFull)
            Assert.Null((await eve.Arrived(citing.EventId)).Rejected);
        await alice.Say(room, "the room goes on");
        if (HostileTests.IsFull)
            Assert.Equal((null, null), (await eve.Stored(citing.EventId), await eve.Stored(chain[0].EventId)));
    }

    List<Pdu> Chain(int length, Func<int, Pdu?, PduBuilder> build)
    {
        var chain = new List<Pdu>(length);
        for (var i = 0; i < length; i++)
            chain.Add(remote.Build(eve.Room.Rules, build(i, i == 0 ? null : chain[^1])));
        return chain;
    }

    async Task<long> CountStored()
    {
        await using var command = servers.First.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand("SELECT count(*) FROM events WHERE room_nid = $1");
        command.Parameters.AddWithValue(eve.Room.RoomNid);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }

    static bool IsFetching(RemoteRequest request) =>
        request.Path.StartsWith(Missing, StringComparison.Ordinal) || request.Path.StartsWith(StateIds, StringComparison.Ordinal);

    static JsonElement Json(Pdu pdu) => JsonElement.Parse(pdu.Json.Span);
}
