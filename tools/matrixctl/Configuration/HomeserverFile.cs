using System.Security.Cryptography;
using System.Text;
using Matrix.LocalStack;

namespace Matrix.Ctl.Configuration;

/// <summary>A new homeserver.yaml with its secrets, and the signing key beside it.</summary>
static class HomeserverFile
{
    /// <summary>Writes both, each only if it is not there. Returns the files that were written.</summary>
    public static IReadOnlyList<string> Create(string path, string serverName, bool reportStats, string dataFolder)
    {
        var written = new List<string>();
        var key = Path.Combine(Path.GetDirectoryName(path)!, $"{serverName.Replace(':', '_')}.signing.key");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (!File.Exists(key))
        {
            AtomicFile.Write(key, Encoding.ASCII.GetBytes(SigningKeyFile.New()));
            written.Add(key);
        }
        if (!File.Exists(path))
        {
            AtomicFile.Write(path, Encoding.UTF8.GetBytes(Text(serverName, reportStats, key, Path.Combine(dataFolder, "media"))));
            written.Add(path);
        }
        return written;
    }

    static string Secret() => RandomNumberGenerator.GetHexString(50, lowercase: true);

    static string Text(string serverName, bool reportStats, string key, string media) =>
        $"""
        # The homeserver's configuration, one file for all its services. Keys are named as Synapse names them where they mean the same.
        # Each value can be overridden from the environment, with two underscores between levels: MATRIX__database__args__host=db1
        # Here are the usual ones; docs/operations/configuration.md has them all.

        # What stands behind the colon of user ids. It can never be changed.
        server_name: "{serverName}"

        # Where clients reach the server. Left out, the address that they used.
        #public_baseurl: "https://matrix.example.org/"

        # Whether to report statistics about this server. Nothing is sent today; the choice is kept for when something could be.
        report_stats: {(reportStats ? "true" : "false")}

        # The key that signs this server's events. Keep a copy: a lost key cannot be made again.
        signing_key_path: "{key}"

        # --- Federation

        # The only servers to speak with; left out, all of them.
        #federation_domain_whitelist: [ "example.com" ]

        # Authorities (PEM) that sign other servers' certificates, instead of the system's. For private networks of servers.
        #federation_custom_ca_list: [ "/etc/matrix/ca.pem" ]

        # Addresses that are never connected to because another server says so, and exceptions. The default is all that is not public.
        #ip_range_blacklist: [ "10.0.0.0/8" ]
        #ip_range_whitelist: [ "10.1.2.3" ]

        # Servers that are asked for others' keys before those themselves.
        #trusted_key_servers:
        #  - server_name: "matrix.org"
        #    verify_keys:
        #      "ed25519:auto": "Noi6WqcDj0QmPxCNQqgezwTlBKrfqehY1u2FyWP9uYw"

        #https_proxy: "http://proxy.example.org:3128"
        #no_proxy_hosts: [ "example.net" ]

        # --- Services. What is not named here, `matrixctl up` starts for itself in its data folder.

        #database:
        #  args:
        #    host: localhost
        #    port: 5432
        #    user: matrix
        #    password: secret
        #    database: matrix
        #    cp_max: 20          # connections of each process

        #rabbitmq:
        #  host: localhost
        #  port: 5672
        #  username: matrix
        #  password: secret
        #  virtual_host: /

        #redis:
        #  host: localhost
        #  port: 6379
        #  password: secret

        # --- Accounts

        # Whoever knows this secret can make accounts, administrators too: `matrixctl register-user` does.
        registration_shared_secret: "{Secret()}"

        # Lets anybody make an account. Refused without a check (a token, below), unless the second key says that this is meant.
        enable_registration: false
        #enable_registration_without_verification: false
        #registration_requires_token: true
        #allow_guest_access: false

        # The work that a password hash costs: one more doubles it.
        #bcrypt_rounds: 12
        #password_config:
        #  enabled: true
        #  pepper: ""            # never change it once there are passwords

        # How long an access token that can be refreshed lives; all others live until logout.
        #refreshable_access_token_lifetime: 5m

        form_secret: "{Secret()}"

        # --- Rooms

        #default_room_version: "12"
        #partial_joins:
        #  enabled: true         # let users into big rooms of other servers before all members are known
        #  patience: 200ms       # who joins a small room waits so long for the members: if it is whole by then, it is never without them
        #allow_public_rooms_over_federation: false

        # --- Media

        media_store_path: "{media}"
        #max_upload_size: 50M

        # --- What the server says to its users (POST /_synapse/admin/v1/send_server_notice)

        #server_notices:
        #  system_mxid_localpart: notices

        # --- Calls: where they go when two people cannot reach each other, and where those of MatrixRTC (Element Call) go

        #turn_uris: ["turn:turn.example.org?transport=udp"]
        #turn_shared_secret: "..."
        #matrix_rtc:
        #  transports:
        #  - type: livekit
        #    livekit_service_url: https://livekit.example.org

        # --- Limits, shared by all replicas: a steady rate, and how much may come at once

        #rc_message: {Bucket("0.2", 10)}
        #rc_registration: {Bucket("0.17", 3)}
        #rc_login:
        #  address: {Bucket("0.003", 5)}
        #  account: {Bucket("0.003", 5)}
        #  failed_attempts: {Bucket("0.17", 3)}
        #rc_joins:
        #  local: {Bucket("0.1", 10)}
        #  remote: {Bucket("0.01", 10)}
        #rc_invites:
        #  per_room: {Bucket("0.3", 10)}
        #  per_user: {Bucket("0.003", 5)}
        #  per_issuer: {Bucket("0.3", 10)}
        #rc_reports: {Bucket("1", 5)}

        """;

    static string Bucket(string perSecond, int burst) => $"{{ per_second: {perSecond}, burst_count: {burst} }}";
}
