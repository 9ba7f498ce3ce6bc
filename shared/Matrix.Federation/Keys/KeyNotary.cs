using Matrix.Protocol;
using Matrix.Storage.Federation;

namespace Matrix.Federation;

/// <summary>Tells others what keys a server has, for when they cannot ask it themselves (Server-Server API, Querying keys through another server).</summary>
public sealed class KeyNotary(KeyRing ring, ServerKeyStore store, ServerSigningKey own, ServerKeyDocument document)
{
    /// <summary>The lists in which the wanted keys stand, each signed by its server and by us. What is not to be had is left out.</summary>
    public async Task<IReadOnlyList<byte[]>> Find(IReadOnlyCollection<KeyRequest> wanted, CancellationToken ct)
    {
        await ring.Load(wanted, ct);
        var lists = new List<byte[]>();
        foreach (var server in wanted.GroupBy(key => key.Server))
        {
            if (server.Key == own.ServerName)
            {
                lists.Add(document.Create());
                continue;
            }
            var keys = server.Any(key => key.KeyId == KeyRequest.Any) ? [] : server.Select(key => key.KeyId.ToString()).ToArray();
            foreach (var list in await store.ListDocuments(server.Key, keys, ct))
                lists.Add(JsonSignatures.Sign(list.Document, own.ServerName, own.Key));
        }
        return lists;
    }
}
