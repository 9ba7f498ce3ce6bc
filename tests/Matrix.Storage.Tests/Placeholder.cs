namespace Matrix.Storage.Tests;

public class Placeholder { [Fact] public void Builds() => Assert.True(true); }
