using BenchmarkDotNet.Running;

// dotnet run -c Release --project tests/Matrix.Benchmarks -- --filter '*' --job short
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
