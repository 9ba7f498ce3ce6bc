using System.Text.Json;

namespace Matrix.Protocol;

/// <summary>Which servers may take part in a room: <c>m.room.server_acl</c> (C-S API, Server Access Control Lists).</summary>
public sealed class ServerAcl
{
    readonly bool _hasRules;
    readonly bool _allowsIpLiterals = true;
    readonly List<Glob> _allow = [];
    readonly List<Glob> _deny = [];

    ServerAcl(Pdu? acl)
    {
        if (acl is null)
            return;
        _hasRules = true;
        var content = acl.ContentJson.Span;
        _allowsIpLiterals = !JsonObjectReader.Find(content, "allow_ip_literals"u8).SequenceEqual("false"u8);
        Read(acl.Content, "allow", _allow);
        Read(acl.Content, "deny", _deny);
    }

    /// <summary>The list of a room; a room without one admits everybody.</summary>
    public static ServerAcl Read(Pdu? acl) => new(acl);

    /// <summary>May this server take part? Ports are not looked at.</summary>
    public bool Allows(ServerName server)
    {
        if (!_hasRules)
            return true;
        if (!_allowsIpLiterals && server.IsIpLiteral)
            return false;
        var host = server.Host;
        return !_deny.Exists(glob => glob.Matches(host)) && _allow.Exists(glob => glob.Matches(host));
    }

    static void Read(JsonElement content, string name, List<Glob> globs)
    {
        if (!content.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array)
            return;
        foreach (var item in list.EnumerateArray())
            if (item.ValueKind == JsonValueKind.String)
                globs.Add(new Glob(item.GetString()!, ignoreCase: true));
    }
}
