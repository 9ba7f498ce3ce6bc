using System.Collections.Immutable;
using Matrix.Storage.Sync;

namespace Matrix.ClientApi.Sync.Sliding;

/// <summary>What the extensions need to know of an answer.</summary>
/// <param name="Before">What the client had before.</param>
sealed record ExtensionContext(
    SlidingRequest Request, SlidingResult Result, ConnectionState Before, Selection Selection, ImmutableDictionary<long, UserMembership> Memberships, SlidingWindow Window)
{
    /// <summary>Rooms that come whole with this answer, and the user is in.</summary>
    public IReadOnlyList<UserMembership> Fresh(ExtensionScope scope) => [.. Result.Rooms
        .Where(room => room.Plan is { Initial: true, View: RoomView.Joined }).Select(room => Joined(room.Plan.Entry.RoomNid)).OfType<UserMembership>()
        .Where(room => Covers(scope, room))];

    /// <summary>
    /// A room that the client had before and the extension is about. Once sent, a room is followed wherever it moves in the lists, so that nothing is
    /// missed while it is out of sight; a client that names lists or rooms gets what is in these.
    /// </summary>
    public UserMembership? Followed(ExtensionScope scope, long room) =>
        Before.Rooms.ContainsKey(room) && Joined(room) is { } joined && Covers(scope, joined) ? joined : null;

    public UserMembership? Joined(long room) => Memberships.TryGetValue(room, out var membership) && membership.Membership == "join" ? membership : null;

    bool Covers(ExtensionScope scope, UserMembership room) => scope.IsEverything
        || (Request.Shape.Subscriptions.ContainsKey(room.RoomId) && scope.Rooms?.Contains(room.RoomId) != false)
        || (scope.Rooms?.Contains(room.RoomId) ?? false)
        || (scope.Lists is null
            ? Before.Rooms.ContainsKey(room.RoomNid) || Selection.Listed.Values.Any(list => list.Contains(room.RoomNid))
            : scope.Lists.Any(list => Selection.Listed.TryGetValue(list, out var listed) && listed.Contains(room.RoomNid)));
}

/// <summary>Adds to an answer what the request's extensions ask for.</summary>
sealed class SlidingExtensions(
    ToDeviceExtension toDevice, E2eeExtension e2ee, AccountDataExtension accountData, ReceiptsExtension receipts, TypingExtension typing,
    ThreadSubscriptionsExtension threads)
{
    public async Task Fill(
        SlidingRequest request, SlidingResult result, ConnectionState before, Selection selection, ImmutableDictionary<long, UserMembership> memberships,
        SlidingWindow window, CancellationToken ct)
    {
        var wanted = request.Shape.Extensions;
        var context = new ExtensionContext(request, result, before, selection, memberships, window);
        if (wanted.ToDevice is { } limit)
            await toDevice.Fill(context, limit, ct);
        if (wanted.E2ee)
            await e2ee.Fill(context, ct);
        if (wanted.AccountData.Enabled)
            await accountData.Fill(context, wanted.AccountData, ct);
        if (wanted.Receipts.Enabled)
            await receipts.Fill(context, wanted.Receipts, ct);
        if (wanted.Typing.Enabled)
            typing.Fill(context, wanted.Typing);
        if (wanted.Threads is { } most)
            await threads.Fill(context, most, ct);
    }
}
