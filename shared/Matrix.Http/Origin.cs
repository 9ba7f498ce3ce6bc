using System.Reflection;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Hosting;
using Matrix.Protocol;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;

namespace Matrix.Http;

/// <summary>
/// The server that a Server-Server request comes from. As a handler's parameter it demands a signature of the request by one of that server's keys
/// (Server-Server API, Request Authentication): else 401 M_UNAUTHORIZED, or 403 for a server that we do not speak with. Put it before the body's
/// parameter: then nothing is parsed that is not signed.
/// </summary>
public sealed class Origin
{
    const int MostHeaders = 4;
    const long UnknownLength = 1 << 20;
    static readonly TimeSpan BodyTime = TimeSpan.FromSeconds(60);

    public required ServerName Server { get; init; }

    /// <exception cref="MatrixException">403: the identifier belongs to another server.</exception>
    public void MustBe(ServerName server)
    {
        if (server != Server) throw MatrixException.Forbidden($"Only {server} may do this.");
    }

    public static async ValueTask<Origin?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var services = context.RequestServices;
        var signatures = Signatures(context.Request.Headers.Authorization, services.GetRequiredService<ServerSigningKey>().ServerName);
        var origin = signatures[0].Origin;
        if (!services.GetRequiredService<FederationClient>().Allows(origin))
            throw MatrixException.Forbidden($"This server does not federate with {origin}.");
        var limits = services.GetRequiredService<OriginLimits>();
        var keys = await FindKeys(context, signatures, limits);
        var body = ReadOnlyMemory<byte>.Empty;
        if (context.Features.Get<IHttpRequestBodyDetectionFeature>()?.CanHaveBody != false)
        {
            var address = RateLimits.AddressKey(context.Connection.RemoteIpAddress);
            context.Response.RegisterForDispose(limits.TakeBytes(address, context.Request.ContentLength ?? UnknownLength));
            body = await ReadBody(context);
        }
        Verify(context, signatures, keys, body);
        context.Response.RegisterForDispose(await limits.Enter(origin, context.RequestAborted));
        await services.GetRequiredService<DestinationBackoff>().Heard(origin, context.RequestAborted);
        return new Origin { Server = origin };
    }

    static List<XMatrix> Signatures(StringValues headers, ServerName own)
    {
        var signatures = new List<XMatrix>(1);
        foreach (var header in headers.Take(MostHeaders))
        {
            if (!XMatrix.TryParse(header ?? "", out var signature)) throw Unauthorized("The Authorization header is not a signature of a server.");
            if (signature.Destination is { } destination && destination != own) throw Unauthorized($"The request was meant for {destination}.");
            signatures.Add(signature);
        }
        if (signatures.Count == 0) throw Unauthorized("The request is not signed.");
        if (signatures.Any(signature => signature.Origin != signatures[0].Origin)) throw Unauthorized("The signatures are of several servers.");
        return signatures;
    }

    /// <summary>Before the body: nobody holds its bytes here while keys that he made up are looked for.</summary>
    static async Task<IReadOnlyDictionary<(ServerName, KeyId), VerifyKey>> FindKeys(HttpContext context, List<XMatrix> signatures, OriginLimits limits)
    {
        var now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds();
        var wanted = signatures.ConvertAll(signature => new KeyRequest(signature.Origin, signature.Key, now));
        var ring = context.RequestServices.GetRequiredService<KeyRing>();
        if (await ring.Has(wanted, context.RequestAborted))
            return await ring.Find(wanted, context.RequestAborted);
        using (limits.EnterStranger())
            return await ring.Find(wanted, context.RequestAborted, still: true);
    }

    static async Task<ReadOnlyMemory<byte>> ReadBody(HttpContext context)
    {
        using var late = new CancellationTokenSource(BodyTime, context.RequestServices.GetRequiredService<TimeProvider>());
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, context.RequestAborted);
        try
        {
            return await RequestBytes.ReadText(context.Request, either.Token);
        }
        catch (OperationCanceledException) when (late.IsCancellationRequested)
        {
            context.Response.Headers.Connection = "close"; // the rest of it may come at any time
            throw new MatrixException(408, "M_UNKNOWN", "The body did not come in time.");
        }
    }

    static void Verify(HttpContext context, List<XMatrix> signatures, IReadOnlyDictionary<(ServerName, KeyId), VerifyKey> keys, ReadOnlyMemory<byte> body)
    {
        var uri = RequestTarget.PathAndQuery(context) ?? throw Unauthorized("The request has no path.");
        try
        {
            // several signatures are by several keys of the server, of which we need not know all
            var known = signatures.Where(signature => keys.ContainsKey((signature.Origin, signature.Key))).ToList();
            if (known.Count == 0) throw Unauthorized($"The keys of {signatures[0].Origin} are not to be had.");
            foreach (var signature in known)
            {
                if (!signature.Verify(keys[(signature.Origin, signature.Key)], context.Request.Method, uri, body.IsEmpty ? default(ReadOnlyMemory<byte>?) : body))
                    throw Unauthorized($"The signature of {signature.Origin} is wrong.");
            }
        }
        catch (Exception e) when (e is JsonException or InvalidJsonException)
        {
            throw MatrixException.NotJson();
        }
    }

    static MatrixException Unauthorized(string message) => new(401, "M_UNAUTHORIZED", message);
}
