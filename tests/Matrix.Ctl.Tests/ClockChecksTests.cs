using System.Net;
using Matrix.Ctl.Doctor;

namespace Matrix.Ctl.Tests;

/// <summary>What <c>matrixctl doctor</c> says of the clock.</summary>
public sealed class ClockChecksTests
{
    const int Ok = 0, Error = 5, Unsynchronised = 0x40;

    [Theory]
    [InlineData(Ok, 0, 20, true, "within 20 ms")]
    [InlineData(Error, 0, 20, false, "nobody who corrects")]
    [InlineData(Ok, Unsynchronised, 16_000, false, "nobody who corrects")]
    [InlineData(Ok, 0, 16_000, false, "perhaps 16 s off")]
    public void The_kernel_is_believed(int state, int status, int milliseconds, bool isWell, string found)
    {
        var finding = ClockChecks.Judge(new(state, status, TimeSpan.FromMilliseconds(milliseconds)));
        Assert.Equal(isWell ? Verdict.Well : Verdict.Warning, finding.Verdict);
        Assert.Contains(found, finding.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_kernel_that_does_not_say_is_no_failure()
    {
        Assert.Equal(Verdict.Warning, ClockChecks.Judge(null).Verdict);
        Assert.NotEqual(Verdict.Bad, ClockChecks.Kernel().Verdict); // the one that runs this
    }

    [Fact]
    public async Task Whoever_answers_is_compared_but_not_who_answers_what_was_kept()
    {
        using var times = new HostTimes(new Answers(), TimeProvider.System);
        using var http = new HttpClient(times);
        foreach (var host in new[] { "right.example", "late.example", "kept.example" }) await http.GetAsync(new Uri($"https://{host}/"), TestContext.Current.CancellationToken);
        var findings = ClockChecks.Compare(times).ToList();
        Assert.Equal([Verdict.Warning, Verdict.Well], findings.Select(finding => finding.Verdict));
        Assert.Contains("late.example says that it is", findings[0].Found, StringComparison.Ordinal);
        Assert.EndsWith("s earlier", findings[0].Found, StringComparison.Ordinal);
    }

    sealed class Answers : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var (host, now) = (request.RequestUri!.Host, TimeProvider.System.GetUtcNow());
            var response = new HttpResponseMessage(HttpStatusCode.NotFound);
            response.Headers.Date = host == "right.example" ? now : now.AddMinutes(-5);
            if (host == "kept.example") response.Headers.Age = TimeSpan.FromMinutes(5);
            return Task.FromResult(response);
        }
    }
}
