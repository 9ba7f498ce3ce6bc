[assembly: AssemblyFixture(typeof(Matrix.Pusher.Tests.PushServer))]

namespace Matrix.Pusher.Tests;

/// <summary>The homeserver that the tests share, which may push to loopback, with a gateway there.</summary>
public sealed class PushServer : IAsyncLifetime
{
    public MatrixServer Server { get; private set; } = null!;

    public TestGateway Gateway { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Gateway = await TestGateway.Start();
        Server = await MatrixServer.Start(Configure);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        await Gateway.DisposeAsync();
    }

    public static void Configure(Dictionary<string, string?> configuration)
    {
        configuration["ip_range_whitelist"] = "127.0.0.0/8";
        configuration["push:allow_insecure_gateways"] = "true";
        configuration["push:first_retry"] = "50ms";
        configuration["push:longest_retry"] = "200ms";
        configuration["push:kept_while_failing"] = "3";
    }

    /// <summary>Two users in a room, the second with a pusher.</summary>
    public async Task<(User Sender, User Receiver, string Room, string Pushkey)> PushedInRoom(object? data = null)
    {
        var (alice, bob, room) = await Server.TwoUsersInRoom();
        await alice.SetState(room, "m.room.name", new { name = "The room" });
        return (alice, bob, room, await SetPusher(bob, data: data));
    }

    /// <returns>The push key.</returns>
    public Task<string> SetPusher(User user, string? pushkey = null, object? data = null, bool enabled = true) =>
        SetPusher(user, Gateway.Url, pushkey, data, enabled);

    public static async Task<string> SetPusher(User user, string url, string? pushkey = null, object? data = null, bool enabled = true)
    {
        pushkey ??= Guid.NewGuid().ToString();
        (await user.Post("/_matrix/client/v3/pushers/set", new Dictionary<string, object>
        {
            ["kind"] = "http", ["app_id"] = "org.example.app", ["pushkey"] = pushkey, ["app_display_name"] = "App",
            ["device_display_name"] = "Phone", ["lang"] = "en", ["data"] = data ?? new { url }, ["org.matrix.msc3881.enabled"] = enabled,
        })).Ok();
        return pushkey;
    }
}
