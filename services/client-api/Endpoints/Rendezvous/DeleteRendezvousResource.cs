using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>DELETE /_matrix/client/unstable/org.matrix.msc4108/rendezvous/{rendezvousId}</summary>
static class DeleteRendezvousResource
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/unstable/org.matrix.msc4108/rendezvous/{rendezvousId}", Handle);

    static async Task<IResult> Handle(string rendezvousId, RendezvousStore store, CancellationToken ct) =>
        await store.Delete(rendezvousId, ct) ? Results.NoContent() : throw MeetingPlaces.Gone();
}
