using Matrix.Replication;
using Matrix.Storage.Keys;
using Npgsql;

namespace Matrix.Rooms.Devices;

/// <summary>A key that was given out.</summary>
/// <param name="Key">JSON.</param>
public sealed record ClaimedKey(string UserId, string DeviceId, string Algorithm, string KeyId, byte[] Key);

/// <summary>What is wanted of a device: a key of this algorithm.</summary>
public readonly record struct KeyWish(string UserId, string DeviceId, string Algorithm);

/// <summary>
/// Gives out one-time keys. Each is deleted by the commit that gives it out, so that nobody else gets it, whatever happens on the way to
/// the client. The log's order is the order of claims.
/// </summary>
public sealed class KeyClaims(LogWriter log)
{
    const int MostAtOnce = 200;

    public async Task<IReadOnlyList<ClaimedKey>> Claim(IReadOnlyList<KeyWish> wishes, CancellationToken ct)
    {
        var claimed = new List<ClaimedKey>();
        foreach (var part in wishes.Chunk(MostAtOnce))
        {
            var change = new KeysClaimed(part);
            await log.Append(change, ct);
            // committed, and the connection lost before it was said which: those keys are gone, others are there
            if (!change.IsRead)
                await log.Append(change = new KeysClaimed(part), ct);
            claimed.AddRange(change.Keys);
        }
        return claimed;
    }

    sealed class KeysClaimed(KeyWish[] wishes) : LogChange
    {
        readonly List<ClaimedKey> keys = [];

        public IReadOnlyList<ClaimedKey> Keys => keys;

        public bool IsRead { get; private set; }

        public override IReadOnlyList<LogEntryDraft> Entries { get; } =
            [.. wishes.Select(wish => wish.UserId).Distinct().Select(user => new LogEntryDraft(LogKind.OneTimeKeys, UserId: user))];

        public override bool ReadsRows => true;

        public override void AddCommands(NpgsqlBatch batch, Func<int, int> back) => DeviceKeyStore.AddClaim(
            batch, [.. wishes.Select(wish => wish.UserId)], [.. wishes.Select(wish => wish.DeviceId)], [.. wishes.Select(wish => wish.Algorithm)]);

        public override async Task ReadRows(NpgsqlDataReader reader, CancellationToken ct)
        {
            keys.Clear();
            while (await reader.ReadAsync(ct))
            {
                keys.Add(new ClaimedKey(
                    reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetFieldValue<byte[]>(4)));
            }
            IsRead = true;
        }
    }
}
