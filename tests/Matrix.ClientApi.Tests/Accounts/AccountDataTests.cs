namespace Matrix.ClientApi.Tests.Accounts;

public sealed class AccountDataTests(MatrixServer server)
{
    const string Room = "!room:test.example";

    static string Path(User user, string rest) => $"/_matrix/client/v3/user/{ApiClient.Esc(user.UserId)}/{rest}";

    static string Tags(User user, string? tag = null) => Path(user, $"rooms/{ApiClient.Esc(Room)}/tags{(tag is null ? "" : "/" + ApiClient.Esc(tag))}");

    [Fact]
    public async Task Account_data_is_kept_globally_and_for_each_room()
    {
        var user = await server.NewUser();
        (await user.Put(Path(user, "account_data/m.direct"), new { a = 1 })).Ok();
        (await user.Put(Path(user, $"rooms/{ApiClient.Esc(Room)}/account_data/m.direct"), new { a = 2 })).Ok();
        (await user.Put(Path(user, "account_data/m.direct"), new { a = 3 })).Ok();
        Assert.Equal(3, (await user.Get(Path(user, "account_data/m.direct"))).Ok()["a"].GetInt32());
        Assert.Equal(2, (await user.Get(Path(user, $"rooms/{ApiClient.Esc(Room)}/account_data/m.direct"))).Ok()["a"].GetInt32());
        (await user.Get(Path(user, "account_data/m.other"))).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Account_data_is_its_owners_and_some_types_are_the_servers()
    {
        var (user, other) = (await server.NewUser(), await server.NewUser());
        (await other.Get(Path(user, "account_data/m.direct"))).Refused(403, "M_FORBIDDEN");
        (await other.Put(Path(user, "account_data/m.direct"), new { })).Refused(403, "M_FORBIDDEN");
        (await user.Put(Path(user, "account_data/m.push_rules"), new { })).Refused(405, "M_BAD_JSON");
        (await user.Put(Path(user, "account_data/m.direct"), "[]")).Refused(400, "M_BAD_JSON");
        (await user.Put(Path(user, "account_data/m.direct"), "{")).Refused(400, "M_NOT_JSON");
    }

    [Fact]
    public async Task Tags_put_on_a_room_at_once_are_all_kept()
    {
        var user = await server.NewUser();
        var names = Enumerable.Range(0, 10).Select(i => $"u.tag{i}").ToArray();
        foreach (var reply in await Task.WhenAll(names.Select(name => user.Put(Tags(user, name), new { order = 0.25 })))) reply.Ok();
        (await user.Delete(Tags(user, "u.tag3"))).Ok();
        var tags = (await user.Get(Tags(user))).Ok()["tags"];
        Assert.Equal(names.Where(name => name != "u.tag3"), tags.EnumerateObject().Select(tag => tag.Name).Order());
        Assert.Equal(0.25, tags.At("u.tag0").At("order").GetDouble());
    }

    [Fact]
    public async Task A_tag_is_refused_when_its_order_is_no_number() =>
        await RefusedTag(new { order = "first" });

    [Fact]
    public async Task A_filter_is_stored_once_and_read_back()
    {
        var user = await server.NewUser();
        var id = (await user.Post(Path(user, "filter"), new { room = new { timeline = new { limit = 7 } } })).Ok().String("filter_id");
        var again = (await user.Post(Path(user, "filter"), new { room = new { timeline = new { limit = 7 } } })).Ok().String("filter_id");
        Assert.Equal(id, again);
        Assert.Equal(7, (await user.Get(Path(user, $"filter/{id}"))).Ok()["room.timeline.limit"].GetInt32());
        (await user.Get(Path(user, "filter/0"))).Refused(404, "M_NOT_FOUND");
        var other = await server.NewUser();
        (await other.Get(Path(other, $"filter/{id}"))).Refused(404, "M_NOT_FOUND");
    }

    async Task RefusedTag(object body)
    {
        var user = await server.NewUser();
        (await user.Put(Tags(user, "u.x"), body)).Refused(400, "M_BAD_JSON");
    }
}
