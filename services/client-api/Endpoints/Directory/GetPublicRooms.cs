using Matrix.Rooms.Directories;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>GET /_matrix/client/v3/publicRooms</summary>
static class GetPublicRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/v3/publicRooms", Handle);

    static Task<PublicRoomsPage> Handle(int? limit, string? since, string? server, PublicRooms rooms, CancellationToken ct) =>
        rooms.Read(null, null, limit, since, server, ct);
}
