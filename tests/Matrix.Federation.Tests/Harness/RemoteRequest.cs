using System.Net;
using System.Text.Json;
using Matrix.Protocol;

namespace Matrix.Federation.Tests.Harness;

/// <summary>What one of our servers asked of a <see cref="RemoteServer"/>.</summary>
/// <param name="Target">Path and query as they came.</param>
/// <param name="Signature">As it came, unchecked.</param>
public sealed record RemoteRequest(HttpMethod Method, string Target, string Host, XMatrix? Signature, byte[] Body)
{
    public string Path => Target.Split('?')[0];

    public ServerName? Origin => Signature?.Origin;

    public JsonElement Json => JsonElement.Parse(Body);
}

/// <summary>Half of an answer; then something happens, and the rest never comes.</summary>
public sealed record HalfAnswer(byte[] Whole, Action Then);

/// <summary>An answer of a <see cref="RemoteServer"/> that is not plainly 200 with JSON.</summary>
public sealed record RemoteAnswer(HttpStatusCode Status, object? Body = null)
{
    public static RemoteAnswer Error(HttpStatusCode status, string errcode, string error = "As the test says.") => new(status, new { errcode, error });
}
