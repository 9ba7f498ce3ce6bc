namespace Matrix.MediaRepo.Endpoints;

/// <summary>Media can be asked about without being fetched: HEAD gets the headers of the GET.</summary>
static class Reading
{
    public static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];
}
