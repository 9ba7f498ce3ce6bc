using System.Text.Json;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Ephemeral;
using Matrix.Storage.Federation;

namespace Matrix.FederationReader.Edus;

/// <summary>Who types: m.typing. It runs out by itself if the other server never says that it is over.</summary>
sealed class TypingReceiver(ReceivedEduStore store, EduAcls acls, EphemeralChannel channel)
{
    static readonly TimeSpan Duration = TimeSpan.FromMinutes(1);

    public async Task Receive(ServerName origin, IReadOnlyList<JsonElement> contents, CancellationToken ct)
    {
        var told = contents.Select(content => (Room: content.Text("room_id"), User: content.Text("user_id"), IsTyping: Typing(content)))
            .Where(edu => RoomId.TryParse(edu.Room, out _) && origin.IsUserOf(edu.User) && edu.IsTyping is not null).ToArray();
        if (told.Length == 0)
            return;
        var members = (await store.ListMembers([.. told.Select(edu => edu.Room!)], [.. told.Select(edu => edu.User!)], ct))
            .ToDictionary(member => (member.RoomId, member.UserId), member => member.RoomNid);
        var allowed = await acls.Allows([.. members.Keys.Select(member => RoomId.Parse(member.RoomId)).Distinct()], origin, ct);
        foreach (var (room, user, isTyping) in told)
        {
            if (members.TryGetValue((room!, user!), out var nid) && allowed.Contains(RoomId.Parse(room!)))
                channel.Tell(JsonSerializer.SerializeToUtf8Bytes(TypingNews.Of(nid, user!, isTyping == true ? Duration : TimeSpan.Zero)));
        }
    }

    static bool? Typing(JsonElement content) =>
        content.TryGetProperty("typing", out var typing) && typing.ValueKind is JsonValueKind.True or JsonValueKind.False ? typing.GetBoolean() : null;
}
