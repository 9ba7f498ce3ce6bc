namespace Matrix.MediaRepo.Tests.Thumbnails;

/// <summary>GET …/media/thumbnail (Client-Server API, Thumbnails).</summary>
public sealed class ThumbnailTests(MediaServers servers)
{
    [Theory]
    [InlineData(32, 32, "crop", 32, 32)]
    [InlineData(33, 20, "crop", 96, 96)]
    [InlineData(300, 200, "scale", 320, 213)]
    [InlineData(320, 240, "scale", 320, 213)]
    [InlineData(321, 100, "scale", 640, 427)]
    [InlineData(100, 500, "crop", 800, 533)]
    [InlineData(4000, 4000, "scale", 800, 533)]
    public async Task The_smallest_size_that_is_large_enough_is_served(int width, int height, string method, int expectedWidth, int expectedHeight)
    {
        var alice = await servers.First.NewUser();
        var photo = await alice.Upload(s_photo, "image/jpeg");
        var reply = (await alice.Thumbnail(photo, width, height, $"&method={method}")).Ok();
        Assert.Equal("image/jpeg", reply.ContentHeaders.ContentType?.ToString());
        Assert.Equal("inline", reply.ContentHeaders.ContentDisposition?.DispositionType);
        var made = Pictures.Look(reply.Bytes);
        Assert.Equal((expectedWidth, expectedHeight), (made.Width, made.Height));
    }

    [Fact]
    public async Task A_small_picture_is_not_made_larger()
    {
        var alice = await servers.First.NewUser();
        var made = Pictures.Look((await alice.Thumbnail(await alice.Upload(Pictures.Png(50, 40), "image/png"), 640, 480)).Ok().Bytes);
        Assert.Equal((50, 40), (made.Width, made.Height));
    }

    [Fact]
    public async Task A_photograph_is_turned_upright_and_loses_what_the_camera_wrote()
    {
        var alice = await servers.First.NewUser();
        var photo = Pictures.TurnedJpeg(600, 300);
        Assert.True(Pictures.Look(photo).HasExif);
        var made = Pictures.Look((await alice.Thumbnail(await alice.Upload(photo, "image/jpeg"), 320, 240)).Ok().Bytes);
        Assert.Equal((120, 240), (made.Width, made.Height));
        Assert.False(made.HasExif);
    }

    [Fact]
    public async Task What_is_transparent_stays_so()
    {
        var alice = await servers.First.NewUser();
        var reply = (await alice.Thumbnail(await alice.Upload(Pictures.TransparentPng(500, 500), "image/png"), 96, 96, "&method=crop")).Ok();
        Assert.Equal("image/png", reply.ContentHeaders.ContentType?.ToString());
    }

    [Fact]
    public async Task An_animation_moves_only_for_who_asks_for_it()
    {
        var alice = await servers.First.NewUser();
        var animation = Pictures.AnimatedGif(200, 100, 4);
        Assert.Equal(4, Pictures.Look(animation).Pages);
        var gif = await alice.Upload(animation, "image/gif");
        var moving = (await alice.Thumbnail(gif, 96, 96, "&method=crop&animated=true")).Ok();
        Assert.Equal("image/webp", moving.ContentHeaders.ContentType?.ToString());
        Assert.Equal((96, 96, 4), Pictures.Look(moving.Bytes) is var m ? (m.Width, m.Height, m.Pages) : default);
        var scaled = Pictures.Look((await alice.Thumbnail(gif, 320, 240, "&animated=true")).Ok().Bytes);
        Assert.Equal((200, 100, 4), (scaled.Width, scaled.Height, scaled.Pages));
        foreach (var still in new[] { "", "&animated=false" })
            Assert.Equal(1, Pictures.Look((await alice.Thumbnail(gif, 96, 96, "&method=crop" + still)).Ok().Bytes).Pages);
    }

    [Fact]
    public async Task A_picture_that_is_called_something_else_has_thumbnails_all_the_same()
    {
        var alice = await servers.First.NewUser();
        (await alice.Thumbnail(await alice.Upload(Pictures.Webp(300, 300)), 96, 96)).Ok();
    }

    [Fact]
    public async Task A_thumbnail_that_the_client_has_is_not_sent_again()
    {
        var alice = await servers.First.NewUser();
        var photo = await alice.Upload(s_photo, "image/jpeg");
        var tag = (await alice.Thumbnail(photo, 96, 96)).Ok().Headers.ETag!;
        var path = $"/_matrix/client/v1/media/thumbnail/{photo.Authority}{photo.AbsolutePath}?width=96&height=96";
        var again = await alice.Request(HttpMethod.Get, path, null, headers => headers.IfNoneMatch.Add(tag));
        Assert.Equal(System.Net.HttpStatusCode.NotModified, again.Status);
        Assert.Empty(again.Bytes);
    }

    [Theory]
    [InlineData("width=0&height=10", "M_INVALID_PARAM")]
    [InlineData("width=10&height=-1", "M_INVALID_PARAM")]
    [InlineData("width=10", "M_MISSING_PARAM")]
    [InlineData("width=10&height=10&method=stretch", "M_INVALID_PARAM")]
    [InlineData("width=10&height=10&animated=perhaps", "M_INVALID_PARAM")]
    [InlineData("width=99999999999&height=10", "M_INVALID_PARAM")]
    public async Task A_size_that_makes_no_sense_is_refused(string query, string errcode)
    {
        var alice = await servers.First.NewUser();
        (await alice.Get($"/_matrix/client/v1/media/thumbnail/{servers.First.ServerName}/abc?{query}")).Refused(400, errcode);
    }

    [Fact]
    public async Task Many_who_ask_at_once_on_two_replicas_get_the_same_thumbnail()
    {
        var alice = await servers.First.NewUser();
        var photo = await alice.Upload(Pictures.Jpeg(2000, 1501), "image/jpeg");
        var elsewhere = servers.Second.As(alice);
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => (i % 2 == 0 ? alice : elsewhere).Thumbnail(photo, 640, 480)));
        Assert.Single(replies.Select(reply => reply.Ok().Headers.ETag!.Tag).Distinct());
        Assert.All(replies, reply => Assert.Equal(replies[0].Bytes, reply.Bytes));
    }

    static readonly byte[] s_photo = Pictures.Jpeg(1200, 800);
}
