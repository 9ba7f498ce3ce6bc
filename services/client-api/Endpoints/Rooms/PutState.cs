using System.Text.Json;
using Matrix.ClientApi.Delayed;
using Matrix.ClientApi.Endpoints.Delayed;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Membership;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>PUT /_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey}: without a state key, with or without the slash, it is the empty one.</summary>
static class PutState
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/v3/rooms/{roomId}/state/{eventType}/{stateKey?}", Handle);

    static async Task<IResult> Handle(RoomId roomId, string eventType, string? stateKey, Body<JsonElement> content, Requester requester,
        RoomWriter rooms, RoomAliases aliases, RoomMembership memberships, InviteBlocks blocks, RateLimits limits, DelayedEvents delayed, HttpContext context, CancellationToken ct)
    {
        if (DelayQuery.Of(context) is { } delay)
            return await delayed.Schedule(requester, roomId, EventDraft.State(requester.UserId, eventType, stateKey ?? "", content.Utf8), delay, ct);
        requester.MustNotBeSuspended();
        await limits.CheckMessage(requester, ct);
        if (eventType == EventTypes.CanonicalAlias)
            await aliases.CheckCanonical(roomId, content.Value, ct);
        if (eventType == EventTypes.Member && content.Value.TryGetProperty("membership", out var membership)
            && membership.ValueKind == JsonValueKind.String && membership.ValueEquals("invite"))
        {
            if (UserId.TryParse(stateKey, out var invited))
                await blocks.Check([invited], ct);
            if (await memberships.InviteAbroad(roomId, requester.UserId, stateKey, content.Utf8, ct) is { } abroad)
                return Results.Json(new EventIdResponse(abroad.EventId), MatrixJson.Options);
        }
        var draft = EventDraft.State(requester.UserId, eventType, stateKey ?? "", content.Utf8);
        var sent = await rooms.Send(roomId, draft, null, ct);
        if (eventType == EventTypes.GuestAccess
            && !(content.Value.TryGetProperty("guest_access", out var access) && access.ValueKind == JsonValueKind.String && access.ValueEquals("can_join")))
            await memberships.RemoveGuests(roomId, ct);
        return Results.Json(new EventIdResponse(sent.EventId), MatrixJson.Options);
    }
}
