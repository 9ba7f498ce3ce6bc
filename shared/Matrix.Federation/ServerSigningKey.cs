using Matrix.Protocol;
using Microsoft.Extensions.Options;

namespace Matrix.Federation;

/// <summary>This server's name and the key that signs its events, requests and key list; read once, from <c>signing_key_path</c>.</summary>
public sealed class ServerSigningKey(IOptions<FederationOptions> options) : IDisposable
{
    readonly Lazy<SigningKey> _key = new(() => SigningKey.ParseFile(File.ReadAllText(options.Value.SigningKeyPath)));

    public ServerName ServerName { get; } = ServerName.Parse(options.Value.ServerName);

    public SigningKey Key => _key.Value;

    public void Dispose()
    {
        if (_key.IsValueCreated)
        {
            _key.Value.Dispose();
        }
    }
}
