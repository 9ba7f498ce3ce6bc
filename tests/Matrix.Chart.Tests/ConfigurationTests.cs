using System.Text;
using YamlDotNet.RepresentationModel;

namespace Matrix.Chart.Tests;

/// <summary>What the chart gives a service as its configuration is what the service's own check takes.</summary>
public sealed class ConfigurationTests
{
    const int BadConfiguration = 78;

    public static TheoryData<string> Cases => [.. Chart.CaseNames];

    [Theory, MemberData(nameof(Cases))]
    public async Task Each_service_accepts_the_configuration_that_it_is_given(string name)
    {
        var objects = Chart.Objects(await Chart.Render(name));
        foreach (var deployment in objects.Where(o => o.Text("kind") == "Deployment"))
        {
            var checkedOne = await Check(objects, deployment);
            Assert.True(checkedOne.ExitCode == 0, $"{deployment.Text("metadata", "name")}: {checkedOne.Output}{checkedOne.Error}");
        }
    }

    [Fact]
    public async Task A_service_refuses_what_the_chart_passes_on_of_a_mistake()
    {
        var objects = Chart.Objects(await Chart.Render("minimal", "--set", "services.client-api.config.bcrypt_rounds=99", "--set", "config.rc_message=often"));
        var refused = await Check(objects, objects.Single(o => o.Text("kind") == "Deployment" && o.Text("metadata", "name") == "demo-matrix-client-api"));
        Assert.Equal(BadConfiguration, refused.ExitCode);
        Assert.Contains("bcrypt_rounds", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>Starts the service's own program as the pod would: its environment, and its volumes in a folder of ours.</summary>
    static async Task<Finished> Check(IReadOnlyList<YamlMappingNode> objects, YamlMappingNode deployment)
    {
        var pod = deployment.At("spec", "template", "spec")!;
        var container = ((YamlSequenceNode)pod.At("containers")!).Children[0];
        var root = Directory.CreateTempSubdirectory("matrix-pod-").FullName;
        foreach (var mount in (YamlSequenceNode)container.At("volumeMounts")!)
        {
            var volume = ((YamlSequenceNode)pod.At("volumes")!).Single(v => v.Text("name") == mount.Text("name"));
            Mount(objects, volume, root + mount.Text("mountPath"), root);
        }
        var service = container.Text("name");
        var result = await Processes.Run("dotnet", [Repository.Program(service), "--check-config"], start =>
        {
            foreach (var variable in (YamlSequenceNode)container.At("env")!)
            {
                var value = variable.At("value") is YamlScalarNode plain ? plain.Value! : "from-a-secret";
                start.Environment[variable.Text("name")] = value.StartsWith("/etc/", StringComparison.Ordinal) ? root + value : value;
            }
        });
        Directory.Delete(root, recursive: true);
        return result;
    }

    static void Mount(IReadOnlyList<YamlMappingNode> objects, YamlNode volume, string folder, string root)
    {
        Directory.CreateDirectory(folder);
        if (volume.At("configMap") is { } map && objects.SingleOrDefault(o => o.Text("kind") == "ConfigMap" && o.Text("metadata", "name") == map.Text("name")) is { } found)
        {
            foreach (var (file, text) in ((YamlMappingNode)found.At("data")!).Children)
                File.WriteAllText(Path.Combine(folder, ((YamlScalarNode)file).Value!), ((YamlScalarNode)text).Value!.Replace("/etc/matrix/", root + "/etc/matrix/", StringComparison.Ordinal));
        }
        else if (volume.At("secret") is { } secret)
        {
            IEnumerable<string> files = secret.At("items") is YamlSequenceNode items ? items.Select(item => item.Text("path")) : ["tls.crt", "tls.key"];
            foreach (var file in files) File.WriteAllText(Path.Combine(folder, file), "ed25519 a_1 " + Convert.ToBase64String(Encoding.ASCII.GetBytes(new string('x', 32))).TrimEnd('=') + "\n");
        }
    }
}
