using System.Buffers;
using System.Text;
using System.Text.Json;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage;

namespace Matrix.ClientApi.Accounts;

/// <summary>Changes to local users' profiles. The name and the avatar are also in the member events of every room that the user is in.</summary>
sealed class Profiles(ProfileStore store, RoomUpdates rooms)
{
    public const string DisplayName = "displayname", AvatarUrl = "avatar_url";

    // Client-Server API, Profiles: at most 64 KiB in all, and 255 bytes a key
    const int LargestProfile = 65536, LongestField = 255, LongestName = 256, LongestUrl = 1000;

    static readonly SearchValues<char> NameLetters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    public async Task Set(UserId userId, string field, JsonElement value, CancellationToken ct)
    {
        switch (field)
        {
            case DisplayName:
                await store.SetDisplayName(userId, Text(value, field, LongestName), ct);
                await rooms.Show(userId, ct);
                break;
            case AvatarUrl:
                var url = Text(value, field, LongestUrl);
                if (url is not null && !MxcUri.TryParse(url, out _)) throw MatrixException.InvalidParam("avatar_url must be an mxc:// URI.");
                await store.SetAvatarUrl(userId, url, ct);
                await rooms.Show(userId, ct);
                break;
            default:
                await SetOther(userId, field, value, ct);
                break;
        }
    }

    public async Task Delete(UserId userId, string field, CancellationToken ct)
    {
        await (field switch
        {
            DisplayName => store.SetDisplayName(userId, null, ct),
            AvatarUrl => store.SetAvatarUrl(userId, null, ct),
            _ => store.Delete(userId, field, ct),
        });
        if (field is DisplayName or AvatarUrl)
            await rooms.Show(userId, ct);
    }

    async Task SetOther(UserId userId, string field, JsonElement value, CancellationToken ct)
    {
        if (Encoding.UTF8.GetByteCount(field) > LongestField)
            throw new MatrixException(400, "M_KEY_TOO_LARGE", "The name of the profile field is too long.");
        // Appendices, Common Namespaced Identifier Grammar
        if (field is not [>= 'a' and <= 'z', ..] || field.AsSpan().ContainsAnyExcept(NameLetters))
            throw MatrixException.InvalidParam("A profile field's name is made of a-z, 0-9, '-', '_' and '.', and begins with a letter.");
        var text = value.GetRawText();
        var others = (await store.Find(userId, ct) ?? []).Where(other => other.Field != field);
        if (Size(field, text) + others.Sum(other => Size(other.Field, other.Value)) > LargestProfile)
            throw new MatrixException(400, "M_PROFILE_TOO_LARGE", "The profile would be too large.");
        await store.Upsert(userId, field, text, ct);
    }

    static int Size(string field, string value) => Encoding.UTF8.GetByteCount(field) + Encoding.UTF8.GetByteCount(value) + 4;

    static string? Text(JsonElement value, string field, int longest) => value.ValueKind switch
    {
        JsonValueKind.Null => null,
        JsonValueKind.String when value.GetString() is var text => text switch
        {
            "" => null,
            { Length: var length } when length > longest => throw MatrixException.InvalidParam($"{field} is too long."),
            _ => text,
        },
        _ => throw MatrixException.BadJson($"{field} must be a string."),
    };
}
