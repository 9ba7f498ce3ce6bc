using System.Security.Cryptography;
using Matrix.Federation;
using Matrix.Protocol;
using Matrix.Replication;
using Matrix.Rooms.Creation;
using Matrix.Rooms.Writing;
using Matrix.Storage.Rooms;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Matrix.Rooms;

/// <param name="Position">Of the room's last event.</param>
public readonly record struct CreatedRoom(RoomId RoomId, LogPosition Position);

/// <summary>Makes rooms: all events as one chain, written in one commit.</summary>
public sealed partial class RoomCreator(
    RoomWriter writer, RoomMembership memberships, MemberProfileStore profiles, IOptions<RoomOptions> options, TimeProvider time, ILogger<RoomCreator> logger)
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
        var abroad = creation.Invite.Where(user => user.Server != server).Distinct().ToList();
        creation = creation with { Invite = [.. creation.Invite.Where(user => user.Server == server)] };
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
                var created = new CreatedRoom(chain.Room.RoomId, await writer.Create(chain, newRoom, ct));
                await InviteAbroad(created.RoomId, creation, abroad, ct);
                return created;
            }
            // The id is the hash of the create event, so two rooms that a user makes alike within a millisecond would be one.
            catch (PostgresException e) when (e.ConstraintName == "rooms_room_id_key" && attempt < MaxAttempts)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(1 + RandomNumberGenerator.GetInt32(10)), time, ct);
            }
        }
    }

    /// <summary>The servers of these users have to sign the invites. One that does not is no reason to take back the room.</summary>
    async Task InviteAbroad(RoomId roomId, RoomCreation creation, List<UserId> users, CancellationToken ct)
    {
        var limits = new ParallelOptions { MaxDegreeOfParallelism = 10, CancellationToken = ct };
        await Parallel.ForEachAsync(users, limits, async (user, token) =>
        {
            try
            {
                await memberships.Invite(roomId, new MembershipRequest(creation.Creator), user, creation.IsDirect, token);
            }
            catch (Exception e) when (e is RoomException or FederationException)
            {
                NotInvited(user, roomId, e.Message);
            }
        });
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

    [LoggerMessage(Level = LogLevel.Information, Message = "{UserId} could not be invited to {RoomId}: {Reason}")]
    partial void NotInvited(UserId userId, RoomId roomId, string reason);
}
