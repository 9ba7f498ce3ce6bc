using System.Text.Json;
using System.Text.Json.Nodes;
using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms;
using Matrix.Storage;
using Matrix.Storage.Rooms;
using Npgsql;

namespace Matrix.ClientApi.Notices;

/// <summary>
/// What the server says to a user (Client-Server API, Server Notices): in a room of the two, which the user is invited to, cannot turn down, and may leave.
/// A user who left is invited again with the next notice.
/// </summary>
sealed class ServerNotices(
    NpgsqlDataSource db, ServerNoticeStore store, AccountStore accounts, ProfileStore profiles, RoomCreator creator, RoomMembership memberships,
    RoomFinder rooms, MembershipStore known, RoomWriter writer, LogWriter log, Usernames usernames, ServerNoticeOptions options)
{
    const string Tag = "m.server_notice";

    /// <summary>Sends one; the caller may repeat it with the same transaction id.</summary>
    /// <exception cref="MatrixException">400: not configured; 404: there is no such user here.</exception>
    public async Task<EventId> Send(UserId to, string type, string? stateKey, JsonElement content, TransactionId? transaction, CancellationToken ct)
    {
        if (options.SystemMxidLocalpart is not { } localpart) throw MatrixException.Unknown("Server notices are not enabled on this server.", 400);
        if (await accounts.Find(to, ct) is not { DeactivatedAt: null }) throw MatrixException.NotFound("There is no such user.");
        var speaker = await Speaker(usernames.Parse(localpart), ct);
        var room = await RoomFor(speaker, to, ct);
        var draft = new EventDraft(speaker, type, stateKey, JsonSerializer.SerializeToUtf8Bytes(content));
        return (await writer.Send(room, draft, transaction, ct)).EventId;
    }

    /// <exception cref="MatrixException">403: an invite to this room cannot be turned down.</exception>
    public async Task MustBeFreeToLeave(Requester requester, RoomId roomId, CancellationToken ct)
    {
        if (options.SystemMxidLocalpart is null || await store.Find(requester.UserId, ct) != roomId) return;
        if (await Membership(requester.UserId, roomId, ct) == "invite")
            throw new MatrixException(403, "M_CANNOT_LEAVE_SERVER_NOTICE_ROOM", "You cannot reject this invite.");
    }

    async Task<UserId> Speaker(UserId user, CancellationToken ct)
    {
        if (await accounts.Find(user, ct) is not null) return user;
        await using (var tx = await db.BeginTransaction(ct))
        {
            await accounts.Insert(tx, new NewAccount(user, null, UserType: "server_notices"), options.SystemMxidDisplayName, ct);
            await tx.CommitAsync(ct);
        }
        if (options.SystemMxidAvatarUrl is { } avatar) await profiles.SetAvatarUrl(user, avatar, ct);
        return user;
    }

    async Task<RoomId> RoomFor(UserId speaker, UserId to, CancellationToken ct)
    {
        var existing = await store.Find(to, ct);
        if (existing is { } room && await Membership(speaker, room, ct) == "join")
        {
            if (await Membership(to, room, ct) is not ("join" or "invite"))
                await memberships.Invite(room, new MembershipRequest(speaker), to, isDirect: false, ct);
            return room;
        }
        var created = await creator.Create(new RoomCreation
        {
            Creator = speaker,
            Preset = RoomPreset.PrivateChat,
            Name = options.RoomName,
            Invite = [to],
            PowerLevelOverride = new JsonObject { ["users_default"] = -10 },
        }, ct);
        var chosen = await store.Insert(to, created.RoomId, existing, ct);
        await log.Append(new TagChanged(to, chosen, Tag, "{}"), ct);
        return chosen;
    }

    async Task<string?> Membership(UserId user, RoomId roomId, CancellationToken ct)
    {
        if (await rooms.Find(roomId, ct) is not { } room) return null;
        return (await known.ListOfUser(user, ["join", "invite"], ct)).FirstOrDefault(row => row.RoomNid == room.RoomNid)?.Membership;
    }
}
