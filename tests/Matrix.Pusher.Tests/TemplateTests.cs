using Matrix.Pusher.Mail;

namespace Matrix.Pusher.Tests;

/// <summary>The templates of mails.</summary>
public sealed class TemplateTests
{
    [Theory]
    [InlineData("Hello {{name}}", "Hello <Bob>")]
    [InlineData("{{#items}}{{name}}={{of}};{{/items}}", "a=1;b=2;")]
    [InlineData("{{#items}}{{name}}{{#flag}}!{{/flag}} {{/items}}", "a! b ")]
    [InlineData("{{^none}}nothing{{/none}}{{#none}}something{{/none}}{{missing}}", "nothing")]
    [InlineData("{{#items}}\n{{name}}\n{{/items}}\n{{other}}", "a\nb\nouter")]
    [InlineData("{{#items}}{{other}} {{/items}}", "outer outer ")]
    [InlineData("no tags {{", "no tags {{")]
    public void A_template_is_filled_in(string template, string expected) => Assert.Equal(expected, new Template(template, isHtml: false).Render(Model));

    [Fact]
    public void Values_are_escaped_in_HTML() => Assert.Equal("<i>&lt;Bob&gt;</i>", new Template("<i>{{name}}</i>", isHtml: true).Render(Model));

    [Theory]
    [InlineData("{{#a}}")]
    [InlineData("{{/a}}")]
    [InlineData("{{#a}}{{/b}}")]
    public void A_template_that_does_not_fit_together_is_found_when_it_is_read(string template) =>
        Assert.Throws<FormatException>(() => new Template(template, isHtml: false));

    [Fact]
    public void An_operator_can_replace_one_template_and_keep_the_others()
    {
        var folder = Directory.CreateTempSubdirectory("matrix-templates-");
        File.WriteAllText(Path.Combine(folder.FullName, "confirmation.txt"), "Our own: {{confirm_link}}");
        var (html, text) = new MailTemplates(new MailOptions { TemplateDir = folder.FullName })
            .Render("confirmation", new Dictionary<string, object?> { ["confirm_link"] = "https://example.org/?a=1&b=2" });
        folder.Delete(recursive: true);

        Assert.Equal("Our own: https://example.org/?a=1&b=2", text);
        Assert.Contains("href=\"https://example.org/?a=1&amp;b=2\"", html, StringComparison.Ordinal);
    }

    static readonly Dictionary<string, object?> Model = new()
    {
        ["name"] = "<Bob>", ["other"] = "outer", ["none"] = null,
        ["items"] = new List<Dictionary<string, object?>> { new() { ["name"] = "a", ["of"] = "1", ["flag"] = true }, new() { ["name"] = "b", ["of"] = "2", ["flag"] = false } },
    };
}
