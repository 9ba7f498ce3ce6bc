using Matrix.Protocol;
using YamlDotNet.RepresentationModel;

namespace Matrix.Chart.Tests;

/// <summary>charts/matrix, by the real helm.</summary>
public sealed class ChartTests
{
    public static TheoryData<string> Cases => [.. Chart.CaseNames];

    [Theory, MemberData(nameof(Cases))]
    public async Task The_chart_passes_lint(string name)
    {
        var lint = await ChartTools.Helm("lint", Repository.Chart, "--strict", "--quiet", "--values", Chart.CaseFile(name));
        Assert.True(lint.ExitCode == 0, lint.Output + lint.Error);
    }

    /// <summary>A change of what the chart makes is seen in the review. Written anew with MATRIX_UPDATE_GENERATED=1.</summary>
    [Theory, MemberData(nameof(Cases))]
    public async Task It_renders_as_the_committed_file_shows(string name)
    {
        var rendered = Chart.Settle(await Chart.Render(name));
        var golden = Path.Combine(Repository.Tests, "Golden", name + ".yaml");
        if (Environment.GetEnvironmentVariable("MATRIX_UPDATE_GENERATED") == "1") await File.WriteAllTextAsync(golden, rendered);
        Assert.Equal(await File.ReadAllTextAsync(golden), rendered);
    }

    [Fact]
    public async Task Every_object_fits_the_schemas_of_Kubernetes_and_of_the_operators()
    {
        var folder = Directory.CreateTempSubdirectory("matrix-chart-").FullName;
        var files = new List<string>();
        foreach (var name in Chart.CaseNames)
        {
            files.Add(Path.Combine(folder, name + ".yaml"));
            await File.WriteAllTextAsync(files[^1], await Chart.Render(name));
        }
        var checkedAll = await Processes.Run("node", [Path.Combine(await ChartTools.Folder(), "validate.mjs"), .. files]);
        Directory.Delete(folder, recursive: true);
        Assert.True(checkedAll.ExitCode == 0, checkedAll.Error);
        Assert.Matches(@"\A[0-9]{3} objects checked\n\z", checkedAll.Output);
    }

