namespace Matrix.ClientApi.Endpoints.Accounts;

static class AccountsEndpoints
{
    public static void Map(IEndpointRouteBuilder app)
    {
    }
}
