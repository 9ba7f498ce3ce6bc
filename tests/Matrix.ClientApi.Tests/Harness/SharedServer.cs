[assembly: AssemblyFixture(typeof(MatrixServer))]
