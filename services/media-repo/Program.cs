using Matrix.Hosting;
using Matrix.Http;
using Matrix.MediaRepo;
using Matrix.Replication;

return MatrixApp.Run(args, "media-repo", builder => builder.AddMediaRepo().AddLeasesAndLimits(), app =>
{
    app.UseMediaQuestions();
    app.UseMatrixHttp();
    app.MapMediaRepo();
});
