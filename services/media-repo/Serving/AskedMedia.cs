using System.Reflection;
using Matrix.Hosting.Together;
using Matrix.Http;
using Matrix.Protocol;
using Matrix.Storage.Media;

namespace Matrix.MediaRepo.Serving;

/// <summary>
/// Before a handler's <see cref="Requester"/>: where the session is not kept in memory, it and the row of the media in the path are read in one round trip, with
/// those of others who ask at the same time: that is most of what it costs to say that media has not changed.
/// </summary>
sealed class AskedMedia
{
    MediaRow? _row;

    public static MediaRow? RowOf(HttpContext context) => context.Features.Get<AskedMedia>()?._row;

    public static async ValueTask<AskedMedia?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var asked = new AskedMedia();
        var values = context.Request.RouteValues;
        if (!ServerName.TryParse(values["serverName"] as string, null, out var origin) || values["mediaId"] is not string mediaId)
        {
            await Requester.Get(context);
            return asked;
        }

        var reads = context.RequestServices.GetRequiredService<GroupedReads<MediaQuestion, MediaAnswer>>();
        context.Features.Set(asked);
        await Requester.Get(context, async (tokenHash, ct) =>
        {
            (var session, asked._row) = await reads.Get(new MediaQuestion(tokenHash, origin, mediaId), ct);
            return session;
        });
        return asked;
    }
}
