using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace Matrix.Testing;

/// <summary>
/// As much of S3 as a content store needs, with one bucket in memory. It checks the signature and the body's hash of every request (AWS Signature
/// Version 4), answers pages of two keys, and takes parts as small as S3 takes them.
/// </summary>
public sealed class S3Server : IAsyncDisposable
{
    public const string AccessKey = "AKIDTEST", Secret = "the secret of the bucket", Region = "eu-test-1", Bucket = "media";
    const int SmallestPart = 5 * 1024 * 1024;

    readonly WebApplication _app;
    readonly ConcurrentDictionary<string, SortedDictionary<int, byte[]>> _uploads = new();

    int _reads;

    S3Server(WebApplication app) => _app = app;

    public ConcurrentDictionary<string, byte[]> Objects { get; } = new();

    public int Uploads => _uploads.Count;

    /// <summary>How many objects were asked for.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public string Url => _app.Urls.Single();

    public static async Task<S3Server> Start()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0").ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = null);
        builder.Logging.ClearProviders();
        var server = new S3Server(builder.Build());
        server._app.Run(server.Handle);
        await server._app.StartAsync();
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    async Task Handle(HttpContext context)
    {
        using var memory = new MemoryStream();
        await context.Request.Body.CopyToAsync(memory);
        var body = memory.ToArray();
        if (!S3Signature.IsGood(context.Request, body))
        {
            await Fail(context, 403, "SignatureDoesNotMatch");
            return;
        }
        var path = Uri.UnescapeDataString(context.Request.Path.Value!).Split('/', 3);
        if (path[1] != Bucket)
            await Fail(context, 404, "NoSuchBucket");
        else if (path.Length < 3 || path[2].Length == 0)
            await List(context);
        else
            await Object(context, path[2], body);
    }

    Task Object(HttpContext context, string key, byte[] body)
    {
        var query = context.Request.Query;
        return (context.Request.Method, Upload: query.ContainsKey("uploadId")) switch
        {
            ("POST", false) => Begin(context, key),
            ("PUT", true) => Part(context, body),
            ("POST", true) => Complete(context, key),
            ("DELETE", true) => Abort(context),
            ("PUT", false) => Put(context, key, body),
            ("DELETE", false) => Delete(context, key),
            _ => Get(context, key),
        };
    }

    Task Put(HttpContext context, string key, byte[] body)
    {
        if (context.Request.Headers["x-amz-copy-source"].ToString() is { Length: > 0 } source)
        {
            var from = Uri.UnescapeDataString(source).TrimStart('/').Split('/', 2)[1];
            if (!Objects.TryGetValue(from, out var bytes))
                return Fail(context, 404, "NoSuchKey");
            Objects[key] = bytes;
            return Xml(context, new XElement("CopyObjectResult", new XElement("ETag", Tag(bytes)), new XElement("LastModified", "2026-01-01T00:00:00.000Z")));
        }
        Objects[key] = body;
        context.Response.Headers.ETag = Tag(body);
        return Task.CompletedTask;
    }

    async Task Get(HttpContext context, string key)
    {
        if (!Objects.TryGetValue(key, out var bytes))
        {
            await Fail(context, 404, "NoSuchKey");
            return;
        }
        var (response, query) = (context.Response, context.Request.Query);
        response.Headers.ETag = Tag(bytes);
        response.Headers.LastModified = "Thu, 01 Jan 2026 00:00:00 GMT";
        response.ContentType = query["response-content-type"].FirstOrDefault() ?? "application/octet-stream";
        if (query["response-content-disposition"].FirstOrDefault() is { } disposition)
            response.Headers.ContentDisposition = disposition;
        var sent = bytes.AsMemory();
        if (context.Request.Headers.Range.ToString() is { Length: > 0 } range)
        {
            var ends = range["bytes=".Length..].Split('-');
            var from = int.Parse(ends[0], CultureInfo.InvariantCulture);
            var to = (int)Math.Min(long.Parse(ends[1], CultureInfo.InvariantCulture), bytes.Length - 1);
            sent = sent[from..(to + 1)];
            response.StatusCode = 206;
            response.Headers.ContentRange = $"bytes {from}-{to}/{bytes.Length}";
        }
        response.ContentLength = sent.Length;
        if (context.Request.Method == "GET")
        {
            Interlocked.Increment(ref _reads);
            await response.Body.WriteAsync(sent);
        }
    }

