using Matrix.Http;
using Matrix.Rooms.Directories;

namespace Matrix.ClientApi.Endpoints.Directory;

/// <summary>POST /_matrix/client/v3/publicRooms</summary>
static class PostPublicRooms
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/publicRooms", Handle);

    static Task<PublicRoomsPage> Handle(string? server, Body<Request>? body, Requester requester, PublicRooms rooms, CancellationToken ct)
    {
        var request = body?.Value ?? new Request(null, null, null);
        return rooms.Read(request.Filter?.GenericSearchTerm, request.Filter?.RoomTypes, request.Limit, request.Since, server, ct);
    }

    sealed record Request(Filter? Filter, int? Limit, string? Since);

    sealed record Filter(string? GenericSearchTerm, IReadOnlyList<string?>? RoomTypes);
}
