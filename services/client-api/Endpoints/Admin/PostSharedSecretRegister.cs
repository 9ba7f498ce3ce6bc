using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Admin;

/// <summary>POST /_synapse/admin/v1/register</summary>
static class PostSharedSecretRegister
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_synapse/admin/v1/register", Handle);

    static async Task<Registered> Handle(
        Body<Request> body, HttpContext context, AccountOptions options, RegistrationStore store, Registration registration,
        Usernames usernames, Passwords passwords, CancellationToken ct)
    {
        if (options.SharedSecret is not { } secret)
            throw MatrixException.Unknown("Shared secret registration is not enabled.", 400);
        var request = body.Value;
        if (request.Username.Contains('\0') || request.Password.Contains('\0')) throw MatrixException.BadJson("NUL is not allowed.");

        // taken before the proof is looked at: a nonce is good for one attempt
        if (!await store.TakeNonce(request.Nonce, ct)) throw MatrixException.Unknown("Unknown nonce.", 400);
        var mac = SharedSecretMac.Compute(secret, request.Nonce, request.Username, request.Password, request.Admin, request.UserType);
        if (!SharedSecretMac.Matches(mac, request.Mac)) throw MatrixException.Unknown("The HMAC is wrong.", 403);

        var userId = usernames.Parse(request.Username);
        Passwords.MustBeUsable(request.Password);
        await usernames.MustBeFree(userId, ct);
        var account = new NewAccount(userId, await passwords.Hash(request.Password, ct), request.Admin, UserType: request.UserType);
        var device = new NewDevice(null, null, false, context.Connection.RemoteIpAddress?.ToString());
        return await registration.RegisterFor(account, request.Displayname, request.InhibitLogin ? null : device, ct);
    }

    sealed record Request(
        string Nonce, string Username, string Password, string Mac, string? Displayname, string? UserType, bool Admin = false,
        bool InhibitLogin = false);
}
