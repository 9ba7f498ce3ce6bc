namespace Matrix.Pusher.Mail;

/// <summary>The templates of mails: built in, or an operator's own. All are read at the start, so that a mistake in one is found then.</summary>
sealed class MailTemplates
{
    static readonly string[] Names = ["notification.html", "notification.txt", "confirmation.html", "confirmation.txt"];

    readonly Dictionary<string, Template> templates;

    public MailTemplates(MailOptions options) => templates = Names.ToDictionary(
        name => name, name => new Template(Read(name, options.TemplateDir), name.EndsWith(".html", StringComparison.Ordinal)));

    /// <param name="name">Such as <c>notification</c>.</param>
    public (string Html, string Text) Render(string name, IReadOnlyDictionary<string, object?> model) =>
        (templates[$"{name}.html"].Render(model), templates[$"{name}.txt"].Render(model));

    static string Read(string name, string? folder)
    {
        if (folder is not null && Path.Combine(folder, name) is var own && File.Exists(own))
            return File.ReadAllText(own);
        using var built = new StreamReader(typeof(MailTemplates).Assembly.GetManifestResourceStream($"Mail.{name}")!);
        return built.ReadToEnd();
    }
}
