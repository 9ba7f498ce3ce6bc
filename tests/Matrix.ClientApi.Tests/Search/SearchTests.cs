using System.Text.Json;
using Matrix.Testing;

namespace Matrix.ClientApi.Tests.Search;

public sealed class SearchTests(MatrixServer server)
{
    [Theory]
    [InlineData("The Martians have landed", "martian", true)]
    [InlineData("Grüße aus Köln", "koln GRUSSE", false)]
    [InlineData("Grüße aus Köln", "KOLN", true)]
    [InlineData("今日は東京都に行きます", "東京", true)]
    [InlineData("今日は東京都に行きます", "京都に", true)]
    [InlineData("今日は東京都に行きます", "都", true)]
    [InlineData("今日は東京都に行きます", "京東", false)]
    [InlineData("我们明天去北京开会", "北京", true)]
    [InlineData("Добрый день, коллеги", "ДОБРЫЙ коллег", true)]
    [InlineData("회의는 내일입니다", "내일", true)]
    [InlineData("สวัสดีตอนเช้า", "ตอนเช้า", true)]
    [InlineData("one two", "one three", false)]
    public async Task Messages_are_found_by_their_words_in_any_language(string body, string term, bool found)
    {
        var (alice, room) = await server.UserInRoom();
        var sent = await alice.Say(room, body);
        await alice.Say(room, "zzzmark");
        await Search(alice, new { search_term = "zzzmark" }, 1);
        var results = await Search(alice, new { search_term = term });
        Assert.Equal(found ? [sent.EventId] : [], Ids(results));
    }

