using System.CommandLine;
using System.Globalization;
using Matrix.Load;

// Each server is described by the same options; several values of one option belong to the first, the second server.
var url = new Option<string[]>("--url") { Required = true, Description = "Where a server answers. Given twice, the two run alternately and are compared." };
var name = new Option<string[]>("--name") { Description = "What to call it in the tables." };
var secret = new Option<string[]>("--secret") { Required = true, Description = "Its registration_shared_secret." };
var processes = new Option<string[]>("--pids")
{
    Description = "Its processes, as NAME=PID,NAME=PID…; whatever they have started is counted too. Needed for the processor time.",
};
var scenarios = new Option<string[]>("--scenario") { Description = "Which to run, such as send or sync*; all when left out.", AllowMultipleArgumentsPerToken = true };
var seconds = new Option<double>("--seconds") { Description = "How long each run takes.", DefaultValueFactory = _ => 10 };
var warmUp = new Option<double>("--warm-up")
{
    Description = "For how many seconds at least a scenario runs before it is measured, one run when left out. At low rates a server compiles code for minutes.",
};
var rounds = new Option<int>("--rounds") { Description = "How often each server has its turn.", DefaultValueFactory = _ => 2 };
var tiny = new Option<bool>("--tiny") { Description = "Small numbers, which only show that the scenarios work." };
var federation = new Option<string[]>("--federation-url") { Description = "Where it answers other servers; where it answers clients when left out." };
var authority = new Option<string?>("--peer-ca")
{
    Description = "A folder with ca.crt and ca.key, which the servers trust (federation_custom_ca_list): with it the generator is another homeserver too, on a port of localhost.",
};
var list = new Command("list", "Names the scenarios.");
list.SetAction(_ =>
{
    foreach (var scenario in Scenario.All) Console.WriteLine($"{scenario.Name,-24}{scenario.Operation}");
});
var run = new Command("run", "Runs scenarios against one server, or against two in turn.") { url, name, secret, processes, scenarios, seconds, warmUp, rounds, tiny, federation, authority };
run.SetAction((parsed, ct) =>
{
    Peer.Authority = parsed.GetValue(authority);
    var names = parsed.GetValue(name) ?? [];
    var groups = parsed.GetValue(processes) ?? [];
    var targets = parsed.GetValue(url)!.Select((address, i) => new Target(
        names.ElementAtOrDefault(i) ?? $"server {i + 1}", new(address.TrimEnd('/') + "/"), parsed.GetValue(secret)![i], Processes(groups.ElementAtOrDefault(i)), parsed.GetValue(tiny),
        new((parsed.GetValue(federation)?.ElementAtOrDefault(i) ?? address).TrimEnd('/') + "/")));
    var wanted = Scenario.All.Where(scenario => parsed.GetValue(scenarios) is not { Length: > 0 } patterns
        ? !scenario.IsLong
        : patterns.Any(pattern => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(pattern, scenario.Name)));
    return new Runner([.. targets], TimeSpan.FromSeconds(parsed.GetValue(seconds)), TimeSpan.FromSeconds(parsed.GetValue(warmUp)),
        parsed.GetValue(rounds), parsed.GetValue(tiny)).Run([.. wanted], ct);
});
var database = new Option<string>("--database") { Required = true, Description = "Its database, as the driver's connection string: Host=…;Username=…;Database=…" };
var scale = new Option<int>("--scale") { Description = "So many times as much of everything.", DefaultValueFactory = _ => 1 };
var grow = new Command("grow", "Says by how much one more account, room, join, message and receipt make a server's database grow.") { url, secret, processes, database, scale };
grow.SetAction(async (parsed, ct) =>
{
    var address = new Uri(parsed.GetValue(url)![0].TrimEnd('/') + "/");
    using var growth = new Growth(new("server 1", address, parsed.GetValue(secret)![0], Processes(parsed.GetValue(processes)?.FirstOrDefault()), false, address),
        parsed.GetValue(database)!, parsed.GetValue(scale));
    await growth.Run(ct);
});
var certificates = new Option<string>("--certificates") { Required = true, Description = "A folder with x.pfx for the servers 127.1.x.y." };
var port = new Option<int>("--port") { Required = true, Description = "The port of all of them." };
var serve = new Command("many-servers", "Is thousands of homeservers that take what they are sent, and says how much that was.") { certificates, port };
serve.SetAction((parsed, ct) => ManyServers.Run(parsed.GetValue(certificates)!, parsed.GetValue(port), ct));
return await new RootCommand("Puts a Matrix homeserver under load, through its client API.") { run, list, grow, serve }.Parse(args).InvokeAsync();

static ProcessTree Processes(string? group) => new([.. (group ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)
    .Select(process => process.Split('=')).Select(parts => (parts[0], int.Parse(parts[^1], CultureInfo.InvariantCulture)))]);
