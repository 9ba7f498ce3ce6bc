namespace Matrix.LocalStack;

/// <summary>
/// The account that the private parts run as: our own, or <c>nobody</c> when we are root, as Postgres refuses to run as root.
/// Not the distribution's <c>postgres</c>: that one owns the machine's own databases.
/// </summary>
sealed class Account
{
    const string Name = "nobody";
    const string FallbackFolder = "/var/lib/matrix-local-stack";

    Account(bool isDropped, string group) => (IsDropped, this.group) = (isDropped, group);

    readonly string group;

    /// <summary>True when the parts run with fewer rights than we do.</summary>
    bool IsDropped { get; }

    public static async Task<Account> Find(CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess) return new(false, "");
        var group = await Shell.Run(["id", "-g", Name], ct);
        return group.ExitCode == 0
            ? new(true, group.Output.Trim())
            : throw new StackException(
                $"Postgres does not run as root and there is no account '{Name}' to run it as: start this as an ordinary user.");
    }

    /// <summary>The command, run as this account.</summary>
    public IReadOnlyList<string> Run(params IReadOnlyList<string> command) => IsDropped
        ? ["setpriv", $"--reuid={Name}", $"--regid={group}", "--clear-groups", "--inh-caps=-all", "--no-new-privs", "--", .. command]
        : command;

    /// <summary>Creates the folder, if need be, and gives it to this account.</summary>
    public async Task Own(string folder, CancellationToken ct)
    {
        Directory.CreateDirectory(folder);
        if (!IsDropped) return;
        var result = await Shell.Run(["chown", "-R", $"{Name}:{group}", folder], ct);
        if (result.ExitCode != 0) throw new StackException($"{folder} cannot be given to the account '{Name}': {result.Tail}");
    }

    /// <summary>
    /// Where the parts of this data folder keep their files: below it, unless this account cannot reach it (as below /root): then in a
    /// folder
    /// of its own under /var/lib, whose place the state records.
    /// </summary>
    public async Task<string> PlaceParts(string dataFolder, StackState state, CancellationToken ct)
    {
        if (state.PartsFolder != "" && Directory.Exists(state.PartsFolder)) return state.PartsFolder;
        if (!IsDropped || await Shell.Succeeds(Run("test", "-x", dataFolder), ct)) return dataFolder;
        var elsewhere = Path.Combine(FallbackFolder, state.Id);
        Directory.CreateDirectory(elsewhere);
        return elsewhere;
    }
}
