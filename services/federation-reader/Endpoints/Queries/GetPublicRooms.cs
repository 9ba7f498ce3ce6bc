using Matrix.Http;
using Matrix.Rooms.Directories;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>GET /_matrix/federation/v1/publicRooms</summary>
static class GetPublicRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/federation/v1/publicRooms", Handle);

    static Task<PublicRoomsPage> Handle(int? limit, string? since, Origin origin, DirectoryOptions options, PublicRooms rooms, CancellationToken ct)
    {
        options.Demand();
        return rooms.Read(null, null, limit, since, ct);
    }
}