    Task Delete(HttpContext context, string key)
    {
        Objects.TryRemove(key, out _);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    Task List(HttpContext context)
    {
        var (prefix, after) = (context.Request.Query["prefix"].ToString(), context.Request.Query["continuation-token"].ToString());
        var keys = Objects.Keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal) && string.CompareOrdinal(key, after) > 0).Order(StringComparer.Ordinal).ToList();
        var page = keys.Take(2).ToList();
        return Xml(context, new XElement("ListBucketResult",
            new XElement("IsTruncated", keys.Count > 2 ? "true" : "false"),
            keys.Count > 2 ? new XElement("NextContinuationToken", page[^1]) : null,
            page.Select(key => new XElement("Contents", new XElement("Key", key), new XElement("Size", Objects[key].Length)))));
    }

    Task Begin(HttpContext context, string key)
    {
        var id = Guid.NewGuid().ToString("N");
        _uploads[id] = [];
        return Xml(context, new XElement("InitiateMultipartUploadResult",
            new XElement("Bucket", Bucket), new XElement("Key", key), new XElement("UploadId", id)));
    }

    Task Part(HttpContext context, byte[] body)
    {
        _uploads[context.Request.Query["uploadId"].ToString()][int.Parse(context.Request.Query["partNumber"].ToString(), CultureInfo.InvariantCulture)] = body;
        context.Response.Headers.ETag = Tag(body);
        return Task.CompletedTask;
    }

    Task Complete(HttpContext context, string key)
    {
        _uploads.TryRemove(context.Request.Query["uploadId"].ToString(), out var parts);
        if (parts!.Values.SkipLast(1).Any(part => part.Length < SmallestPart))
            return Fail(context, 400, "EntityTooSmall");
        Objects[key] = [.. parts.Values.SelectMany(part => part)];
        return Xml(context, new XElement("CompleteMultipartUploadResult", new XElement("Key", key), new XElement("ETag", Tag(Objects[key]))));
    }

    Task Abort(HttpContext context)
    {
        _uploads.TryRemove(context.Request.Query["uploadId"].ToString(), out _);
        context.Response.StatusCode = 204;
        return Task.CompletedTask;
    }

    static Task Fail(HttpContext context, int status, string code)
    {
        context.Response.StatusCode = status;
        return context.Request.Method == "HEAD" ? Task.CompletedTask : Xml(context, new XElement("Error", new XElement("Code", code), new XElement("Message", code)));
    }

    static Task Xml(HttpContext context, XElement xml)
    {
        context.Response.ContentType = "application/xml";
        return context.Response.WriteAsync(xml.ToString(SaveOptions.DisableFormatting));
    }

#pragma warning disable CA5351 // the protocol's tag is MD5
    static string Tag(byte[] bytes) => $"\"{Convert.ToHexStringLower(MD5.HashData(bytes))}\"";
#pragma warning restore CA5351
}

/// <summary>The server's side of AWS Signature Version 4: in the Authorization header, or in the query of an address that was given out.</summary>
static class S3Signature
{
    public static bool IsGood(HttpRequest request, byte[] body)
    {
        var inQuery = request.Query["X-Amz-Signature"].ToString();
        return inQuery.Length > 0 ? QueryIsGood(request, inQuery) : HeaderIsGood(request, body);
    }

    static bool HeaderIsGood(HttpRequest request, byte[] body)
    {
        var parts = request.Headers.Authorization.ToString().Split(' ', 2);
        if (parts is not ["AWS4-HMAC-SHA256", var rest])
            return false;
        var fields = rest.Split(',').Select(field => field.Trim().Split('=', 2)).ToDictionary(field => field[0], field => field[1]);
        var hash = request.Headers["x-amz-content-sha256"].ToString();
        return hash == Convert.ToHexStringLower(SHA256.HashData(body))
            && Sign(request, fields["Credential"], fields["SignedHeaders"], request.Headers["x-amz-date"].ToString(), hash, _ => true) == fields["Signature"];
    }

    static bool QueryIsGood(HttpRequest request, string signature)
    {
        var (query, date) = (request.Query, request.Query["X-Amz-Date"].ToString());
        var signedAt = DateTimeOffset.ParseExact(date, "yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
        var lifetime = TimeSpan.FromSeconds(int.Parse(query["X-Amz-Expires"].ToString(), CultureInfo.InvariantCulture));
        return TimeProvider.System.GetUtcNow() < signedAt + lifetime && signature == Sign(
            request, query["X-Amz-Credential"].ToString(), query["X-Amz-SignedHeaders"].ToString(), date, "UNSIGNED-PAYLOAD", name => name != "X-Amz-Signature");
    }

    static string? Sign(HttpRequest request, string credential, string signedHeaders, string date, string payload, Func<string, bool> isSigned)
    {
        var scope = credential.Split('/', 2);
        if (scope[0] != S3Server.AccessKey || scope[1] != $"{date[..8]}/{S3Server.Region}/s3/aws4_request")
            return null;
        var raw = new Uri(request.GetEncodedUrl());
        var query = string.Join('&', request.Query.Where(pair => isSigned(pair.Key)).SelectMany(pair => pair.Value.Select(value => $"{Esc(pair.Key)}={Esc(value ?? "")}"))
            .Order(StringComparer.Ordinal));
        var headers = string.Concat(signedHeaders.Split(';').Select(name => $"{name}:{Header(request, name)}\n"));
        var canonical = $"{request.Method}\n{raw.AbsolutePath}\n{query}\n{headers}\n{signedHeaders}\n{payload}";
        var text = $"AWS4-HMAC-SHA256\n{date}\n{scope[1]}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = scope[1].Split('/').Aggregate(Encoding.UTF8.GetBytes("AWS4" + S3Server.Secret), Hmac);
        return Convert.ToHexStringLower(Hmac(key, text));
    }

    static string Header(HttpRequest request, string name) => request.Headers[name].ToString().Trim();

    static byte[] Hmac(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    static string Esc(string text) => Uri.EscapeDataString(text);
}
