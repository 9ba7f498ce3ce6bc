using System.ComponentModel.DataAnnotations;
using Matrix.Hosting.Configuration;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Hosting.Tests;

public sealed class ConfigurationTests
{
    enum Mode
    {
        Fast,
        VerySlow,
    }

    sealed class Limits
    {
        public double PerSecond { get; init; } = 0.5;

        [Range(1, 100)] public int BurstCount { get; init; } = 10;
    }

    /// <summary>Read by the framework's own binder, as some options are.</summary>
    sealed class Bound
    {
        public bool Enabled { get; set; }
    }

    sealed class Sample : IValidatableObject
    {
        [Required] public string SigningKeyPath { get; init; } = "";

        [ByteSize] public long MaxUploadSize { get; init; } = 50 << 20;

        public TimeSpan? SessionLifetime { get; init; }

        public bool Enabled { get; init; }

        public Mode Mode { get; init; }

        public Limits RcMessage { get; init; } = new();

        public Limits RcJoins { get; init; } = new() { PerSecond = 2, BurstCount = 20 };

        public IReadOnlyList<string> Domains { get; init; } = ["default"];

        public Dictionary<string, IReadOnlyList<string>> Clusters { get; init; } = [];

        [Range(typeof(TimeSpan), "00:00:00.100", "00:05:00")] public TimeSpan Pause { get; init; } = TimeSpan.FromSeconds(1);

        [ByteSize, Range(1024, 1L << 30)] public long Room { get; init; } = 1 << 20;

        public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
        {
            if (Enabled && SessionLifetime is null) yield return new ValidationResult("needs session_lifetime", [nameof(Enabled)]);
            if (Pause > SessionLifetime) yield return new ValidationResult("must not be longer than session_lifetime", [nameof(Pause)]);
        }
    }

