using Npgsql;

namespace Matrix.Storage.Rooms;

/// <summary>
/// Numbers for new rooms and events, taken from the database in blocks and handed out in memory. A block that a process did not use up is lost;
/// the order of numbers means nothing.
/// </summary>
public sealed class NidAllocator(NpgsqlDataSource db) : IDisposable
{
    readonly Block rooms = new(db, "SELECT nextval('room_nids')", 20);
    readonly Block events = new(db, "SELECT nextval('event_nids')", 1000);

    public ValueTask<long> NextRoom(CancellationToken ct) => rooms.Next(ct);

    public ValueTask<long> NextEvent(CancellationToken ct) => events.Next(ct);

    public void Dispose()
    {
        rooms.Dispose();
        events.Dispose();
    }

    /// <param name="size">What the sequence is incremented by: the numbers from its value on are this process's.</param>
    sealed class Block(NpgsqlDataSource db, string nextBlock, int size) : IDisposable
    {
        readonly SemaphoreSlim gate = new(1);
        long next;
        long end;

        public async ValueTask<long> Next(CancellationToken ct)
        {
            await gate.WaitAsync(ct);
            try
            {
                if (next == end)
                {
                    next = await db.GetOne<long>(nextBlock, null, ct);
                    end = next + size;
                }
                return next++;
            }
            finally
            {
                gate.Release();
            }
        }

        public void Dispose() => gate.Dispose();
    }
}
