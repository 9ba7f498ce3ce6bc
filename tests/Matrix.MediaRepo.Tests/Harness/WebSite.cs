using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Matrix.MediaRepo.Tests;

/// <summary>A web site that shows what a test puts there, on all addresses of this machine.</summary>
sealed class WebSite : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, RequestDelegate> _pages = new();
    readonly ConcurrentQueue<string> _asked = new();
    WebApplication _app = null!;

    public int Port { get; private set; }

    public string Url => $"http://127.0.0.1:{Port}";

    /// <summary>The paths that were asked for.</summary>
    public IReadOnlyList<string> Asked => [.. _asked];

    public static async Task<WebSite> Start()
    {
        var site = new WebSite();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Any, 0));
        site._app = builder.Build();
        site._app.Run(context =>
        {
            site._asked.Enqueue(context.Request.Path + context.Request.QueryString);
            if (site._pages.TryGetValue(context.Request.Path, out var page))
                return page(context);
            context.Response.StatusCode = 404;
            return Task.CompletedTask;
        });
        await site._app.StartAsync();
        site.Port = new Uri(site._app.Urls.Single()).Port;
        return site;
    }

    /// <returns>The page's address.</returns>
    public string Put(string path, byte[] content, string type)
    {
        _pages[path] = async context =>
        {
            context.Response.ContentType = type;
            await context.Response.Body.WriteAsync(content);
        };
        return Url + path;
    }

    public string Put(string path, string html) => Put(path, Encoding.UTF8.GetBytes(html), "text/html; charset=utf-8");

    public string Redirect(string path, string to)
    {
        _pages[path] = context =>
        {
            context.Response.Redirect(to);
            return Task.CompletedTask;
        };
        return Url + path;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(new CancellationToken(canceled: true));
        await _app.DisposeAsync();
    }
}
