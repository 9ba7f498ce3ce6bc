using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Matrix.Http;

/// <summary>Any web page may use the API (Client-Server API, Web Browser Clients): the headers on every answer, and an answer to every OPTIONS.</summary>
sealed class Cors(RequestDelegate next)
{
    public Task Invoke(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlAllowMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        headers.AccessControlAllowHeaders = "X-Requested-With, Content-Type, Authorization, Date, If-Match, If-None-Match";
        headers.AccessControlExposeHeaders = "ETag, Location, Retry-After, X-Max-Bytes, X-Request-Id";
        headers[HeaderNames.XContentTypeOptions] = "nosniff";
        if (!HttpMethods.IsOptions(context.Request.Method)) return next(context);
        headers[HeaderNames.AccessControlMaxAge] = "86400";
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }
}
