using System.Text.Json;
using Matrix.ClientApi.Accounts;
using Matrix.ClientApi.Keys;
using Matrix.Http;

namespace Matrix.ClientApi.Endpoints.Keys;

/// <summary>POST /_matrix/client/v3/keys/device_signing/upload</summary>
static class PostCrossSigningKeys
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/keys/device_signing/upload", Handle);

    static Task<IResult> Handle(Body<Request> body, Requester requester, CrossSigning keys, CancellationToken ct) =>
        keys.Upload(requester, body.Value.Auth, body.Value.MasterKey, body.Value.SelfSigningKey, body.Value.UserSigningKey, ct);

    sealed record Request(AuthData? Auth, JsonElement? MasterKey, JsonElement? SelfSigningKey, JsonElement? UserSigningKey);
}
