using System.CommandLine;

namespace Matrix.Ctl.Admin;

/// <summary><c>matrixctl user</c>, <c>room</c>, <c>media</c>, <c>federation</c>: what the admin API offers, from the command line.</summary>
static class AdminCommands
{
    const string V1 = "/_synapse/admin/v1", Client = "/_matrix/client/v1/admin";

    public static Command User() => Group("user", "Looks after accounts.",
        new("whois", "Shows a user's sessions and where they were used.", HttpMethod.Get, "/_matrix/client/v3/admin/whois/{user-id}"),
        new("lock", "Takes an account out of use; its sessions stay.", HttpMethod.Put, Client + "/lock/{user-id}", new { locked = true }),
        new("unlock", "Puts a locked account back into use.", HttpMethod.Put, Client + "/lock/{user-id}", new { locked = false }),
        new("suspend", "Lets an account only read and leave.", HttpMethod.Put, Client + "/suspend/{user-id}", new { suspended = true }),
        new("unsuspend", "Ends a suspension.", HttpMethod.Put, Client + "/suspend/{user-id}", new { suspended = false }),
        new("media", "Lists what a user uploaded.", HttpMethod.Get, V1 + "/users/{user-id}/media") { List = "media" },
        new("delete-media", "Deletes all that a user uploaded.", HttpMethod.Delete, V1 + "/users/{user-id}/media"),
        new("quarantine-media", "Serves nothing any more of what a user uploaded.", HttpMethod.Post, V1 + "/user/{user-id}/media/quarantine", new { }));

    public static Command Room() => Group("room", "Looks after rooms.",
        new("media", "Lists the media of a room.", HttpMethod.Get, V1 + "/room/{room-id}/media"),
        new("quarantine-media", "Serves nothing any more of a room's media.", HttpMethod.Post, V1 + "/room/{room-id}/media/quarantine", new { }));

    public static Command Federation() => Group("federation", "Looks after what other servers are sent.",
        new("list", "Lists the servers that are sent something, and how it goes.", HttpMethod.Get, V1 + "/federation/destinations") { List = "destinations" },
        new("show", "Shows one of them.", HttpMethod.Get, V1 + "/federation/destinations/{server}"),
        new("rooms", "Lists the rooms shared with a server.", HttpMethod.Get, V1 + "/federation/destinations/{server}/rooms") { List = "rooms" },
        new("retry", "Tries a failing server at once.", HttpMethod.Post, V1 + "/federation/destinations/{server}/reset_connection", new { }));

    /// <summary>Beside <c>media migrate</c>.</summary>
    public static IEnumerable<Command> Media() => Create(
        new("show", "Shows what is known of a file.", HttpMethod.Get, V1 + "/media/{mxc}"),
        new("delete", "Deletes a file.", HttpMethod.Delete, V1 + "/media/{mxc}"),
        new("quarantine", "Serves a file no more.", HttpMethod.Post, V1 + "/media/quarantine/{mxc}", new { }),
        new("unquarantine", "Serves it again.", HttpMethod.Post, V1 + "/media/unquarantine/{mxc}", new { }));

    static Command Group(string name, string description, params AdminCall[] calls)
    {
        var group = new Command(name, description);
        foreach (var command in Create(calls)) group.Subcommands.Add(command);
        return group;
    }

    static IEnumerable<Command> Create(params AdminCall[] calls) => calls.Select(call => call.Create());
}
