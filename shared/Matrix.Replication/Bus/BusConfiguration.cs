using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Matrix.Replication;

/// <summary>
/// The bus carries facts that may be lost, so nothing of it is durable: each process has a queue that goes away with it, messages are not
/// confirmed, and they are plain JSON without MassTransit's envelope.
/// </summary>
static class BusConfiguration
{
    public static void UseRabbitMq(IBusRegistrationConfigurator bus) => bus.UsingRabbitMq((services, rabbit) =>
    {
        var options = services.GetRequiredService<IOptions<RabbitMqOptions>>().Value;
        rabbit.Host(options.Host, (ushort)options.Port, options.VirtualHost, host =>
        {
            host.Username(options.Username);
            host.Password(options.Password);
            host.PublisherConfirmation = false;
            host.Heartbeat(TimeSpan.FromSeconds(10));
            host.RequestedConnectionTimeout(TimeSpan.FromSeconds(5));
        });
        UseJson(rabbit);
        rabbit.Publish<LogAdvanced>(exchange => (exchange.Durable, exchange.AutoDelete) = (false, false));
        rabbit.Publish<LogCall>(exchange => (exchange.Durable, exchange.AutoDelete) = (false, false));
        rabbit.ReceiveEndpoint($"log-{Guid.NewGuid():n}", queue =>
        {
            MakeTransient(queue);
            Receive(queue, services);
        });
    });

    public static void UseMemory(IBusRegistrationConfigurator bus) => bus.UsingInMemory((services, memory) =>
    {
        UseJson(memory);
        memory.ReceiveEndpoint("log", queue => Receive(queue, services));
    });

    /// <summary>A further queue of this process, for the log's messages alone.</summary>
    public static void ReceiveLog(IReceiveEndpointConfigurator queue, LogFollower follower)
    {
        if (queue is IRabbitMqReceiveEndpointConfigurator rabbit)
            MakeTransient(rabbit);
        Prepare(queue);
        Offer(queue, follower);
    }

    static void MakeTransient(IRabbitMqReceiveEndpointConfigurator queue)
    {
        queue.Durable = false;
        queue.AutoDelete = true;
        queue.QueueExpiration = TimeSpan.FromMinutes(1); // auto-delete alone forgets a queue that never had a consumer
        queue.SetQueueArgument("x-max-length", 10_000);
        queue.PrefetchCount = 64;
    }

    static void UseJson(IBusFactoryConfigurator bus)
    {
        bus.UseRawJsonSerializer(RawSerializerOptions.AnyMessageType, isDefault: true);
        bus.ConfigureJsonSerializerOptions(options => new(options)
        {
            DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
        });
    }

    static void Receive(IReceiveEndpointConfigurator queue, IServiceProvider services)
    {
        var follower = services.GetRequiredService<LogFollower>();
        Prepare(queue);
        queue.ConnectReceiveEndpointObserver(services.GetRequiredService<BusState>());
        foreach (var configure in services.GetServices<IConfigureReceiveEndpoint>())
            configure.Configure("log", queue);
        var options = services.GetRequiredService<LogFollowerOptions>();
        if (!options.Relaxed)
        {
            Offer(queue, follower);
            return;
        }
        queue.ConfigureConsumeTopology = false; // bound to no commits: it shows whether the bus is there
        if (options.IsCalled && queue is IRabbitMqReceiveEndpointConfigurator rabbit)
            TakeCalls(rabbit, follower);
    }

    static void Prepare(IReceiveEndpointConfigurator queue)
    {
        queue.ConcurrentMessageLimit = 1; // one after another: the broker's order is nearly the log's
        queue.PublishFaults = false;
        queue.DiscardFaultedMessages();
        queue.DiscardSkippedMessages();
    }

    static void TakeCalls(IRabbitMqReceiveEndpointConfigurator queue, LogFollower follower)
    {
        queue.Bind<LogCall>();
        queue.Handler<LogCall>(context =>
        {
            follower.Want(context.Message.To);
            return Task.CompletedTask;
        });
    }

    static void Offer(IReceiveEndpointConfigurator queue, LogFollower follower) => queue.Handler<LogAdvanced>(context =>
    {
        follower.Offer(context.Message);
        return Task.CompletedTask;
    });
}
