namespace Matrix.Storage;

/// <summary>The configuration section <c>database</c>, beside <c>database.args</c>.</summary>
public sealed class SchemaOptions
{
    /// <summary>
    /// Bring the schema up to date at the start. Where <c>matrixctl migrate</c> does that before, false: a service then needs no right to change the
    /// schema, and one that does not fit it says so and ends.
    /// </summary>
    public bool AutoMigrate { get; set; } = true;
}
