using System.Net;
using System.Net.Sockets;
using Matrix.Federation;
using Matrix.MediaRepo.Fetching;
using Matrix.Testing;

namespace Matrix.MediaRepo.Tests.Previews;

/// <summary>What others name is fetched only from where it may be.</summary>
public sealed class SafeHttpTests : IAsyncLifetime
{
    static readonly AddressRanges s_ranges = new(AddressRanges.NotPublic, ["127.0.0.1"]);
    WebSite _site = null!;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _site = await WebSite.Start();

    public ValueTask DisposeAsync() => _site.DisposeAsync();

    [Theory]
    [InlineData("127.0.0.2")]
    [InlineData("0.0.0.0")]
    [InlineData("[::1]")]
    [InlineData("[::]")]
    [InlineData("[::ffff:127.0.0.2]")]
    [InlineData("[::ffff:7f00:2]")]
    [InlineData("2130706434")]
    [InlineData("0x7f.2")]
    [InlineData("10.0.0.1")]
    [InlineData("169.254.169.254")]
    [InlineData("[fd00::1]")]
    [InlineData("[64:ff9b::7f00:2]")]
    public async Task An_address_that_is_denied_is_not_connected_to_however_it_is_written(string host)
    {
        _site.Put("/", "<title>secret</title>");
        using var http = new SafeHttp(s_ranges, new Names());
        await Assert.ThrowsAsync<FetchException>(() => http.Get(new Uri($"http://{host}:{_site.Port}/"), null, null, Stop));
        _site.Redirect("/away", $"http://{host}:{_site.Port}/");
        await Assert.ThrowsAsync<FetchException>(() => http.Get(new Uri($"{_site.Url}/away"), null, null, Stop));
        Assert.Equal(["/away"], _site.Asked);
    }

    [Fact]
    public async Task A_name_that_means_another_address_a_moment_later_is_judged_by_the_one_that_is_connected_to()
    {
        _site.Put("/page", "<title>secret</title>");
        var looked = 0;
        var names = new Names { FindAddresses = (_, port, _) => Task.FromResult(new[] { new IPEndPoint(IPAddress.Parse(looked++ == 0 ? "127.0.0.1" : "127.0.0.2"), port) }) };
        using var http = new SafeHttp(s_ranges, names);
        _site.Redirect("/start", $"http://other.example:{_site.Port}/page");
        await Assert.ThrowsAsync<FetchException>(() => http.Get(new Uri($"http://rebound.example:{_site.Port}/start"), null, null, Stop));
        Assert.Equal((2, "/start"), (looked, Assert.Single(_site.Asked)));
    }

    [Fact]
    public async Task A_certificate_that_says_where_its_issuer_is_makes_us_fetch_nothing()
    {
        using var denied = new TcpListener(IPAddress.Parse("127.0.0.2"), 0);
        denied.Start();
        using var stranger = new CertificateAuthority();
        await using var site = await TlsServer.Start(stranger.Issue("127.0.0.1", $"http://{denied.LocalEndpoint}/ca.crt"), _ => Task.CompletedTask);
        using var http = new SafeHttp(s_ranges, new Names());
        var failure = await Record.ExceptionAsync(() => http.Get(new Uri($"https://{site.EndPoint}/"), null, null, Stop));
        Assert.False(denied.Pending());
        Assert.IsType<FetchException>(failure);
        Assert.Empty(site.Seen);
    }

    [Fact]
    public async Task A_server_that_accepts_and_says_nothing_is_no_answer()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var http = new SafeHttp(s_ranges, new Names(), TimeSpan.FromMilliseconds(50));
        await Assert.ThrowsAsync<FetchException>(() => http.Get(new Uri($"https://{silent.LocalEndpoint}/"), null, null, Stop));
    }

    [Fact]
    public async Task Of_several_addresses_of_a_name_an_allowed_one_is_taken()
    {
        var page = _site.Put("/page", "good");
        var names = new Names { FindAddresses = (_, port, _) => Task.FromResult(new[] { new IPEndPoint(IPAddress.Parse("127.0.0.2"), port), new IPEndPoint(IPAddress.Loopback, port) }) };
        using var http = new SafeHttp(s_ranges, names);
        await using var fetched = await http.Get(new Uri(page.Replace("127.0.0.1", "several.example", StringComparison.Ordinal)), null, null, Stop);
        Assert.Equal("good"u8.ToArray(), await fetched.ReadAll(100, Stop));
    }

    [Fact]
    public async Task Redirects_end_and_large_answers_are_cut()
    {
        using var http = new SafeHttp(s_ranges, new Names());
        var loop = _site.Redirect("/loop", "/loop");
        await Assert.ThrowsAsync<FetchException>(() => http.Get(new Uri(loop), null, null, Stop));
        Assert.Equal(6, _site.Asked.Count);
        await using var large = await http.Get(new Uri(_site.Put("/large", new byte[100_000], "text/plain")), null, null, Stop);
        await Assert.ThrowsAsync<FetchException>(() => large.ReadAll(99_999, Stop));
    }
}
