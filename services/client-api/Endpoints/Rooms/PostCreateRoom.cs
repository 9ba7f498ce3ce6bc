using System.Text.Json.Nodes;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms;
using Matrix.Rooms.Membership;

namespace Matrix.ClientApi.Endpoints.Rooms;

/// <summary>POST /_matrix/client/v3/createRoom</summary>
static class PostCreateRoom
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/createRoom", Handle);

    static async Task<RoomIdResponse> Handle(Body<Request> body, Requester requester, RoomCreator rooms, InviteBlocks blocks, RateLimits limits, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        requester.MustNotBeSuspended();
        if (body.Value.Invite3pid is { Count: > 0 })
            throw PostInvite.ThirdPartyRefused();
        foreach (var invited in body.Value.Invite ?? [])
            await limits.CheckInvite(requester, invited, ct);
        await blocks.Check([.. body.Value.Invite ?? []], ct);
        var created = await rooms.Create(ToCreation(body.Value, requester.UserId), ct);
        return new RoomIdResponse(created.RoomId);
    }

    static RoomCreation ToCreation(Request request, UserId creator) => new()
    {
        Creator = creator,
        Version = request.RoomVersion,
        Published = Visibility.IsPublic(request.Visibility ?? "private"),
        Preset = Preset(request.Preset),
        AliasLocalpart = request.RoomAliasName,
        Name = request.Name,
        Topic = request.Topic,
        Invite = request.Invite ?? [],
        IsDirect = request.IsDirect ?? false,
        CreationContent = request.CreationContent,
        InitialState = [.. (request.InitialState ?? []).Select(s => new InitialState(s.Type, s.Content, s.StateKey ?? ""))],
        PowerLevelOverride = request.PowerLevelContentOverride,
    };

    static RoomPreset? Preset(string? preset) => preset switch
    {
        null => null,
        "private_chat" => RoomPreset.PrivateChat,
        "trusted_private_chat" => RoomPreset.TrustedPrivateChat,
        "public_chat" => RoomPreset.PublicChat,
        _ => throw MatrixException.InvalidParam("preset must be private_chat, trusted_private_chat or public_chat."),
    };

    sealed record Request(string? Visibility, string? RoomAliasName, string? Name, string? Topic, IReadOnlyList<UserId>? Invite,
        [property: System.Text.Json.Serialization.JsonPropertyName("invite_3pid")] IReadOnlyList<JsonObject>? Invite3pid, string? RoomVersion,
        JsonObject? CreationContent, IReadOnlyList<StateRequest>? InitialState, string? Preset, bool? IsDirect, JsonObject? PowerLevelContentOverride);

    sealed record StateRequest(string Type, JsonObject Content, string? StateKey);
}
