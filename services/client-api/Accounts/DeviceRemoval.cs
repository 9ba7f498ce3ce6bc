using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>Removes devices for a user who proves with the password that it is not just somebody at an open screen.</summary>
sealed class DeviceRemoval(UiaSessionStore proofs, SessionEnding sessions, UserInteractive uia)
{
    public async Task<IResult> Remove(Requester requester, IReadOnlyList<DeviceId> deviceIds, AuthData? auth, CancellationToken ct)
    {
        requester.MustNotBeGuest();
        // the proof is for these devices and no others
        var operation = $"delete_devices {requester.UserId} {string.Join(' ', deviceIds.Order())}";
        var outcome = await uia.Authorize(operation, auth, [new UiaFlow(UiaStages.Password)], requester.UserId, ct);
        if (outcome.Challenge is not null) return outcome.Refusal;

        if (!await proofs.Delete(outcome.Session.SessionId, ct)) throw MatrixException.Forbidden("This authentication session was used.");
        await sessions.Append(new SessionsChange(requester.UserId, batch => DeviceStore.AddDelete(batch, requester.UserId, deviceIds), ofDevices: true), ct);
        return Empty.Result;
    }
}
