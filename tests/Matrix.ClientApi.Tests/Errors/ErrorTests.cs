namespace Matrix.ClientApi.Tests.Errors;

/// <summary>Refusals that no endpoint is behind (Client-Server API, Standard error response).</summary>
public sealed class ErrorTests(MatrixServer server)
{
    [Fact]
    public async Task An_unknown_route_is_refused_with_404() =>
        (await server.Anonymous.Get("/_matrix/client/v3/there_is_no_such_thing")).Refused(404, "M_UNRECOGNIZED");
}
