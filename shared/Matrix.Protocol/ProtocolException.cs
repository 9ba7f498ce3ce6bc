namespace Matrix.Protocol;

/// <summary>Input that breaks the protocol. Every exception that this library throws for bad input derives from it.</summary>
public abstract class ProtocolException(string message) : Exception(message), IMatrixError
{
    /// <inheritdoc/>
    public virtual int Status => 400;

    /// <inheritdoc/>
    public abstract string Errcode { get; }
}

/// <summary>An identifier that breaks its grammar (Appendices, Identifier Grammar).</summary>
public sealed class InvalidIdentifierException(string message) : ProtocolException(message)
{
    /// <inheritdoc/>
    public override string Errcode => "M_INVALID_PARAM";
}

/// <summary>Bytes that are not JSON, or JSON that has no canonical form (Appendices, Canonical JSON).</summary>
public sealed class InvalidJsonException(string message) : ProtocolException(message)
{
    /// <inheritdoc/>
    public override string Errcode => "M_BAD_JSON";
}

/// <summary>An event that does not have the format of its room version.</summary>
public sealed class InvalidEventException(string message) : ProtocolException(message)
{
    /// <inheritdoc/>
    public override string Errcode => "M_BAD_JSON";
}

/// <summary>An event above the size limits: 65,536 bytes for the whole event, 255 bytes for the identifying fields (C-S API, Size limits).</summary>
public sealed class EventTooLargeException(string message) : ProtocolException(message)
{
    /// <inheritdoc/>
    public override int Status => 413;

    /// <inheritdoc/>
    public override string Errcode => "M_TOO_LARGE";
}

/// <summary>A key or signature that cannot be read.</summary>
public sealed class InvalidKeyException(string message) : ProtocolException(message)
{
    /// <inheritdoc/>
    public override string Errcode => "M_INVALID_PARAM";
}