    static IServiceProvider Services(string yaml, params (string Key, string Value)[] overrides)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName() + ".yaml");
        File.WriteAllText(path, yaml);
        try
        {
            var builder = MatrixHost.CreateBuilder(["--config-path", path], "test");
            builder.Configuration.AddInMemoryCollection(overrides.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)));
            builder.Services.AddMatrixOptions<Sample>();
            builder.Services.AddOptions<Bound>().Bind(builder.Configuration.GetSection("bound")).ValidateOnStart();
            return builder.Build().Services;
        }
        finally
        {
            File.Delete(path);
        }
    }

    static string[] Mistakes(string yaml, params (string Key, string Value)[] overrides) =>
        [.. Assert.Throws<ConfigurationException>(() => MatrixOptions.CheckConfiguration(Services(yaml, overrides))).Mistakes.Select(m => m.ToString())];

    [Fact]
    public void Keys_units_lists_and_sections_are_read_as_in_synapse()
    {
        var sample = Services(
            """
            server_name: example.org
            signing_key_path: /etc/key
            max_upload_size: 20M   # a comment
            session_lifetime: 24h
            enabled: yes
            mode: very_slow
            rc_message: {per_second: 0.25, burst_count: 3}
            domains:
              - a.example
              - b.example
            clusters:
              client-api: ["http://a", "http://b"]
            """).GetRequiredService<Sample>();
        Assert.Equal("/etc/key", sample.SigningKeyPath);
        Assert.Equal(20 << 20, sample.MaxUploadSize);
        Assert.Equal(TimeSpan.FromDays(1), sample.SessionLifetime);
        Assert.True(sample.Enabled);
        Assert.Equal(Mode.VerySlow, sample.Mode);
        Assert.Equal((0.25, 3), (sample.RcMessage.PerSecond, sample.RcMessage.BurstCount));
        Assert.Equal(["a.example", "b.example"], sample.Domains);
        Assert.Equal(["http://a", "http://b"], sample.Clusters["client-api"]);
    }

    [Fact]
    public void A_key_left_out_or_null_keeps_its_default()
    {
        var sample = Services("server_name: example.org\nsigning_key_path: k\nsession_lifetime: null\nmax_upload_size:\n").GetRequiredService<Sample>();
        Assert.Null(sample.SessionLifetime);
        Assert.Equal(50 << 20, sample.MaxUploadSize);
        Assert.Equal(["default"], sample.Domains);
    }

    [Fact]
    public void What_is_left_out_of_a_section_keeps_the_default_of_that_section()
    {
        var sample = Services("server_name: example.org\nsigning_key_path: k\nrc_joins: {burst_count: 3}\n").GetRequiredService<Sample>();
        Assert.Equal((2, 3), (sample.RcJoins.PerSecond, sample.RcJoins.BurstCount));
        Assert.Equal((0.5, 10), (sample.RcMessage.PerSecond, sample.RcMessage.BurstCount));
    }

    [Fact]
    public void What_the_framework_s_binder_cannot_read_is_a_mistake_like_any_other() => Assert.Equal(
        ["max_upload_size: 'x' is not a size such as 500K, 50M, 1G", "bound.Enabled: 'sometimes' is not of the kind Boolean"],
        Mistakes("server_name: example.org\nsigning_key_path: k\nmax_upload_size: x\nbound: {enabled: sometimes}"));

    [Fact]
    public void A_comma_separated_override_replaces_the_whole_list()
    {
        var sample = Services(
            "server_name: x\nsigning_key_path: k\ndomains: [a, b, c]\nclusters: {client-api: [u, v]}",
            ("domains", "d"),
            ("clusters:client-api", "http://a, http://b")).GetRequiredService<Sample>();
        Assert.Equal(["d"], sample.Domains);
        Assert.Equal(["http://a", "http://b"], sample.Clusters["client-api"]);
    }

    [Fact]
    public void An_empty_list_is_not_the_default_list() =>
        Assert.Empty(Services("server_name: x\nsigning_key_path: k\ndomains: []").GetRequiredService<Sample>().Domains);

    [Fact]
    public void All_mistakes_are_reported_at_once_with_key_and_reason()
    {
        var mistakes = Mistakes(
            """
            server_name: "not a name"
            listen: nonsense
            log: {level: chatty}
            max_upload_size: huge
            session_lifetime: 5 parsecs
            enabled: perhaps
            mode: turbo
            rc_message: {per_second: often, burst_count: 101}
            """);
        Assert.Equal(
            [
                "enabled: 'perhaps' is not true or false",
                "listen: 'nonsense' is not an address such as http://127.0.0.1:8080",
                "log.level: 'chatty' is not one of verbose, debug, information, warning, error, fatal",
                "max_upload_size: 'huge' is not a size such as 500K, 50M, 1G",
                "mode: 'turbo' is not one of fast, veryslow",
                "rc_message.burst_count: must be between 1 and 100, not 101",
                "rc_message.per_second: 'often' is not a number",
                "server_name: 'not a name' is not a host name with an optional port",
                "session_lifetime: '5 parsecs' is not a duration such as 500ms, 30s, 5m, 1h, 7d",
                "signing_key_path: is missing",
            ],
            mistakes.Order(StringComparer.Ordinal).ToArray());
    }

    [Fact]
    public void A_rule_between_keys_is_checked_even_when_other_keys_are_wrong() =>
        Assert.Contains("enabled: needs session_lifetime", Mistakes("server_name: x\nenabled: true\nrc_message: {burst_count: 0}"));

    [Fact]
    public void A_rule_between_keys_is_told_where_each_is_within_its_limits() => Assert.Equal(
        ["pause: must not be longer than session_lifetime"], Mistakes("server_name: x\nsigning_key_path: k\npause: 2s\nsession_lifetime: 1s"));

    [Fact]
    public void Limits_are_told_as_they_would_be_written() => Assert.Equal(
        ["pause: must be between 100ms and 5m, not 1h", "room: must be between 1K and 1G, not 2T"],
        Mistakes("server_name: x\nsigning_key_path: k\npause: 60m\nroom: 2048G").Order());

    [Fact]
    public void What_the_framework_s_validation_finds_is_told_by_key()
    {
        var found = new OptionsValidationException("", typeof(Bound),
            ["default_room_version: is none", "Version: default_room_version must be one: 3 to 12.", "sender.most: The field Most must be between 1 and 50.", "Nothing is well."]);
        Assert.Equal(
            ["default_room_version: is none", "default_room_version: must be one: 3 to 12.", "sender.most: must be between 1 and 50.", "Bound: Nothing is well."],
            MatrixOptions.Mistakes(found).Select(mistake => mistake.ToString()));
    }

    [Fact]
    public void A_missing_server_name_is_a_mistake() => Assert.Contains("server_name: is missing", Mistakes("signing_key_path: k"));

    [Fact]
    public void A_file_that_is_not_yaml_is_reported_with_its_line() =>
        Assert.Contains(Mistakes("server_name: x\nfoo: 'open\n"), mistake => mistake.Contains(".yaml:2: not YAML", StringComparison.Ordinal));

    [Fact]
    public void A_file_that_is_not_there_is_reported()
    {
        var services = MatrixHost.CreateBuilder(["--config-path", "/nowhere/homeserver.yaml"], "test").Build().Services;
        var mistakes = Assert.Throws<ConfigurationException>(() => MatrixOptions.CheckConfiguration(services)).Mistakes;
        Assert.Contains(mistakes, mistake => mistake.Key == "/nowhere/homeserver.yaml");
    }

    [Fact]
    public async Task Nothing_starts_with_a_mistake_in_the_configuration()
    {
        var builder = MatrixHost.CreateBuilder([], "test");
        builder.Services.AddMatrixOptions<Sample>();
        await using var app = builder.Build();
        await Assert.ThrowsAsync<ConfigurationException>(() => app.StartAsync());
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("250ms", 250)]
    [InlineData("30s", 30_000)]
    [InlineData("5m", 300_000)]
    [InlineData(" 2 h ", 7_200_000)]
    [InlineData("1w", 604_800_000)]
    public void Durations_have_units(string text, long milliseconds) => Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Durations.Parse(text));

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-5s")]
    [InlineData("1.5h")]
    [InlineData("5 minutes")]
    [InlineData("99999999999999y")]
    public void Other_text_is_no_duration(string text) => Assert.False(Durations.TryParse(text, out _));

    [Theory]
    [InlineData("1000", 1000)]
    [InlineData("500K", 512_000)]
    [InlineData("50M", 52_428_800)]
    [InlineData("50MB", 52_428_800)]
    [InlineData("1g", 1_073_741_824)]
    public void Sizes_have_units(string text, long bytes) => Assert.Equal(bytes, ByteSizes.Parse(text));
}
