using System.Net;
using System.Text;

namespace Matrix.ClientApi.Tests.Accounts;

/// <summary>Where two devices meet that sign in by QR code.</summary>
public sealed class RendezvousTests(MatrixServer server)
{
    const string New = "/_matrix/client/unstable/io.element.msc4388/rendezvous", Old = "/_matrix/client/unstable/org.matrix.msc4108/rendezvous";

    [Fact]
    public async Task Two_devices_take_turns_at_a_place_whose_id_they_share()
    {
        var device = server.Anonymous;
        Assert.True((await device.Get(New)).Ok()["create_available"].GetBoolean());
        var made = (await device.Post(New, new { data = "hello from A" })).Ok();
        Assert.InRange(made["expires_in_ms"].GetInt64(), 200_000, 300_000);
        var path = $"{New}/{made.String("id")}";
        var seen = (await device.Get(path)).Ok();
        Assert.Equal(("hello from A", made.String("sequence_token")), (seen.String("data"), seen.String("sequence_token")));

        var answer = new { sequence_token = made.String("sequence_token"), data = "hello from B" };
        var second = (await device.Put(path, answer)).Ok().String("sequence_token");
        Assert.Equal(second, (await device.Put(path, answer)).Ok().String("sequence_token")); // the answer was lost
        (await device.Put(path, answer with { data = "too late" })).Refused(409, "IO_ELEMENT_MSC4388_CONCURRENT_WRITE");
        Assert.Equal("hello from B", (await device.Get(path)).Ok().String("data"));
        (await device.Request(HttpMethod.Get, path, null, headers => headers.Add("Sec-Fetch-Mode", "navigate"))).Refused(403, "M_FORBIDDEN");

        (await device.Put(path, new { sequence_token = second, data = new string('x', 4097) })).Refused(413, "M_TOO_LARGE");
        (await device.Delete(path)).Ok();
        (await device.Get(path)).Refused(404, "M_NOT_FOUND");
        (await device.Delete(path)).Refused(404, "M_NOT_FOUND");
    }

    [Fact]
    public async Task The_same_by_etag()
    {
        var device = server.Anonymous;
        var made = await device.Request(HttpMethod.Post, Old, Text("A"));
        Assert.Equal(HttpStatusCode.Created, made.Status);
        var url = new Uri(made.String("url")).AbsolutePath;
        var etag = made.Headers.ETag!.ToString();
        Assert.Equal(["4096"], made.Headers.GetValues("X-Max-Bytes"));

        Assert.Equal("A", (await device.Get(url)).Ok().Text);
        Assert.Equal(HttpStatusCode.NotModified, (await device.Request(HttpMethod.Get, url, null, headers => headers.Add("If-None-Match", etag))).Status);
        var put = await device.Request(HttpMethod.Put, url, Text("B"), headers => headers.Add("If-Match", etag));
        Assert.Equal(HttpStatusCode.Accepted, put.Status);
        Assert.NotEqual(etag, put.Headers.ETag!.ToString());
        Assert.Equal(412, (int)(await device.Request(HttpMethod.Put, url, Text("C"), headers => headers.Add("If-Match", etag))).Status);
        Assert.Equal("B", (await device.Get(url)).Ok().Text);
        (await device.Request(HttpMethod.Post, Old, Text(new string('x', 5000)))).Refused(413, "M_TOO_LARGE");
        Assert.Equal(HttpStatusCode.NoContent, (await device.Delete(url)).Status);
        (await device.Get(url)).Refused(404, "M_NOT_FOUND");
    }

    static StringContent Text(string text) => new(text, Encoding.UTF8, "text/plain");
}
