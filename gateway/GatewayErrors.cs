using Matrix.Gateway.Forwarding;
using Matrix.Hosting;
using Yarp.ReverseProxy.Forwarder;

namespace Matrix.Gateway;

/// <summary>What the gateway answers itself: OPTIONS, paths that belong to no service, and requests that no replica has answered.</summary>
sealed class GatewayErrors(RequestDelegate next)
{
    public async Task Invoke(HttpContext context)
    {
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            await Cors.AnswerPreflight(context);
            return;
        }

        try
        {
            await next(context);
        }
        catch (BadHttpRequestException e) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = e.StatusCode;
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable; // given up while the gateway stops
            await Write(context);
            return;
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            return;
        }

        if (!context.Response.HasStarted && !context.RequestAborted.IsCancellationRequested && IsOurs(context)) await Write(context);
    }

    static bool IsOurs(HttpContext context) =>
        context.GetEndpoint() is null || context.GetForwarderErrorFeature() is not null || Attempt.WasSentAway(context)
        || context.Response is { StatusCode: StatusCodes.Status413PayloadTooLarge, ContentType: null };

    static Task Write(HttpContext context)
    {
        var (status, errcode, error) = Describe(context.Response.StatusCode, context.GetForwarderErrorFeature()?.Error);
        context.Response.Clear();
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.Headers[RequestIds.Header] = context.TraceIdentifier;
        if (status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "1";
        Cors.Apply(context.Response.Headers);
        return context.Response.WriteAsync($$"""{"errcode":"{{errcode}}","error":"{{error}}"}""", context.RequestAborted);
    }

    static (int Status, string Errcode, string Error) Describe(int status, ForwarderError? error) => status switch
    {
        StatusCodes.Status404NotFound => (404, "M_UNRECOGNIZED", "Unrecognized request."),
        StatusCodes.Status413PayloadTooLarge => (413, "M_TOO_LARGE", "The request is too large."),
        >= 400 and < 500 when error is not ForwarderError.RequestCanceled => (status, "M_UNKNOWN", "Bad request."),
        StatusCodes.Status503ServiceUnavailable => (503, "M_UNKNOWN", "The service is not available at the moment."),
        StatusCodes.Status504GatewayTimeout => (504, "M_UNKNOWN", "The service did not answer in time."),
        _ => error is ForwarderError.NoAvailableDestinations or ForwarderError.RequestCanceled
            ? (503, "M_UNKNOWN", "The service is not available at the moment.")
            : (503, "M_UNKNOWN", "The service could not be reached."),
    };
}
