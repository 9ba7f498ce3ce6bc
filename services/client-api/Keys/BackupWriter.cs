using System.Buffers;
using Matrix.ClientApi.Sync;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Keys;

/// <summary>Writes keys of a backup; their data goes in as it was stored.</summary>
static class BackupWriter
{
    public static ReadOnlyMemory<byte> Rooms(IEnumerable<BackedUpKey> keys) => Write(to =>
    {
        to.Raw("{\"rooms\":{"u8);
        var first = true;
        foreach (var room in keys.GroupBy(key => key.RoomId))
        {
            to.Name(ref first, room.Key);
            Sessions(to, room);
        }
        to.Raw("}}"u8);
    });

    public static ReadOnlyMemory<byte> Room(IEnumerable<BackedUpKey> keys) => Write(to => Sessions(to, keys));

    public static ReadOnlyMemory<byte> Key(BackedUpKey key) => Write(to => Session(to, key));

    static ReadOnlyMemory<byte> Write(Action<JsonSplicer> write)
    {
        var output = new ArrayBufferWriter<byte>(4096);
        write(new JsonSplicer(output));
        return output.WrittenMemory;
    }

    static void Sessions(JsonSplicer to, IEnumerable<BackedUpKey> keys)
    {
        to.Raw("{\"sessions\":{"u8);
        var first = true;
        foreach (var key in keys)
        {
            to.Name(ref first, key.SessionId);
            Session(to, key);
        }
        to.Raw("}}"u8);
    }

    static void Session(JsonSplicer to, BackedUpKey key)
    {
        to.Raw("{\"first_message_index\":"u8);
        to.Number(key.FirstMessageIndex);
        to.Raw(",\"forwarded_count\":"u8);
        to.Number(key.ForwardedCount);
        to.Raw(",\"is_verified\":"u8);
        to.Boolean(key.IsVerified);
        to.Raw(",\"session_data\":"u8);
        to.Raw(key.SessionData);
        to.Raw("}"u8);
    }
}
