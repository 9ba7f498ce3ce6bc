namespace Matrix.Load;

/// <summary>A homeserver under load: where it answers, the secret by which accounts are made on it, and the processes that it is made of.</summary>
/// <param name="IsTiny">Nothing is measured in earnest, so nothing is waited for.</param>
/// <param name="FederationUrl">Where it answers other servers.</param>
sealed record Target(string Name, Uri Url, string Secret, ProcessTree Processes, bool IsTiny, Uri FederationUrl)
{
    /// <summary>Waits until the server has finished what it does behind the answers that it has given: nearly no processor time for half a second.</summary>
    public async Task Settle(CancellationToken ct)
    {
        if (Processes.IsEmpty || IsTiny) return;
        var quiet = 0;
        var before = Processes.Cpu().Values.Sum();
        for (var i = 0; i < 100 && quiet < 2; i++)
        {
            await Task.Delay(250, ct);
            var now = Processes.Cpu().Values.Sum();
            quiet = now - before < 25 ? quiet + 1 : 0;
            before = now;
        }
    }
}
