# What the three scripts share. MATRIX_DEMO_DATA: where the servers live (demo/data). MATRIX_DEMO_PORT: the first server's port for clients (8080);
# the others have the next two, and for each other they listen 400 above these.
set -euo pipefail
demo=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
root=$(dirname "$demo")
data=${MATRIX_DEMO_DATA:-$demo/data}
first_port=${MATRIX_DEMO_PORT:-8080}
servers=(0 1 2)
users=(alice bob carol)

client_port() { echo $((first_port + $1)); }
server_name() { echo "localhost:$((first_port + 400 + $1))"; }
