using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Matrix.Http;

static class ErrorBody
{
    public static async Task Write(HttpContext context, MatrixException error)
    {
        context.Response.StatusCode = error.Status;
        context.Response.ContentType = "application/json";
        await using var json = new Utf8JsonWriter(
            context.Response.BodyWriter, new JsonWriterOptions { Encoder = MatrixJson.Options.Encoder });
        json.WriteStartObject();
        json.WriteString("errcode", error.Errcode);
        json.WriteString("error", error.Message);
        foreach (var (name, value) in error.Members)
        {
            json.WritePropertyName(name);
            JsonSerializer.Serialize(json, value, value.GetType(), MatrixJson.Options);
        }

        json.WriteEndObject();
        await json.FlushAsync(context.RequestAborted);
    }
}
