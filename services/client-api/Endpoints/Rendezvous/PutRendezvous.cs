using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>PUT /_matrix/client/unstable/io.element.msc4388/rendezvous/{rendezvousId}</summary>
static class PutRendezvous
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPut("/_matrix/client/unstable/io.element.msc4388/rendezvous/{rendezvousId}", Handle);

    static async Task<Response> Handle(string rendezvousId, Body<Request> body, RendezvousStore store, CancellationToken ct)
    {
        var (data, sequence) = body.Value;
        MeetingPlaces.MustFit(data);
        if (await store.Replace(rendezvousId, sequence, data, "text/plain", ct) is { } replaced) return new Response(replaced.Sequence);
        var current = await store.Find(rendezvousId, ct) ?? throw MeetingPlaces.Gone();
        // whoever did not get the answer to this very request repeats it
        return current.Payload == data
            ? new Response(current.Sequence)
            : throw new MatrixException(409, "IO_ELEMENT_MSC4388_CONCURRENT_WRITE", "The other device was first.");
    }

    sealed record Request(string Data, string SequenceToken);

    sealed record Response(string SequenceToken);
}
