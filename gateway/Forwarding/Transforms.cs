using Matrix.Gateway.Keeping;
using Matrix.Hosting;
using Matrix.Hosting.Health;
using Matrix.Hosting.Overload;
using Matrix.Hosting.Telemetry;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Matrix.Gateway.Forwarding;

static class Transforms
{
    static readonly UriCreationOptions AsSent = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public static void Add(TransformBuilderContext transforms)
    {
        transforms.AddRequestTransform(KeepTarget);
        var traces = transforms.Services.GetRequiredService<CallersTraces>();
        if (!traces.AreAccepted)
        {
            transforms.AddRequestTransform(context =>
            {
                traces.Remove(context.ProxyRequest);
                return default;
            });
        }
        transforms.AddRequestTransform(AskWhetherTheSame);
        transforms.AddResponseTransform(NoteRefusal);
        transforms.AddResponseTransform(Keep);
    }

    /// <summary>
    /// The service gets the path as the client wrote it. Built from the decoded path, as YARP does, "%252F" would arrive as "%2F".
    /// </summary>
    static ValueTask KeepTarget(RequestTransformContext context)
    {
        if (RequestTarget.PathAndQuery(context.HttpContext) is { } target)
            context.ProxyRequest.RequestUri = new Uri(context.DestinationPrefix.TrimEnd('/') + target, AsSent);
        return default;
    }

    static ValueTask AskWhetherTheSame(RequestTransformContext context)
    {
        KeptAnswer.Of(context.HttpContext)?.Ask(context.ProxyRequest);
        return default;
    }

    static ValueTask Keep(ResponseTransformContext context) =>
        context.ProxyResponse is { } answer && KeptAnswer.Of(context.HttpContext) is { } kept ? kept.Take(context, answer) : default;

    static ValueTask NoteRefusal(ResponseTransformContext context)
    {
        var response = context.HttpContext.Response;
        response.Headers[RequestIds.Header] = context.HttpContext.TraceIdentifier;
        if (response.StatusCode == StatusCodes.Status429TooManyRequests && response.Headers.Remove(Refusal.Header)) Attempt.NoteTooMuch(context.HttpContext);
        if (response.StatusCode == StatusCodes.Status503ServiceUnavailable && response.Headers.ContainsKey(DrainingHeader.Name))
        {
            Attempt.NoteSentAway(context.HttpContext);
            context.SuppressResponseBody = true;
        }

        return default;
    }
}
