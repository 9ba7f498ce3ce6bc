using MassTransit;

namespace Matrix.Replication.Worker;

/// <summary>A transport at its worst: of the messages it loses a fifth, repeats a fifth, and delivers all of them in any order.</summary>
sealed class Chaos : IConfigureReceiveEndpoint, IFilter<ConsumeContext>
{
    public void Configure(string name, IReceiveEndpointConfigurator configurator)
    {
        configurator.ConcurrentMessageLimit = 16; // side by side, so that they can overtake each other
        configurator.UseFilter(this);
    }

    public async Task Send(ConsumeContext context, IPipe<ConsumeContext> next)
    {
        var fate = Random.Shared.Next(10);
        if (fate < 2)
            return;
        await Task.Delay(Random.Shared.Next(60));
        await next.Send(context);
        if (fate >= 8)
            await next.Send(context);
    }

    public void Probe(ProbeContext context)
    {
    }
}
