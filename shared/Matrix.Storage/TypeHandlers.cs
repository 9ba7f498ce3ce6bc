using System.Data;
using System.Globalization;
using System.Text.Json;
using Dapper;
using Matrix.Protocol;

namespace Matrix.Storage;

/// <summary>How our types travel to and from columns: identifiers as their wire form, JSON as text or jsonb, times in UTC.</summary>
static class TypeHandlers
{
    static readonly Lazy<bool> Registered = new(() =>
    {
        DefaultTypeMap.MatchNamesWithUnderscores = true;
        SqlMapper.AddTypeHandler(new Json());
        SqlMapper.RemoveTypeMap(typeof(DateTimeOffset)); // else a parameter passes the handler by, and the driver refuses an offset
        SqlMapper.RemoveTypeMap(typeof(DateTimeOffset?));
        SqlMapper.AddTypeHandler(new Time());
        SqlMapper.AddTypeHandler(new Array<string>());
        SqlMapper.AddTypeHandler(new Array<long>());
        AddIdentifier<UserId>();
        AddIdentifier<RoomId>();
        AddIdentifier<EventId>();
        AddIdentifier<RoomAlias>();
        AddIdentifier<ServerName>();
        AddIdentifier<DeviceId>();
        AddIdentifier<MxcUri>();
        AddIdentifier<KeyId>();
        return true;
    });

    /// <summary>Dapper's map is one per process. Registering again costs nothing.</summary>
    public static void Register() => _ = Registered.Value;

    public static object ToDatabase(object? value) => value switch
    {
        null => DBNull.Value,
        JsonElement json => json.GetRawText(),
        DateTimeOffset time => time.ToUniversalTime(),
        UserId or RoomId or EventId or RoomAlias or ServerName or DeviceId or MxcUri or KeyId => value.ToString()!,
        _ => value,
    };

    static void AddIdentifier<T>() where T : struct, IParsable<T> => SqlMapper.AddTypeHandler(new Identifier<T>());

    sealed class Identifier<T> : SqlMapper.TypeHandler<T> where T : struct, IParsable<T>
    {
        public override T Parse(object value) => T.Parse((string)value, CultureInfo.InvariantCulture);

        public override void SetValue(IDbDataParameter parameter, T value)
        {
            parameter.DbType = DbType.String;
            parameter.Value = value.ToString();
        }
    }

    // the driver does it all; Dapper has to be told that a record's constructor may take one
    sealed class Array<T> : SqlMapper.TypeHandler<T[]>
    {
        public override T[] Parse(object value) => (T[])value;

        public override void SetValue(IDbDataParameter parameter, T[]? value) => parameter.Value = (object?)value ?? DBNull.Value;
    }

    sealed class Json : SqlMapper.TypeHandler<JsonElement>
    {
        public override JsonElement Parse(object value) => JsonElement.Parse((string)value);

        public override void SetValue(IDbDataParameter parameter, JsonElement value)
        {
            parameter.DbType = DbType.String;
            parameter.Value = value.GetRawText();
        }
    }

    // A record with a DateTimeOffset finds its constructor only if there is a handler: the driver reads timestamptz as DateTime.
    sealed class Time : SqlMapper.TypeHandler<DateTimeOffset>
    {
        public override DateTimeOffset Parse(object value) => value switch
        {
            DateTime time => new DateTimeOffset(DateTime.SpecifyKind(time, DateTimeKind.Utc)),
            DateTimeOffset time => time,
            _ => DateTimeOffset.Parse((string)value, CultureInfo.InvariantCulture),
        };

        public override void SetValue(IDbDataParameter parameter, DateTimeOffset value)
        {
            parameter.DbType = DbType.DateTimeOffset;
            parameter.Value = value.ToUniversalTime();
        }
    }
}
