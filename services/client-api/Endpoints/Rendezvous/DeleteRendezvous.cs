using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>DELETE /_matrix/client/unstable/io.element.msc4388/rendezvous/{rendezvousId}</summary>
static class DeleteRendezvous
{
    public static void Map(IEndpointRouteBuilder app) => app.MapDelete("/_matrix/client/unstable/io.element.msc4388/rendezvous/{rendezvousId}", Handle);

    static async Task<Empty> Handle(string rendezvousId, RendezvousStore store, CancellationToken ct) =>
        await store.Delete(rendezvousId, ct) ? default(Empty) : throw MeetingPlaces.Gone();
}
