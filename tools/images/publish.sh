#!/bin/sh
# What goes into the image of a service, compiled ahead of time: publish.sh SERVICE ARCHITECTURE FOLDER
#   SERVICE: gateway, client-api, federation-reader, federation-sender, media-repo, pusher, all-in-one, matrixctl; ARCHITECTURE: amd64, arm64
set -eu
service=$1 architecture=$2 folder=$3
cd "$(dirname "$0")/../.."
case $service in
    gateway) project=gateway ;;
    matrixctl) project=tools/matrixctl ;;
    *) project=services/$service ;;
esac
case $architecture in
    amd64) runtime=linux-x64 ;;
    arm64) runtime=linux-arm64 ;;
    *) echo "unknown architecture $architecture" >&2; exit 2 ;;
esac
# output of its own, so that a developer's build stays as it is
dotnet publish "$project" -c Release -r "$runtime" --self-contained false -o "$folder" -v q -nologo \
    -p:PublishReadyToRun=true -p:ArtifactsPath="${MATRIX_IMAGE_ARTIFACTS:-$PWD/artifacts/images}" \
    -p:DebugType=none -p:GenerateDocumentationFile=false -p:RunAnalyzers=false -p:EnforceCodeStyleInBuild=false
# one name to start, whatever the service: the image has no shell to look for it
for program in "$folder"/Matrix.*.dll "$folder"/matrixctl.dll; do
    start=${program%.dll}
    if [ -x "$start" ]; then ln -sf "$(basename "$start")" "$folder/run"; fi
done
test -x "$folder/run"
