using Matrix.Http;
using Matrix.Protocol;
using Matrix.Rooms.Spaces;
using Microsoft.AspNetCore.Mvc;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>GET /_matrix/federation/v1/hierarchy/{roomId}</summary>
static class GetHierarchy
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/hierarchy/{roomId}", Handle);

    static async Task<ServedSpace> Handle(
        RoomId roomId, [FromQuery(Name = "suggested_only")] bool? suggestedOnly, Origin origin, SpaceServing spaces, CancellationToken ct) =>
        await spaces.Find(roomId, suggestedOnly ?? false, origin.Server, ct) ?? throw MatrixException.NotFound("Room not found.");
}
