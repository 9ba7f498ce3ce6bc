using System.Reflection;
using System.Text.Json;
using Matrix.Federation;
using Matrix.Hosting;
using Matrix.Protocol;
using Microsoft.AspNetCore.Http;
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
        context.Response.RegisterForDispose(limits.TakeBytes(context.Request.ContentLength ?? UnknownLength));
        var body = await RequestBytes.ReadText(context.Request, context.RequestAborted);
        await Verify(context, signatures, body);
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

    static async Task Verify(HttpContext context, List<XMatrix> signatures, ReadOnlyMemory<byte> body)
    {
        var now = context.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow().ToUnixTimeMilliseconds();
        var wanted = signatures.Select(signature => new KeyRequest(signature.Origin, signature.Key, now));
        var keys = await context.RequestServices.GetRequiredService<KeyRing>().Find(wanted, context.RequestAborted);
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
