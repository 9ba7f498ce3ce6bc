using System.Security.Cryptography;
using Matrix.Http;
using Matrix.Storage.Media;
using Npgsql;

namespace Matrix.MediaRepo;

/// <summary>Puts bytes into the media store.</summary>
public sealed class MediaKeeping(ContentStores stores, MediaContentStore contents, TimeProvider time)
{
    const string MediaIdCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    public static string NewMediaId() => RandomNumberGenerator.GetString(MediaIdCharacters, 24);

    /// <summary>Keeps a stream, then lets the caller store what refers to it.</summary>
    /// <param name="limit">In bytes.</param>
    /// <exception cref="ContentTooLargeException">There is more than the limit.</exception>
    public async Task<T> Keep<T>(Stream content, long limit, Func<IncomingContent, Task<T>> refer, CancellationToken ct)
    {
        await using var incoming = await stores.Primary.Receive(content, limit, ct);
        await contents.Claim(incoming.Hash, incoming.Size, time.GetUtcNow(), ct);
        await incoming.Keep(ct);
        try
        {
            return await refer(incoming);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            // deleted as nobody's: storing it took longer than that waits
            throw MatrixException.Unknown("The file could not be stored in time. Try again.", 503);
        }
    }
}
