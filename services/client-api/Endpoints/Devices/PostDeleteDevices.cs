using Matrix.ClientApi.Accounts;
using Matrix.Http;
using Matrix.Protocol;

namespace Matrix.ClientApi.Endpoints.Devices;

/// <summary>POST /_matrix/client/v3/delete_devices</summary>
static class PostDeleteDevices
{
    public static void Map(IEndpointRouteBuilder app) => app.MapPost("/_matrix/client/v3/delete_devices", Handle);

    static Task<IResult> Handle(Body<Request> body, Requester requester, DeviceRemoval removal, CancellationToken ct) =>
        removal.Remove(requester, body.Value.Devices, body.Value.Auth, ct);

    sealed record Request(DeviceId[] Devices, AuthData? Auth);
}
