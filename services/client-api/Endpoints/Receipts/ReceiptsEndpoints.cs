namespace Matrix.ClientApi.Endpoints.Receipts;

static class ReceiptsEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
        PostReceipt.Map(app);
        PostReadMarkers.Map(app);
    }
}
