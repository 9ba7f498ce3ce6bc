using BenchmarkDotNet.Running;
using Matrix.Benchmarks;

// dotnet run -c Release --project tests/Matrix.Benchmarks -- --filter '*' --job short
// dotnet run -c Release --project tests/Matrix.Benchmarks -- bars
if (args is ["bars"])
    return Bars.Run();
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
return 0;
