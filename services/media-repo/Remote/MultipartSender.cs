using System.Text;
using Matrix.MediaRepo.Serving;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Remote;

/// <summary>Sends content to another server: two parts, of which the first says nothing yet (Server-Server API, Content repository).</summary>
public sealed class MultipartSender(ContentSender contents, ContentStores stores)
{
    public async Task Send(HttpContext context, ServedContent content, CancellationToken ct)
    {
        var boundary = $"part-{Guid.NewGuid():N}";
        var elsewhere = stores.Primary.SignedUrl(content.Hash, content.ContentType, content.Disposition);
        if (elsewhere != null && !await stores.Primary.Has(content.Hash, ct))
            elsewhere = null;
        var head = new StringBuilder($"--{boundary}\r\nContent-Type: application/json\r\n\r\n{{}}\r\n--{boundary}\r\n")
            .Append($"Content-Type: {content.ContentType}\r\nContent-Disposition: {content.Disposition}\r\n")
            .Append(elsewhere == null ? "" : $"Location: {elsewhere.AbsoluteUri}\r\n").Append("\r\n").ToString();
        var (first, last) = (Encoding.UTF8.GetBytes(head), Encoding.ASCII.GetBytes($"\r\n--{boundary}--\r\n"));
        var length = elsewhere == null ? content.Size : 0;
        await using var bytes = elsewhere == null ? await contents.Open(content.Hash, 0, null, ct) : Stream.Null;
        context.Response.ContentType = $"multipart/mixed; boundary={boundary}";
        context.Response.ContentLength = first.Length + length + last.Length;
        var writer = context.Response.BodyWriter;
        await writer.WriteAsync(first, ct);
        await ContentSender.Copy(bytes, context, length, ct);
        await writer.WriteAsync(last, ct);
        MediaMetrics.WasSent(length);
    }
}
