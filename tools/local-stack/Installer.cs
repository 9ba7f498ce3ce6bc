namespace Matrix.LocalStack;

/// <summary>
/// Gets missing programs: the distribution's packages where we may install them, else Docker images, else a sentence that says what to
/// do.
/// </summary>
static class Installer
{
    /// <summary>The programs there are now, and the Docker engine's command for those still missing (null when it is not needed).</summary>
    public static async Task<(Programs Programs, string? Docker)> Provide(StackOptions options, string? postgresVersion, CancellationToken ct)
    {
        var programs = Programs.Find(postgresVersion);
        var missing = programs.MissingPackages(options);
        if (missing.Count == 0) return (programs, null);

        var packages = string.Join(", ", missing);
        if (await InstallCommand(ct) is { } install)
        {
            options.Report("packages", $"installing {packages}");
            // of Postgres a certain version, when there is data of it
            var names = missing.Select(name => name == "postgresql" && postgresVersion is not null ? $"postgresql-{postgresVersion}" : name);
            var result = await Shell.Run([.. install, .. names], ct);
            options.Report("packages", "ready");
            programs = Programs.Find(postgresVersion);
            if (programs.MissingPackages(options).Count == 0) return (programs, null);
            throw new StackException($"Installing {packages} failed: {result.Tail}");
        }
        if (await Shell.Succeeds(["docker", "version", "--format", "{{.Server.Version}}"], ct)) return (programs, "docker");
        throw new StackException($"Missing on this machine: {packages}; install them (Debian, Ubuntu: sudo apt-get install {string.Join(' ', missing)}), "
            + "or start a Docker engine, or name the services to use in homeserver.yaml.");
    }

    static async Task<IReadOnlyList<string>?> InstallCommand(CancellationToken ct)
    {
        if (!File.Exists("/usr/bin/apt-get")) return null;
        string[] script = ["/bin/sh", Path.Combine(AppContext.BaseDirectory, "install-packages.sh")];
        if (Environment.IsPrivilegedProcess) return script;
        return await Shell.Succeeds(["sudo", "-n", "true"], ct) ? ["sudo", "-n", .. script] : null;
    }
}
