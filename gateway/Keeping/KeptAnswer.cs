using System.Net;
using Matrix.Gateway.Routing;
using Matrix.Hosting;
using Yarp.ReverseProxy.Transforms;

namespace Matrix.Gateway.Keeping;

/// <summary>
/// What a request has to do with the bodies that are kept. The service is asked each time, and says by a status without a body (304) that it would answer the same as
/// before; who may have what is decided there and nowhere else. All headers are those of its answer of now.
/// </summary>
sealed class KeptAnswer(KeptBodies bodies, string target) : IDisposable
{
    const int LongestTarget = 1024;

    readonly KeptBody? _known = bodies.Find(target);
    KeptBody? _received;

    /// <summary>What is to be sent, once the service has said so.</summary>
    public KeptBody? Body { get; private set; }

    public static KeptAnswer? Of(HttpContext context) => context.Items.TryGetValue(typeof(KeptAnswer), out var found) ? (KeptAnswer?)found : null;

    /// <summary>Null for a request whose answer depends on more than its target and on who asks.</summary>
    public static KeptAnswer? Begin(HttpContext context, KeptBodies bodies)
    {
        var (request, headers) = (context.Request, context.Request.Headers);
        if (!bodies.IsOn || !HttpMethods.IsGet(request.Method)) return null;
        if (context.GetReverseProxyFeature().Route.Config.Metadata?[nameof(GatewayRoute.KeepsBodies)] != bool.TrueString) return null;
        if (headers.Range.Count > 0 || headers.IfRange.Count > 0 || headers.IfNoneMatch.Count > 0 || headers.IfMatch.Count > 0
            || headers.IfModifiedSince.Count > 0 || headers.IfUnmodifiedSince.Count > 0) return null;
        // a token in the address makes it somebody's own
        if (RequestTarget.PathAndQuery(context) is not { Length: <= LongestTarget } target || target.Contains("access_token", StringComparison.Ordinal)) return null;
        var answer = new KeptAnswer(bodies, target);
        context.Items[typeof(KeptAnswer)] = answer;
        return answer;
    }

    /// <summary>Asks whether the kept body would still be sent, together with others. False: not, or nobody could say; ask alone.</summary>
    public async ValueTask<bool> Holds(HttpContext context, KeptQuestions questions)
    {
        if (_known is null || await questions.Ask(context, target, _known.Tag) is not { } headers) return false;
        var response = context.Response;
        for (var i = 1; i < headers.Length; i += 2) response.Headers[headers[i - 1]] = headers[i];
        response.ContentLength = _known.Length;
        Body = _known;
        return true;
    }

    public void Ask(HttpRequestMessage request)
    {
        if (_known is not null) request.Headers.TryAddWithoutValidation("If-None-Match", _known.Tag);
    }

    public async ValueTask Take(ResponseTransformContext context, HttpResponseMessage answer)
    {
        if (answer.StatusCode == HttpStatusCode.NotModified && _known is not null) Body = _known;
        else if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone) bodies.Drop(target);
        else if (answer.StatusCode == HttpStatusCode.OK) Body = _received ??= await Keep(answer, context.CancellationToken);
        if (Body is null) return;
        context.SuppressResponseBody = true;
        context.HttpContext.Response.StatusCode = StatusCodes.Status200OK;
        context.HttpContext.Response.ContentLength = Body.Length;
    }

    public void Dispose()
    {
        if (_known is not null) bodies.Return(_known);
        if (_received is not null) bodies.Return(_received);
    }

    async ValueTask<KeptBody?> Keep(HttpResponseMessage answer, CancellationToken ct)
    {
        if (_known is not null) bodies.Drop(target);
        if (answer.Headers.ETag is not { IsWeak: false } tag || answer.Content.Headers.ContentLength is not { } length) return null;
        if (answer.Headers.Vary.Count > 0 || answer.Content.Headers.ContentEncoding.Count > 0) return null;
        return await bodies.Keep(target, tag.Tag, length, answer.Content.ReadAsStreamAsync, ct);
    }
}
