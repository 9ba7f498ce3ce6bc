using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Matrix.Hosting;

/// <summary>Any web page may use the API (Client-Server API, Web Browser Clients): the headers on every answer, and an answer to every OPTIONS.</summary>
public static class Cors
{
    public static Task Handle(HttpContext context, RequestDelegate next)
    {
        Apply(context.Response.Headers);
        return HttpMethods.IsOptions(context.Request.Method) ? AnswerPreflight(context) : next(context);
    }

    public static void Apply(IHeaderDictionary headers)
    {
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        headers.AccessControlAllowHeaders = "X-Requested-With, Content-Type, Authorization, Date, If-Match, If-None-Match";
        headers.AccessControlExposeHeaders = "ETag, Location, Retry-After, X-Max-Bytes, X-Request-Id";
        headers[HeaderNames.XContentTypeOptions] = "nosniff";
    }

    public static Task AnswerPreflight(HttpContext context)
    {
        Apply(context.Response.Headers);
        context.Response.Headers[HeaderNames.AccessControlMaxAge] = "86400";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
