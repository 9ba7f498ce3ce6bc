using Matrix.Protocol;
using Npgsql;

namespace Matrix.Replication;

/// <summary>The room's head is no longer the one that the change was built on. Nothing of the change is stored: build it again.</summary>
public sealed class HeadMovedException(PostgresException cause) : Exception(cause.MessageText, cause)
{
    /// <summary>What <c>advance_room_head</c> raises.</summary>
    public const string SqlState = "MX001";
}

/// <summary>What the change was built on no longer holds (the SQL function <c>refuse_unless</c>). Nothing of it is stored.</summary>
public sealed class ChangeRefusedException(PostgresException cause) : Exception(cause.MessageText, cause)
{
    public const string SqlState = "MX003";
}

/// <summary>The log could not be written within the time that a request can wait.</summary>
public sealed class LogUnavailableException(string message, bool mayBeStored, Exception? cause = null) : Exception(message, cause), IMatrixError
{
    public int Status => 503;

    public string Errcode => "M_UNKNOWN";

    /// <summary>
    /// The connection was lost during the commit and could not be had back: the change is stored or not, and nobody knows yet.
    /// Otherwise it is certain that nothing of it is.
    /// </summary>
    public bool MayBeStored => mayBeStored;
}

/// <summary>A batch that was not committed.</summary>
sealed class BatchException : Exception
{
    public BatchException(Exception cause, int? culprit, bool isFinal) : base(cause.Message, cause) =>
        (Cause, Culprit, IsFinal) = (Translate(cause), culprit, isFinal);

    /// <summary>What the callers get.</summary>
    public Exception Cause { get; }

    /// <summary>The index of the change whose command failed, if it is known.</summary>
    public int? Culprit { get; }

    /// <summary>Trying again is of no use now.</summary>
    public bool IsFinal { get; }

    static Exception Translate(Exception cause) => cause switch
    {
        PostgresException { SqlState: HeadMovedException.SqlState } moved => new HeadMovedException(moved),
        PostgresException { SqlState: ChangeRefusedException.SqlState } refused => new ChangeRefusedException(refused),
        _ => cause,
    };
}