    [Theory]
    [InlineData("srvices.gateway.replicas=2", "'srvices' not allowed")]
    [InlineData("services.client-api.replica=2", "'replica' not allowed")]
    [InlineData("services.clientApi.replicas=2", "'clientApi' not allowed")]
    [InlineData("services.client-api.replicas=two", "got string, want integer")]
    [InlineData("serverName=not a name", "does not match pattern")]
    [InlineData("publicBaseurl=matrix.example.org", "does not match pattern")]
    [InlineData("gateway.service.type=Loadbalancer", "value must be one of")]
    [InlineData("log.level=loud", "value must be one of")]
    [InlineData("metrics.port=70000", "maximum")]
    [InlineData("bundled.s3.bucket=media", "'bucket' not allowed")]
    [InlineData("networkPolicy.egress.exceptIPv4={10.0.0.0}", "does not match pattern")]
    [InlineData("media.s3.buckets=media", "'buckets' not allowed")]
    [InlineData("media.maxUploadSize=much", "does not match pattern")]
    public async Task A_mistake_in_the_values_is_refused(string setting, string reason)
    {
        var refused = await ChartTools.Helm("template", "demo", Repository.Chart, "--values", Chart.CaseFile("minimal"), "--set", setting);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("serverName=null", "serverName")]
    [InlineData("postgres.host=", "postgres.host is required")]
    [InlineData("gatewayApi.enabled=true", "needs gatewayApi.parentRefs")]
    [InlineData("certificate.enabled=true", "needs certificate.issuerRef.name")]
    [InlineData("bundled.s3.enabled=true,media.s3.redirect=true", "media.s3.redirect needs a bucket that clients reach")]
    public async Task What_is_missing_is_named(string setting, string reason)
    {
        var refused = await ChartTools.Helm("template", "demo", Repository.Chart, "--values", Chart.CaseFile("minimal"), "--set", setting);
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_signing_key_that_it_makes_is_one_and_cannot_be_overwritten()
    {
        var objects = Chart.Objects(await Chart.Render("minimal"));
        var secret = objects.Single(o => o.Text("kind") == "Secret" && o.Text("metadata", "name") == "demo-matrix-signing-key");
        using var key = SigningKey.ParseFile(System.Text.Encoding.ASCII.GetString(Convert.FromBase64String(secret.Text("data", "signing.key"))));
        Assert.StartsWith("ed25519:a_", key.KeyId.ToString(), StringComparison.Ordinal);
        Assert.Equal("true", secret.Text("immutable"));
        Assert.Equal("keep", secret.Text("metadata", "annotations", "helm.sh/resource-policy"));
    }

    /// <summary>Its credentials are in the release's own Secret, which goes on as it is (that of the other parts is drawn there too).</summary>
    [Fact]
    public async Task Media_go_to_the_bundled_bucket_with_the_credentials_that_it_was_given()
    {
        var objects = Chart.Objects(await Chart.Render("bundled"));
        var server = objects.Single(o => o.Text("kind") == "StatefulSet" && o.Text("metadata", "name") == "demo-matrix-s3").At("spec", "template", "spec")!;
        var media = objects.Single(o => o.Text("kind") == "Deployment" && o.Text("metadata", "name") == "demo-matrix-media-repo").At("spec", "template", "spec")!;
        var secret = objects.Single(o => o.Text("kind") == "Secret" && o.Text("metadata", "name") == "demo-matrix-backends");
        foreach (var (own, given) in new[] { ("ROOT_ACCESS_KEY_ID", "MATRIX__media_s3__access_key_id"), ("ROOT_SECRET_ACCESS_KEY", "MATRIX__media_s3__secret_access_key") })
        {
            Assert.Equal(Source(server, own), Source(media, given));
            Assert.Equal("demo-matrix-backends", Source(server, own).Name);
            Assert.NotEmpty(secret.Text("data", Source(server, own).Key));
        }
        Assert.Equal("keep", secret.Text("metadata", "annotations", "helm.sh/resource-policy"));
        var made = ((YamlSequenceNode)((YamlSequenceNode)server.At("initContainers")!).Children[0].At("command")!).Children[^1];
        Assert.Equal("/data/buckets/media", ((YamlScalarNode)made).Value);
        var config = objects.Single(o => o.Text("kind") == "ConfigMap" && o.Text("metadata", "name") == "demo-matrix-media-repo").Text("data", "homeserver.yaml");
        Assert.Contains("bucket: media\n", config, StringComparison.Ordinal);
        Assert.Contains("endpoint: http://demo-matrix-s3:7070\n", config, StringComparison.Ordinal);

        static (string Name, string Key) Source(YamlNode pod, string variable)
        {
            var from = ((YamlSequenceNode)((YamlSequenceNode)pod.At("containers")!).Children[0].At("env")!).Single(one => one.Text("name") == variable).At("valueFrom", "secretKeyRef")!;
            return (from.Text("name"), from.Text("key"));
        }
    }

    [Theory, MemberData(nameof(Cases))]
    public async Task A_pod_is_given_the_time_that_its_service_takes_to_stop_and_no_replica_less(string name)
    {
        var deployments = Chart.Objects(await Chart.Render(name)).Where(o => o.Text("kind") == "Deployment").ToList();
        Assert.NotEmpty(deployments);
        Assert.All(deployments, deployment =>
        {
            Assert.Equal("52", deployment.Text("spec", "template", "spec", "terminationGracePeriodSeconds")); // 12 + 30, and ten
            Assert.Equal("0", deployment.Text("spec", "strategy", "rollingUpdate", "maxUnavailable"));
        });
    }
}
