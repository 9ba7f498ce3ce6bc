namespace Matrix.MediaRepo.Images;

/// <summary>
/// A picture in some thirty characters, to be shown while it is loaded (MSC2448, https://blurha.sh): the lowest frequencies of its colours, each rounded
/// to a few steps and written in base 83.
/// </summary>
static class BlurHash
{
    const int Across = 4, Down = 3;
    const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

    /// <param name="pixels">Red, green and blue of each, from the top left on; a few hundred are enough.</param>
    public static string Of(ReadOnlySpan<byte> pixels, int width, int height)
    {
        var frequencies = new (double R, double G, double B)[Across * Down];
        for (var y = 0; y < Down; y++)
        {
            for (var x = 0; x < Across; x++)
                frequencies[(y * Across) + x] = Frequency(pixels, width, height, x, y);
        }
        var steepest = frequencies.Skip(1).Max(f => Math.Max(Math.Abs(f.R), Math.Max(Math.Abs(f.G), Math.Abs(f.B))));
        var scale = Math.Clamp((int)Math.Floor((steepest * 166) - 0.5), 0, 82);
        Span<char> text = stackalloc char[6 + (2 * ((Across * Down) - 1))];
        Write(text[..1], Across - 1 + ((Down - 1) * 9));
        Write(text[1..2], scale);
        var (r, g, b) = frequencies[0];
        Write(text[2..6], (ToSrgb(r) << 16) + (ToSrgb(g) << 8) + ToSrgb(b));
        for (var i = 1; i < frequencies.Length; i++)
        {
            (r, g, b) = frequencies[i];
            var most = (scale + 1) / 166.0;
            Write(text.Slice(4 + (2 * i), 2), (Step(r / most) * 19 * 19) + (Step(g / most) * 19) + Step(b / most));
        }
        return new string(text);
    }

    static (double R, double G, double B) Frequency(ReadOnlySpan<byte> pixels, int width, int height, int fx, int fy)
    {
        var (r, g, b) = (0.0, 0.0, 0.0);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var weight = Math.Cos(Math.PI * fx * x / width) * Math.Cos(Math.PI * fy * y / height);
                var pixel = pixels.Slice(3 * ((y * width) + x), 3);
                r += weight * ToLinear(pixel[0]);
                g += weight * ToLinear(pixel[1]);
                b += weight * ToLinear(pixel[2]);
            }
        }
        var factor = (fx == 0 && fy == 0 ? 1.0 : 2.0) / (width * height);
        return (r * factor, g * factor, b * factor);
    }

    static int Step(double value) => Math.Clamp((int)Math.Floor((Math.Sign(value) * Math.Sqrt(Math.Abs(value)) * 9) + 9.5), 0, 18);

    static double ToLinear(byte value) => value / 255.0 is var v && v <= 0.04045 ? v / 12.92 : Math.Pow((v + 0.055) / 1.055, 2.4);

    static int ToSrgb(double value) => Math.Clamp(value, 0, 1) is var v && v <= 0.0031308
        ? (int)((v * 12.92 * 255) + 0.5)
        : (int)((((1.055 * Math.Pow(v, 1 / 2.4)) - 0.055) * 255) + 0.5);

    static void Write(Span<char> to, int value)
    {
        for (var i = to.Length - 1; i >= 0; i--, value /= Digits.Length)
            to[i] = Digits[value % Digits.Length];
    }
}
