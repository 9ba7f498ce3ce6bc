namespace Matrix.ClientApi.Endpoints.History;

static class HistoryEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
