using Matrix.ClientApi;
using Matrix.FederationReader;
using Matrix.FederationSender;
using Matrix.Hosting;
using Matrix.Hosting.Tls;
using Matrix.Http;
using Matrix.MediaRepo;
using Matrix.Pusher;
using Matrix.Replication;

return MatrixApp.Run(
    args,
    "all-in-one",
    builder =>
    {
        builder.AddTls();
        builder.AddClientApi().AddFederationReader().AddFederationSender().AddMediaRepo().AddPusher().AddReplicationInProcess();
    },
    app =>
    {
        app.UseMatrixHttp();
        app.MapClientApi();
        app.MapFederationReader();
        app.MapMediaRepo();
    });
