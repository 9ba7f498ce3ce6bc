using Matrix.Http;
using Matrix.Rooms.Directories;

namespace Matrix.FederationReader.Endpoints.Queries;

/// <summary>POST /_matrix/federation/v1/publicRooms</summary>
static class PostPublicRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/federation/v1/publicRooms", Handle);

    static Task<PublicRoomsPage> Handle(Origin origin, Body<Request>? body, DirectoryOptions options, PublicRooms rooms, CancellationToken ct)
    {
        options.Demand();
        var request = body?.Value ?? new Request(null, null, null);
        return rooms.Read(request.Filter?.GenericSearchTerm, request.Filter?.RoomTypes, request.Limit, request.Since, ct);
    }

    sealed record Request(Filter? Filter, int? Limit, string? Since);

    sealed record Filter(string? GenericSearchTerm, IReadOnlyList<string?>? RoomTypes);
}
