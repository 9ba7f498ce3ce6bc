using System.Runtime.InteropServices;

namespace Matrix.MediaRepo.Images;

/// <summary>
/// What libvips allocates comes from glibc, which keeps a heap for each thread and gives nothing of it back by itself: after a dozen pictures that was
/// twice what one needs.
/// </summary>
static partial class NativeMemory
{
    const int MostArenas = -8; // M_ARENA_MAX of <malloc.h>

    /// <summary>All threads of the process share two heaps.</summary>
    public static void Share() => Try(() => _ = mallopt(MostArenas, 2));

    /// <summary>The kernel gets back what is free.</summary>
    public static void GiveBack() => Try(() => _ = malloc_trim(0));

    static void Try(Action call)
    {
        try
        {
            call();
        }
        catch (EntryPointNotFoundException)
        {
            // another C library, which has its own ways
        }
    }

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);

    [LibraryImport("libc")]
    private static partial int malloc_trim(nuint pad);
}
