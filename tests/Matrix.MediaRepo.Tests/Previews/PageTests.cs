using System.Globalization;
using System.Text;
using Matrix.MediaRepo.Previews;

namespace Matrix.MediaRepo.Tests.Previews;

/// <summary>What is read out of pages.</summary>
public sealed class PageTests
{
    static readonly Uri s_address = new("https://page.example/folder/page");

    static PageTests() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);

    [Theory]
    [InlineData("windows-1251", "text", null)]
    [InlineData("shift_jis", "meta", "<meta charset=\"{0}\">")]
    [InlineData("windows-1251", "meta", "<meta http-equiv='Content-Type' content='text/html; charset={0}'>")]
    [InlineData("utf-8", "guess", null)]
    [InlineData("utf-8", "unknown", null)]
    public void Text_is_read_in_the_encoding_that_it_has(string charset, string told, string? meta)
    {
        var word = charset == "shift_jis" ? "日本語" : charset == "utf-8" ? "größe 日本" : "Привет";
        var html = (meta?.Replace("{0}", charset, StringComparison.Ordinal) ?? "") + $"<title>{word}</title>";
        var text = PageText.Decode(Encoding.GetEncoding(charset).GetBytes(html), told == "text" ? charset : told == "unknown" ? "no-such-charset" : null);
        Assert.Equal(word, PageMetadata.Read(text, s_address).Properties["og:title"]);
    }

    [Fact]
    public void Latin_text_that_says_nothing_of_itself_is_read() =>
        Assert.Contains("größe", PageText.Decode(Encoding.Latin1.GetBytes("<title>größe</title>"), null), StringComparison.Ordinal);

    [Theory]
    [InlineData("<meta property='og:title' content='A'><meta name='twitter:title' content='B'><title>C</title>", "A")]
    [InlineData("<meta name='twitter:title' content='B'><title>C</title>", "B")]
    [InlineData("<title>\n  C \n d </title><h1>E</h1>", "C d")]
    [InlineData("<h1>E</h1>", "E")]
    [InlineData("<meta property=og:title content='unclosed", null)]
    [InlineData("", null)]
    public void The_best_title_is_taken(string html, string? title) =>
        Assert.Equal(title, PageMetadata.Read(html, s_address).Properties.GetValueOrDefault("og:title"));

    [Theory]
    [InlineData("<meta property='og:image' content='/a.png'>", "https://page.example/a.png")]
    [InlineData("<meta name='twitter:image' content='b.png'>", "https://page.example/folder/b.png")]
    [InlineData("<link rel='icon' href='//icons.example/i.png'>", "https://icons.example/i.png")]
    [InlineData("<link rel='icon' href='small.png' sizes='16x16'><link rel='icon' href='large.png' sizes='64x64'>", "https://page.example/folder/large.png")]
    [InlineData("<body><img src='c.png' width=400 height=300>", "https://page.example/folder/c.png")]
    [InlineData("<meta property='og:image' content='javascript:alert(1)'>", null)]
    [InlineData("<meta property='og:image' content='data:image/png;base64,AAAA'>", null)]
    [InlineData("<meta property='og:image' content='http://['>", null)]
    public void The_best_picture_is_taken(string html, string? image) => Assert.Equal(image, PageMetadata.Read(html, s_address).Image?.AbsoluteUri);

    [Fact]
    public void Texts_are_cut() =>
        Assert.InRange(PageMetadata.Read($"<title>{new string('x', 100_000)}</title>", s_address).Properties["og:title"].Length, 400, 600);

    [Theory]
    [InlineData("<div><p>")]
    [InlineData("<div>")]
    [InlineData("<p><b><i>")]
    [InlineData("<table>")]
    [InlineData("<a href=x><svg>")]
    [InlineData("<meta property='og:x' content='y'>")]
    [InlineData("<!--<")]
    [InlineData("&amp;&#x110000;\0")]
    public void A_page_made_to_hurt_is_read_in_little_time(string piece)
    {
        var html = string.Concat(Enumerable.Repeat(piece, (2 << 20) / piece.Length));
        var before = ProcessorTime();
        PageMetadata.Read(html, s_address);
        Assert.InRange(ProcessorTime() - before, TimeSpan.Zero, TimeSpan.FromSeconds(10));
    }

    /// <summary>Of this thread: what else the machine does is no concern of the reader's.</summary>
    static TimeSpan ProcessorTime() =>
        TimeSpan.FromMicroseconds(long.Parse(File.ReadAllText("/proc/thread-self/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1000);
}
