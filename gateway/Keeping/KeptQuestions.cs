using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Matrix.Hosting.Together;
using Yarp.ReverseProxy.Model;

namespace Matrix.Gateway.Keeping;

/// <summary>
/// Asks a replica whether what is kept still holds, in one request for all who come while it is being asked before: the question costs more than the bytes. Nobody is
/// answered by what was said before he asked.
/// </summary>
sealed class KeptQuestions(TimeProvider time)
{
    static readonly TimeSpan Patience = TimeSpan.FromSeconds(1); // longer than the service's own
    static readonly MediaTypeHeaderValue Json = new("application/json");

    readonly ConditionalWeakTable<DestinationState, GroupedReads<Question, string[]?>> _replicas = [];

    /// <returns>The headers of the answer of now, names and values in turn; null: ask as usual.</returns>
    public async ValueTask<string[]?> Ask(HttpContext context, string target, string tag)
    {
        var proxy = context.GetReverseProxyFeature();
        var authorization = context.Request.Headers.Authorization;
        if (proxy.AvailableDestinations is not [var replica, ..] || authorization.Count > 1) return null;
        var address = context.Connection.RemoteIpAddress?.ToString();
        var question = new SameQuestion(target, tag, authorization.Count == 0 ? null : authorization.ToString(), address, context.TraceIdentifier);
        var reads = _replicas.GetValue(replica, _ => new(Ask, time, answersFirst: true));
        return await reads.Get(new Question(proxy.Cluster.HttpClient, replica.Model.Config.Address, question), context.RequestAborted);
    }

    async Task<IReadOnlyList<string[]?>> Ask(IReadOnlyList<Question> questions, CancellationToken ct)
    {
        var (client, address, _) = questions[^1];
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, address.TrimEnd('/') + SameQuestion.Path);
            request.Version = HttpVersion.Version11;
            request.Content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes([.. questions.Select(each => each.Asked)], SameQuestionJson.Terse.SameQuestionArray));
            request.Content.Headers.ContentType = Json;
            using var answer = await client.SendAsync(request, patience.Token);
            if (answer.StatusCode == HttpStatusCode.OK)
            {
                await using var body = await answer.Content.ReadAsStreamAsync(patience.Token);
                var answers = await JsonSerializer.DeserializeAsync(body, SameQuestionJson.Terse.StringArrayArray, patience.Token);
                if (answers?.Length == questions.Count) return answers;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException or JsonException)
        {
            // each alone then: whatever is wrong is dealt with there
        }

        return new string[]?[questions.Count];
    }

    readonly record struct Question(HttpMessageInvoker Client, string Address, SameQuestion Asked);
}
