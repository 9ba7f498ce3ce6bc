using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Matrix.Federation.Tests.Joins;

// every route that reads a room either waits for the members, or needs none
public sealed partial class PartialJoinTests
{
    /// <summary>What they tell would be less than the truth.</summary>
    static readonly string[] Waiting =
    [
        "rooms/{roomId}/context/{eventId}", "rooms/{roomId}/initialSync", "rooms/{roomId}/joined_members", "rooms/{roomId}/members", "rooms/{roomId}/messages", "rooms/{roomId}/state",
        "rooms/{roomId}/state/{eventType}/{stateKey?}",
    ];

    /// <summary>What the user has there, single events, and what is no state or state that is no membership.</summary>
    static readonly string[] Answered =
    [
        "directory/list/room/{roomId}", "room_keys/keys/{roomId}", "room_keys/keys/{roomId}/{sessionId}", "rooms/{roomId}/aliases", "rooms/{roomId}/event/{eventId}",
        "rooms/{roomId}/hierarchy", "rooms/{roomId}/relations/{eventId}", "rooms/{roomId}/relations/{eventId}/{relType}", "rooms/{roomId}/relations/{eventId}/{relType}/{eventType}",
        "rooms/{roomId}/thread/{eventId}/subscription", "rooms/{roomId}/threads", "rooms/{roomId}/timestamp_to_event", "user/{userId}/rooms/{roomId}/account_data/{type}",
        "user/{userId}/rooms/{roomId}/tags",
    ];

    [Fact]
    public async Task Each_route_that_reads_a_room_waits_for_the_members_or_needs_none()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 3);
        await Join(bob, room);
        var said = await bob.Say(room.Id, "here");

        var routes = Routes("/_matrix/client/");
        Assert.Equal(Waiting.Concat(Answered).Order(), routes.Select(Name).Distinct().Order());
        var asked = routes.ToDictionary(route => route, route => bob.Get(Fill(route, room, bob.UserId, said.EventId)));
        foreach (var route in routes.Where(route => Answered.Contains(Name(route))))
            Assert.True((int)(await asked[route]).Status < 500, route);
        Assert.Empty(asked.Where(a => Waiting.Contains(Name(a.Key)) && a.Value.IsCompleted).Select(a => a.Key));
        release.SetResult();
        foreach (var (route, answer) in asked)
            Assert.True((await answer).Status is HttpStatusCode.OK or HttpStatusCode.NotFound or HttpStatusCode.BadRequest, $"{route}: {(await answer).Status}");
    }

    [Fact]
    public async Task Other_servers_are_told_nothing_of_its_states()
    {
        var bob = await Home.NewUser();
        await using var remote = await servers.NewRemote();
        var (room, release) = Serve(remote, members: 1);
        await Join(bob, room);
        var said = await bob.Say(room.Id, "here");

        foreach (var route in Routes("/_matrix/federation/"))
        {
            var answer = await remote.Get(Home, Fill(route, room, remote.User("new").ToString(), said.EventId));
            // a space is shown by its children and join rules
            Assert.True(answer.Status == (route.Contains("/hierarchy/", StringComparison.Ordinal) ? HttpStatusCode.OK : HttpStatusCode.NotFound), $"{route}: {answer.Status}");
        }
        release.SetResult();
    }

    List<string> Routes(string prefix) => [.. Home.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()
        .Where(e => e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods.Contains("GET") == true).Select(e => "/" + e.RoutePattern.RawText!.TrimStart('/'))
        .Where(route => route.StartsWith(prefix, StringComparison.Ordinal) && route.Contains("{roomId}", StringComparison.Ordinal)).Distinct().Order(StringComparer.Ordinal)];

    static string Name(string route) => Version().Replace(route, "");

    static string Fill(string route, RemoteRoom room, string user, string eventId) => Parameter().Replace(route, match => Abroad.Esc(match.Groups[1].Value switch
    {
        "roomId" => room.Id,
        "userId" => user,
        "eventId" => eventId,
        "eventType" => "m.room.member",
        "stateKey" => room.Creator.ToString(),
        "relType" => "m.annotation",
        _ => "none",
    })) + $"?event_id={Abroad.Esc(eventId)}&v={Abroad.Esc(eventId)}&dir=b&ts=1&ver=10&limit=5";

    [GeneratedRegex("^/_matrix/client/(unstable/[^/]+|[^/]+)/")]
    private static partial Regex Version();

    [GeneratedRegex(@"\{(\w+)\??\}")]
    private static partial Regex Parameter();
}