    [Fact]
    public async Task Only_what_the_user_may_see_is_found()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var word = $"w{Guid.NewGuid():N}";
        var first = await alice.Say(room, $"{word} one");
        await bob.Leave(room);
        var second = await alice.Say(room, $"{word} two");
        Assert.Equal([second.EventId, first.EventId], Ids(await Search(alice, new { search_term = word, order_by = "recent" }, 2)));
        Assert.Equal([first.EventId], Ids(await Search(bob, new { search_term = word })));
        Assert.Empty(Ids(await Search(await server.NewUser(), new { search_term = word })));
        await alice.Redact(room, first.EventId);
        await Search(alice, new { search_term = word }, 1);
        Assert.Equal([second.EventId], Ids(await Search(alice, new { search_term = word })));
    }

    [Fact]
    public async Task Names_and_topics_are_found_and_keys_and_rooms_can_be_chosen()
    {
        var alice = await server.NewUser();
        var word = $"w{Guid.NewGuid():N}";
        var room = await alice.CreateRoom(new { name = $"{word} name", topic = $"{word} topic" });
        var other = await alice.CreateRoom(new { name = word });
        await Search(alice, new { search_term = word }, 3);
        Assert.Equal(["m.room.topic"], Types(await Search(alice, new { search_term = word, keys = new[] { "content.topic" } })));
        Assert.Equal(2, Types(await Search(alice, new { search_term = word, keys = new[] { "content.name" } })).Count());
        Assert.Single(Types(await Search(alice, new { search_term = word, filter = new { rooms = new[] { other } } })));
        Assert.Equal(["m.room.name"], Types(await Search(alice, new { search_term = word, filter = new { rooms = new[] { room }, types = new[] { "m.room.name" } } })));
    }

    [Fact]
    public async Task Results_come_in_pages_and_groups_with_context_profile_and_state()
    {
        var (alice, bob, room) = await server.TwoUsersInRoom();
        var word = $"w{Guid.NewGuid():N}";
        var sent = new List<string>();
        for (var i = 0; i < 5; i++)
        {
            sent.Add((await (i % 2 == 0 ? alice : bob).Say(room, $"{word} {i}")).EventId);
            await alice.Say(room, $"between {i}");
        }
        var criteria = new
        {
            search_term = word, order_by = "recent", include_state = true, filter = new { limit = 2 },
            groupings = new { group_by = new[] { new { key = "room_id" }, new { key = "sender" } } },
            event_context = new { before_limit = 1, after_limit = 1, include_profile = true },
        };
        await Search(alice, criteria, 2);
        var first = await Search(alice, criteria);
        Assert.Equal(5, first.At("count").GetInt32());
        Assert.Equal([word], first.At("highlights").Items().Select(w => w.GetString()));
        Assert.Equal([sent[4], sent[3]], Ids(first));
        Assert.Equal(["between 3"], first.At("results")[0].At("context.events_before").Items().Bodies());
        Assert.Equal(["between 4"], first.At("results")[0].At("context.events_after").Items().Bodies());
        Assert.Equal(alice.Localpart, first.At("results")[0].At("context.profile_info").At(alice.UserId).String("displayname"));
        Assert.Contains(first.At("state").At(room).Items(), e => e.String("type") == "m.room.create");
        Assert.Equal([sent[4], sent[3]], first.At("groups.room_id").At(room).At("results").Items().Select(id => id.GetString()));
        Assert.Equal([sent[3]], first.At("groups.sender").At(bob.UserId).At("results").Items().Select(id => id.GetString()));

        await alice.Say(room, $"{word} that came later");
        var second = await Search(alice, criteria, next: first.String("next_batch"));
        Assert.Equal([sent[2], sent[1]], Ids(second));
        Assert.Equal([sent[0]], Ids(await Search(alice, criteria, next: second.String("next_batch"))));
        Assert.Equal([sent[1]], Ids(await Search(alice, criteria, next: first.At("groups.sender").At(bob.UserId).String("next_batch"))));
        (await alice.Post("/_matrix/client/v3/search?next_batch=zzz", Body(criteria))).Refused(400, "M_INVALID_PARAM");
        (await alice.Post("/_matrix/client/v3/search", Body(new { }))).Refused(400, "M_BAD_JSON");
    }

    [Fact]
    public async Task Users_are_found_who_share_a_room_or_are_in_an_open_one()
    {
        var name = $"n{Guid.NewGuid():N}"[..20];
        var (alice, bob, room) = await server.TwoUsersInRoom();
        await Rename(bob, $"Zoë {name}");
        var carol = await server.NewUser();
        await Rename(carol, $"{name} 東京太郎");
        await carol.CreatePublicRoom();
        var hidden = await server.NewUser();
        await Rename(hidden, $"{name} hidden");
        await hidden.CreateRoom();

        Assert.Equal(new HashSet<string> { bob.UserId, carol.UserId }, [.. await Users(alice, name, 2)]);
        Assert.Equal([bob.UserId], await Users(alice, $"{name[..8]} zoe"));
        Assert.Equal([carol.UserId], await Users(alice, $"京太 {name}"));
        Assert.Equal([bob.UserId], await Users(alice, bob.UserId));
        Assert.Empty(await Users(alice, $"{name} hidden"));
        var limited = (await alice.Post("/_matrix/client/v3/user_directory/search", new { search_term = name, limit = 1 })).Ok();
        Assert.True(limited["limited"].GetBoolean());
        await bob.Leave(room);
        await Rename(bob, $"gone {name}");
        await Eventually.True("who left is found no more", async () => (await Users(alice, name)).Count == 1);
    }

    static async Task Rename(User user, string name) =>
        (await user.Put($"/_matrix/client/v3/profile/{ApiClient.Esc(user.UserId)}/displayname", new { displayname = name })).Ok();

    static async Task<IReadOnlyList<string>> Users(User user, string term, int expected = 0)
    {
        return await Eventually.Get("they are found", async () => (IReadOnlyList<string>)[.. (await user.Post(
            "/_matrix/client/v3/user_directory/search", new { search_term = term })).Ok()["results"].Items().Select(u => u.String("user_id"))], found => found.Count >= expected);
    }

    /// <summary>The results, once as many as expected are indexed.</summary>
    static async Task<JsonElement> Search(User user, object criteria, int expected = 0, string? next = null)
    {
        return await Eventually.Get("they are found", async () => (await user.Post(
            $"/_matrix/client/v3/search{(next is null ? "" : $"?next_batch={next}")}", Body(criteria))).Ok()["search_categories.room_events"],
            results => results.At("results").GetArrayLength() >= expected);
    }

    static object Body(object criteria) => new { search_categories = new { room_events = criteria } };

    static IEnumerable<string> Ids(JsonElement results) => results.At("results").Items().Select(r => r.String("result.event_id"));

    static IEnumerable<string> Types(JsonElement results) => results.At("results").Items().Select(r => r.String("result.type"));
}
