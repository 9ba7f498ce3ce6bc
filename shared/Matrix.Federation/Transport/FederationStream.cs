using System.Net.Http.Headers;

namespace Matrix.Federation;

/// <summary>An answer that is read as it comes. Reading ends with an exception when the request's time or size is used up.</summary>
public sealed class FederationStream : IAsyncDisposable, IDisposable
{
    readonly HttpResponseMessage _response;
    readonly Answer _answer;

    internal FederationStream(HttpResponseMessage response, Answer answer)
    {
        _response = response;
        _answer = answer;
    }

    /// <summary>Reads throw <see cref="FederationException"/>.</summary>
    public Stream Body => _answer;

    public HttpContentHeaders Headers => _response.Content.Headers;

    public int Status => (int)_response.StatusCode;

    /// <summary>Where the answer says that the content is elsewhere (Server-Server API, media download).</summary>
    public Uri? Location => _response.Headers.Location;

    public void Dispose()
    {
        _answer.Dispose();
        _response.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await _answer.DisposeAsync();
        _response.Dispose();
    }
}
