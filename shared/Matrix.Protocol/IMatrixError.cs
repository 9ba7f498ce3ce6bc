namespace Matrix.Protocol;

/// <summary>An exception that already knows the Matrix error it means, so that one handler can turn it into <c>{errcode, error}</c>.</summary>
public interface IMatrixError
{
    /// <summary>The HTTP status code to answer with.</summary>
    int Status { get; }

    /// <summary>The Matrix error code, such as <c>M_FORBIDDEN</c>.</summary>
    string Errcode { get; }

    /// <summary>Text for humans; safe to show to the caller.</summary>
    string Message { get; }
}
