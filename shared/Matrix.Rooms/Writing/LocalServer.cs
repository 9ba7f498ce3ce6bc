using Matrix.Protocol;

namespace Matrix.Rooms.Writing;

/// <summary>Who we are among servers: our name, and the key with which we sign.</summary>
public sealed record LocalServer(ServerName Name, SigningKey Key);
