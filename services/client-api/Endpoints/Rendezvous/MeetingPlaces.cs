using System.ComponentModel.DataAnnotations;
using Matrix.Http;
using Matrix.Storage;

namespace Matrix.ClientApi.Endpoints.Rendezvous;

/// <summary>The key <c>rendezvous</c> of homeserver.yaml: where a new device and an old one of the same user meet, for signing in by QR code.</summary>
public sealed class RendezvousOptions
{
    /// <summary>May a device open a rendezvous that is not signed in yet? The one that shows the QR code may be the new one.</summary>
    public bool Public { get; init; } = true;

    /// <summary>How long a rendezvous is kept.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>How many rendezvous there may be at once.</summary>
    [Range(1, 1_000_000)] public int Capacity { get; init; } = 10_000;
}

/// <summary>What both versions of the API have in common. Who knows the id may read and write.</summary>
sealed class MeetingPlaces(RendezvousStore store, RateLimits limits, RendezvousOptions options)
{
    /// <summary>Bytes of a payload.</summary>
    public const int MostBytes = 4096;

    public bool MayCreate(Requester? requester) => options.Public || requester is { IsGuest: false };

    /// <exception cref="MatrixException">403, 413, 429.</exception>
    public async Task<Storage.Rendezvous> Create(string payload, string contentType, Requester? requester, HttpContext context, CancellationToken ct)
    {
        if (!MayCreate(requester)) throw MatrixException.Forbidden("Only who is signed in may do this.");
        await limits.Check("rc_rendezvous", RateLimits.AddressKey(context.Connection.RemoteIpAddress), ct);
        MustFit(payload);
        return await store.Insert(payload, contentType, options.Lifetime, options.Capacity, ct) ?? throw MatrixException.LimitExceeded(TimeSpan.FromSeconds(30));
    }

    /// <exception cref="MatrixException">403: a browser wants to show it as a page; 404.</exception>
    public async Task<Storage.Rendezvous> Get(string id, HttpContext context, CancellationToken ct)
    {
        if (context.Request.Headers["Sec-Fetch-Mode"] == "navigate") throw MatrixException.Forbidden("This is no page.");
        return await store.Find(id, ct) ?? throw Gone();
    }

    public static MatrixException Gone() => MatrixException.NotFound("There is no such rendezvous.");

    /// <exception cref="MatrixException">413.</exception>
    public static void MustFit(string payload)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(payload) > MostBytes) throw MatrixException.TooLarge("The payload is too large.");
    }
}
