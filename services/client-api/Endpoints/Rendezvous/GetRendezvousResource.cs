namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>GET /_matrix/client/unstable/org.matrix.msc4108/rendezvous/{rendezvousId}</summary>
static class GetRendezvousResource
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/_matrix/client/unstable/org.matrix.msc4108/rendezvous/{rendezvousId}", Handle);

    static async Task<IResult> Handle(string rendezvousId, HttpContext context, MeetingPlaces places, CancellationToken ct)
    {
        var found = await places.Get(rendezvousId, context, ct);
        context.Response.Describe(found);
        return context.Request.Headers.IfNoneMatch.ToString() == RendezvousResource.Quote(found.Sequence)
            ? Results.StatusCode(StatusCodes.Status304NotModified)
            : Results.Text(found.Payload, "text/plain");
    }
}
