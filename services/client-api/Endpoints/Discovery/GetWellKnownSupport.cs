using Matrix.ClientApi.Accounts;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Discovery;

/// <summary>GET /.well-known/matrix/support</summary>
static class GetWellKnownSupport
{
    public static void Map(IEndpointRouteBuilder app) => app.MapGet("/.well-known/matrix/support", Handle);

    static Response Handle(AccountOptions options)
    {
        var (email, page) = (options.AdminContact, options.SupportPage);
        if (email is null && page is null) throw MatrixException.NotFound("No contact is configured.");
        return new Response(email is null ? null : [new Contact(email, "m.role.admin")], page);
    }

    sealed record Response(Contact[]? Contacts, string? SupportPage);

    sealed record Contact(string EmailAddress, string Role);
}
