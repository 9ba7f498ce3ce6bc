using System.Reflection;
using Npgsql;

namespace Matrix.Storage;

/// <summary>
/// Does this program fit the schema? Too old is a schema that lacks a migration of ours; too new one that needs programs to know a migration that we do
/// not. What lies between is how two releases run side by side on one database.
/// </summary>
public static class SchemaWindow
{
    /// <summary>Our release, as it is told to operators.</summary>
    public static string Program { get; } = typeof(SchemaWindow).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    /// <exception cref="SchemaMismatchException">The schema needs programs newer than this one.</exception>
    public static async Task CheckNotTooNew(NpgsqlDataSource db, CancellationToken ct = default) =>
        CheckNotTooNew(await FindNeeds(db, ct), Migrations.Known);

    /// <exception cref="SchemaMismatchException">The schema is too old or too new, and how to mend it.</exception>
    public static async Task Check(NpgsqlDataSource db, CancellationToken ct = default)
    {
        await CheckNotTooNew(db, ct);
        CheckNotTooOld(await Migrations.ListApplied(db, ct), Migrations.Known);
    }

    internal static void CheckNotTooNew(string? needs, IReadOnlyList<string> known)
    {
        if (needs is not null && !known.Contains(needs))
            throw new SchemaMismatchException($"The schema is too new for {Program}: it needs a release that knows {needs}, and this one ends with {known[^1]}. "
                + "Run that release or a later one; a schema does not go back.");
    }

    internal static void CheckNotTooOld(IReadOnlyList<string> applied, IReadOnlyList<string> known)
    {
        var missing = known.Except(applied).ToList();
        if (missing.Count > 0)
            throw new SchemaMismatchException($"The schema is too old for {Program}: it lacks {string.Join(", ", missing)}. "
                + "Run 'matrixctl migrate' of this release, or set database.auto_migrate.");
    }

    static async Task<string?> FindNeeds(NpgsqlDataSource db, CancellationToken ct) =>
        await db.GetOne<bool>("SELECT to_regclass('schema_window') IS NOT NULL", null, ct)
            ? await db.FindOne<string>("SELECT needs FROM schema_window", null, ct)
            : null;
}

/// <summary>The schema is too old or too new for this program: the message says which, and what to do.</summary>
public sealed class SchemaMismatchException(string message) : Exception(message);
