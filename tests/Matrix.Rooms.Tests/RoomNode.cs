using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Matrix.Testing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using RoomSummary = Matrix.Storage.Rooms.RoomSummary;

namespace Matrix.Rooms.Tests;

/// <summary>One process of the homeserver as rooms see it, on a database that other nodes may share.</summary>
sealed class RoomNode : IAsyncDisposable
{
    static readonly Lazy<string> KeyFile = new(() =>
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("matrix-rooms-").FullName, "signing.key");
        File.WriteAllText(path, SigningKey.Generate("test").FormatFile());
        return path;
    });

    readonly IHost host;

    RoomNode(IHost host) => this.host = host;

    public static ServerName Server { get; } = ServerName.Parse("test.example");

    public NpgsqlDataSource Db => Get<NpgsqlDataSource>();

    public RoomWriter Writer => Get<RoomWriter>();

    public RoomCreator Creator => Get<RoomCreator>();

    public RoomMembership Membership => Get<RoomMembership>();

    public RoomReceiver Receiver => Get<RoomReceiver>();

    public RoomState State => Get<RoomState>();

    public EventStore Events => Get<EventStore>();

    public static async Task<RoomNode> Start(TestDatabase database, string? serverName = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLogging();
        builder.Services.AddStorage(database.ConnectionString + ";Max Auto Prepare=100;Auto Prepare Min Usages=2");
        builder.Configuration.AddInMemoryCollection([new("server_name", serverName ?? Server.ToString()), new("signing_key_path", KeyFile.Value)]);
        builder.AddReplicationInProcess();
        builder.Services.AddRooms(builder.Configuration);
        var host = builder.Build();
        await host.StartAsync();
        return new RoomNode(host);
    }

    public T Get<T>() where T : notnull => host.Services.GetRequiredService<T>();

    public static UserId User(string localpart) => UserId.Create(localpart, Server);

    public static ReadOnlyMemory<byte> Json(object content) => JsonSerializer.SerializeToUtf8Bytes(content);

    public static EventDraft Text(UserId sender, string body) => EventDraft.Message(sender, "m.room.message", Json(new { msgtype = "m.text", body }));

    public async Task<RoomId> CreateRoom(UserId creator, RoomPreset preset = RoomPreset.PrivateChat, string? version = null) =>
        (await Creator.Create(new RoomCreation { Creator = creator, Preset = preset, Version = version }, default)).RoomId;

    public async Task<Room> Room(RoomId roomId) => await Get<RoomFinder>().Get(roomId, default);

    /// <summary>The whole timeline, oldest first.</summary>
    public async Task<List<StoredEvent>> Timeline(RoomId roomId) =>
        await Events.List((await Room(roomId)).RoomNid, 0, long.MaxValue, int.MaxValue, TimelineDirection.Forwards, default);

    /// <summary>The content of a state event now; null if there is none.</summary>
    public async Task<JsonElement?> StateContent(RoomId roomId, string type, string stateKey = "")
    {
        var root = await State.CurrentRoot((await Room(roomId)).RoomNid, default);
        return (await State.Get(root, type, stateKey, default))?.Content;
    }

    public async Task<string?> MembershipOf(RoomId roomId, UserId user) =>
        (await Get<MembershipStore>().Find((await Room(roomId)).RoomNid, user, default))?.Membership;

    public async Task<RoomSummary> Summary(RoomId roomId) => (await Get<RoomSummaryStore>().Find((await Room(roomId)).RoomNid, default))!;

    public async ValueTask DisposeAsync()
    {
        await host.StopAsync();
        host.Dispose();
    }
}
