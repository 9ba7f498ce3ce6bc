using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>GET /_matrix/client/unstable/io.element.msc4388/rendezvous: may the requester open one?</summary>
static class GetRendezvousSupport
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/io.element.msc4388/rendezvous", Handle);

    static Response Handle(OptionalRequester requester, MeetingPlaces places) => new(places.MayCreate(requester.Value));

    sealed record Response(bool CreateAvailable);
}
