using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Keys;

namespace Matrix.ClientApi.Keys;

/// <summary>What a change of a backup's keys is answered with.</summary>
sealed record BackupCounts(string Etag, long Count);

/// <summary>A user's backups of room keys (Client-Server API, "Server-side key backups").</summary>
sealed class KeyBackups(KeyBackupStore store)
{
    const int MostKeys = 20_000;

    /// <exception cref="MatrixException">404: the user has no such backup, or none at all.</exception>
    public async Task<KeyBackup> Get(Requester requester, string? version, CancellationToken ct) =>
        await store.Find(requester.UserId.ToString(), version is null ? null : Version(version), ct) ?? throw Unknown();

    public async Task<BackupCounts> Store(Requester requester, string? version, IReadOnlyList<BackedUpKey> keys, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        if (keys.Count > MostKeys)
            throw MatrixException.TooLarge("There are too many keys.");
        var wanted = Version(version ?? throw MatrixException.MissingParam("version"));
        var state = await store.Store(requester.UserId.ToString(), wanted, [.. keys.DistinctBy(key => (key.RoomId, key.SessionId))], ct);
        if (state.CurrentVersion is not { } current)
            throw Unknown();
        if (current != wanted)
            throw new MatrixException(403, "M_WRONG_ROOM_KEYS_VERSION", "Wrong backup version.", ("current_version", Text(current)));
        return CountsOf(state);
    }

    public async Task<BackupCounts> Delete(Requester requester, string? version, string? roomId, string? sessionId, CancellationToken ct)
    {
        var wanted = Version(version ?? throw MatrixException.MissingParam("version"));
        return CountsOf(await store.DeleteKeys(requester.UserId.ToString(), wanted, roomId, sessionId, ct) ?? throw Unknown());
    }

    /// <param name="version">Null: the newest, which old clients mean.</param>
    public async Task<IReadOnlyList<BackedUpKey>> List(Requester requester, string? version, string? roomId, string? sessionId, CancellationToken ct)
    {
        var backup = await Get(requester, version, ct);
        return await store.ListKeys(requester.UserId.ToString(), backup.Version, roomId, sessionId, ct);
    }

    public static long Version(string version) =>
        long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Unknown();

    public static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Of several rooms: <c>{"rooms": {room: {"sessions": …}}}</c>.</summary>
    public static List<BackedUpKey> ReadRooms(JsonElement body) =>
        [.. Members(body, "rooms").SelectMany(room => ReadRoom(RoomId.TryParse(room.Name, out _) ? room.Name : throw MatrixException.InvalidParam("rooms must have ids of rooms."), room.Value))];

    /// <summary>Of one room: <c>{"sessions": {session: …}}</c>.</summary>
    public static List<BackedUpKey> ReadRoom(string roomId, JsonElement body) => [.. Members(body, "sessions").Select(session => ReadKey(roomId, session.Name, session.Value))];

    public static BackedUpKey ReadKey(string roomId, string sessionId, JsonElement json)
    {
        if (!SignedObject.IsText(sessionId) || json.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("A key must be an object with the id of a session.");
        var verified = Member(json, "is_verified");
        if (verified.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            throw MatrixException.BadJson("is_verified must be true or false.");
        var data = Member(json, "session_data");
        if (data.ValueKind != JsonValueKind.Object)
            throw MatrixException.BadJson("session_data must be an object.");
        return new BackedUpKey(
            roomId, sessionId, Number(json, "first_message_index"), Number(json, "forwarded_count"), verified.GetBoolean(), JsonMarshal.GetRawUtf8Value(data).ToArray());
    }

    static JsonElement.ObjectEnumerator Members(JsonElement json, string name)
    {
        if (json.ValueKind != JsonValueKind.Object || Member(json, name) is not { ValueKind: JsonValueKind.Object } members)
            throw MatrixException.BadJson($"{name} must be an object.");
        return members.EnumerateObject();
    }

    static long Number(JsonElement json, string name) =>
        Member(json, name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) && number >= 0
            ? number
            : throw MatrixException.BadJson($"{name} must be a number.");

    static JsonElement Member(JsonElement json, string name) => json.TryGetProperty(name, out var value) ? value : throw MatrixException.MissingParam(name);

    static BackupCounts CountsOf(KeyBackupState state) => new(Text(state.NewEtag), state.NewCount);

    static MatrixException Unknown() => MatrixException.NotFound("You have no such backup.");
}
