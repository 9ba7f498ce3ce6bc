# One image for each service:
#   docker build --build-arg SERVICE=client-api -t matrix-homeserver/matrix-client-api .
ARG DOTNET=10.0

FROM mcr.microsoft.com/dotnet/sdk:${DOTNET} AS build
ARG SERVICE
ARG TARGETARCH=amd64
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/root/.nuget/packages sh tools/images/publish.sh "${SERVICE}" "${TARGETARCH}" /app

# no shell, no package manager; the user is not root
FROM mcr.microsoft.com/dotnet/aspnet:${DOTNET}-noble-chiseled
LABEL org.opencontainers.image.title="Matrix homeserver" org.opencontainers.image.licenses="Apache-2.0"
WORKDIR /app
COPY --from=build /app .
# DOTNET_TieredPGO: instrumented code costs a starting process time and memory; MALLOC_ARENA_MAX: the runtime has its own heap;
# DOTNET_EnableDiagnostics: its sockets would need a writable /tmp
ENV DOTNET_TieredPGO=0 DOTNET_EnableDiagnostics=0 MALLOC_ARENA_MAX=1
USER 10001:10001
EXPOSE 8080
ENTRYPOINT ["/app/run"]
