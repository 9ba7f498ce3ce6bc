using System.Security.Cryptography;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Creation;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.Rooms;

/// <param name="Position">Of the room's last event.</param>
public readonly record struct CreatedRoom(RoomId RoomId, LogPosition Position);

/// <summary>Makes rooms: all events as one chain, written in one commit.</summary>
public sealed class RoomCreator(RoomWriter writer, MemberProfileStore profiles, IOptions<RoomOptions> options, TimeProvider time)
{
    const int MaxInitialState = 500;
    const int MaxInvites = 500;
    const int MaxAttempts = 20;

    /// <summary>The room versions that new rooms may have.</summary>
    public static IReadOnlyList<RoomVersionRules> Versions { get; } = [.. RoomVersions.All.Where(rules => !rules.HasAssignedEventIds)];

    /// <exception cref="RoomException">The version is not known, the alias is taken, or the room's own rules forbid what was asked for.</exception>
    public async Task<CreatedRoom> Create(RoomCreation creation, CancellationToken ct)
    {
        var version = creation.Version ?? options.Value.DefaultRoomVersion;
        var rules = Versions.FirstOrDefault(v => v.Id == version) ?? throw RoomException.UnsupportedVersion(version);
        if (creation.InitialState.Count > MaxInitialState || creation.Invite.Count > MaxInvites)
            throw RoomException.Invalid($"A room may begin with at most {MaxInitialState} events of initial_state and {MaxInvites} invites.");
        var server = creation.Creator.Server;
        if (creation.Invite.Any(user => user.Server != server))
            throw RoomMembership.InvitingAbroad();
        RoomAlias? alias = creation.AliasLocalpart is { } localpart ? RoomAlias.Create(localpart, server) : null;
        var shown = await profiles.List([creation.Creator, .. creation.Invite], ct);

        var newRoom = new NewRoom(creation.Creator, alias is { } a ? [a] : [], creation.Published);
        for (var attempt = 1; ; attempt++)
        {
            var chain = await writer.Begin(rules.RoomIdIsCreateHash ? null : NewRoomId(server), rules, ct);
            foreach (var draft in new CreationDrafts(creation, rules, alias, shown).All())
                await Add(chain, draft, ct);
            try
            {
                return new CreatedRoom(chain.Room.RoomId, await writer.Create(chain, newRoom, ct));
            }
            // The id is the hash of the create event, so two rooms that a user makes alike within a millisecond would be one.
            catch (PostgresException e) when (e.ConstraintName == "rooms_room_id_key" && attempt < MaxAttempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1 + RandomNumberGenerator.GetInt32(10)), time, ct);
            }
        }
    }

    static async ValueTask Add(EventChain chain, EventDraft draft, CancellationToken ct)
    {
        try
        {
            await chain.Add(draft, ct);
        }
        catch (RoomException e) when (e.Errcode == "M_FORBIDDEN")
        {
            throw RoomException.InvalidState($"The room would not allow its own {draft.Type}: {e.Message}");
        }
    }

    static RoomId NewRoomId(ServerName server) =>
        RoomId.Create(RandomNumberGenerator.GetString("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 18), server);
}
