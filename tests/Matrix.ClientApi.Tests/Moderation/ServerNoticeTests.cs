namespace Matrix.ClientApi.Tests.Moderation;

/// <summary>What the server says to its users (Client-Server API, Server Notices).</summary>
public sealed class ServerNoticeTests(MatrixServer server)
{
    const string V3 = "/_matrix/client/v3", Path = "/_synapse/admin/v1/send_server_notice";

    [Fact]
    public async Task A_notice_comes_in_a_room_of_its_own_whose_invite_cannot_be_turned_down()
    {
        await using var own = await MatrixServer.Start(configuration =>
        {
            configuration["server_notices:system_mxid_localpart"] = "notices";
            configuration["server_notices:system_mxid_display_name"] = "The server";
        });
        var (admin, bob) = (await own.NewUser(admin: true), await own.NewUser());
        var body = new { user_id = bob.UserId, content = User.Text("the first") };
        (await bob.Post(Path, body)).Refused(403, "M_FORBIDDEN");
        var first = (await admin.Put($"{Path}/t1", body)).Ok().String("event_id");
        Assert.Equal(first, (await admin.Put($"{Path}/t1", body)).Ok().String("event_id"));

        var room = (await bob.SyncUntil(sync => sync.Json.Find("rooms.invite") is not null)).Json.At("rooms.invite").EnumerateObject().Single().Name;
        (await bob.Post($"{V3}/rooms/{ApiClient.Esc(room)}/leave")).Refused(403, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM");
        await bob.Join(room);
        Assert.NotNull((await bob.Get($"{V3}/user/{ApiClient.Esc(bob.UserId)}/rooms/{ApiClient.Esc(room)}/tags")).Ok()["tags"].Find("m.server_notice"));
        (await bob.TrySend(room, "m.room.message", User.Text("thanks"))).Refused(403, "M_FORBIDDEN");
        await bob.Leave(room);

        (await admin.Post(Path, new { user_id = bob.UserId, content = User.Text("the second") })).Ok();
        await bob.Join(room);
        await bob.SyncUntil(sync => sync.HasMessage(room, "the second"));
        (await admin.Post(Path, new { user_id = "@nobody:" + own.ServerName, content = User.Text("x") })).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task Nobody_speaks_for_a_server_that_did_not_say_as_whom() =>
        (await (await server.NewUser(admin: true)).Post(Path, new { user_id = "@x:" + server.ServerName, content = User.Text("x") })).Refused(400, "M_UNKNOWN");
}
