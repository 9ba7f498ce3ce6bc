namespace Matrix.ClientApi.Endpoints.AccountData;

static class AccountDataEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
