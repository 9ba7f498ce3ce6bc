using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using DnsClient;
using Matrix.Protocol;

namespace Matrix.Ctl.Doctor;

/// <summary>
/// Is it found by its name, as other servers look for it (Server-Server API, Resolving server names): .well-known, SRV, address, TLS, answer?
/// </summary>
/// <param name="speaksTls">False: the configuration opens no port for TLS, which a proxy may do all the same.</param>
sealed class NameChecks(HttpClient http, LookupClient dns, string serverName, TimeProvider time, bool speaksTls = true)
{
    static readonly TimeSpan RenewalLimit = TimeSpan.FromDays(14), Patience = TimeSpan.FromSeconds(10);

    public async Task<IReadOnlyList<Finding>> Run(CancellationToken ct)
    {
        if (!speaksTls && IsOfThisMachine(Split(serverName).Host) && !await AnswersWithTls(ct))
        {
            return [Finding.Note("federation", $"Other servers cannot reach {serverName}, where nothing speaks TLS",
                "To try it out none is needed. To meet others it needs a name that they find: docs/operations/install.md")];
        }
        var findings = new List<Finding> { await ClientWellKnown(ct) };
        if (await Target(findings, ct) is { } place && await Resolve(place.Host, findings, ct) && await Certificate(place, findings, ct)) findings.Add(await Reach(place, ct));
        return findings;
    }

    /// <summary>Where other servers come to: the delegation's host, SRV's, or port 8448 of the name itself; null when nobody could tell.</summary>
    async Task<Place?> Target(List<Finding> findings, CancellationToken ct)
    {
        const string check = "delegation";
        if (Split(serverName) is (var own, { } explicitPort))
        {
            findings.Add(Finding.Well(check, $"none: the name itself says port {explicitPort}"));
            return new(own, explicitPort, own);
        }
        try
        {
            using var answer = JsonDocument.Parse(await http.GetByteArrayAsync(new Uri($"https://{serverName}/.well-known/matrix/server"), ct));
            var target = answer.RootElement.GetProperty("m.server").GetString()!;
            if (!ServerName.TryParse(target, null, out _))
            {
                findings.Add(Finding.Bad(check, $".well-known says '{target}', which is no server name", "m.server is a host, or host:port, without https:// and without a path."));
                return null;
            }
            findings.Add(Finding.Well(check, $".well-known sends other servers to {target}"));
            var (host, port) = Split(target);
            return port is { } given ? new(host, given, host) : await Srv(host, findings, ct) ?? new(host, 8448, host);
        }
        catch (Exception e) when (ServerChecks.IsExpected(e))
        {
            if (await Srv(serverName, findings, ct) is { } service) return service;
            findings.Add(Finding.Warning(check, $"no /.well-known/matrix/server at https://{serverName} ({e.Message}), no SRV record",
                $"Other servers will come to {serverName}:8448. If the server is elsewhere, serve .well-known there: docs/operations/delegation.md"));
            return new(serverName, 8448, serverName);
        }
    }

    async Task<Finding> ClientWellKnown(CancellationToken ct)
    {
        const string check = "client discovery";
        var name = Split(serverName).Host;
        try
        {
            using var answer = JsonDocument.Parse(await http.GetByteArrayAsync(new Uri($"https://{name}/.well-known/matrix/client"), ct));
            return Finding.Well(check, $".well-known sends clients to {answer.RootElement.GetProperty("m.homeserver").GetProperty("base_url").GetString()}");
        }
        catch (Exception e) when (ServerChecks.IsExpected(e))
        {
            return Finding.Warning(check, $"no /.well-known/matrix/client at https://{name}: {e.Message}",
                "People have to type the server's address instead of its name. Serve it, with Access-Control-Allow-Origin: *.");
        }
    }

    async Task<Place?> Srv(string host, List<Finding> findings, CancellationToken ct)
    {
        foreach (var service in new[] { "_matrix-fed._tcp.", "_matrix._tcp." })
        {
            try
            {
                var answer = await dns.QueryAsync(service + host, QueryType.SRV, cancellationToken: ct);
                if (answer.Answers.SrvRecords().OrderBy(record => record.Priority).FirstOrDefault() is not { } record) continue;
                var target = record.Target.Value.TrimEnd('.');
                findings.Add(Finding.Well("SRV", $"{service}{host} is {target}:{record.Port}"));
                return new(target, record.Port, host);
            }
            catch (DnsResponseException)
            {
                // there is none
            }
        }
        return null;
    }

    static async Task<bool> Resolve(string host, List<Finding> findings, CancellationToken ct)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(host.Trim('[', ']'), ct);
            findings.Add(Finding.Well("DNS", $"{host} is {string.Join(", ", addresses.Select(address => address.ToString()))}"));
            return true;
        }
        catch (SocketException e)
        {
            findings.Add(Finding.Bad("DNS", $"{host} has no address: {e.Message}", "Add an A or AAAA record."));
            return false;
        }
    }

    async Task<bool> Certificate(Place place, List<Finding> findings, CancellationToken ct)
    {
        const string check = "TLS";
        try
        {
            var (presented, errors) = await Handshake(place, ct);
            using var certificate = presented;
            var left = certificate.NotAfter - time.GetUtcNow();
            var until = certificate.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            findings.Add(left < TimeSpan.Zero ? Finding.Bad(check, $"The certificate of {place} ended on {until}", "Renew it: no other server comes in until then. The gateway reads a new file within a minute.")
                : errors != SslPolicyErrors.None ? Finding.Bad(check, $"{place} has a certificate that others refuse: {Explain(errors, certificate)}",
                    $"It needs one for {place.Name}, by an authority that everybody knows, with its whole chain.")
                : left < RenewalLimit ? Finding.Warning(check, $"The certificate of {place} ends on {until}", "Renew it; the gateway reads a new file within a minute.")
                : Finding.Well(check, $"{place} has a certificate until {until}"));
            return errors == SslPolicyErrors.None;
        }
        catch (Exception e) when (IsUnreachable(e, ct))
        {
            findings.Add(Finding.Bad(check, $"{place} cannot be reached: {(e is OperationCanceledException ? "no answer" : e.Message)}", "Is the port open in the firewall, and does something with TLS listen there?"));
            return false;
        }
    }

    static async Task<(X509Certificate2 Certificate, SslPolicyErrors Errors)> Handshake(Place place, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience); // a firewall that drops answers nothing
        using var client = new TcpClient();
        await client.ConnectAsync(place.Host.Trim('[', ']'), place.Port, limit.Token);
        var errors = SslPolicyErrors.None;
#pragma warning disable CA5359 // what is wrong with the certificate is told, not ignored; nothing is sent over this connection
        await using var tls = new SslStream(client.GetStream(), false, (_, _, _, found) =>
        {
            errors = found;
            return true;
        });
#pragma warning restore CA5359
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = place.Name }, limit.Token);
        return (X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData()), errors);
    }

    static bool IsUnreachable(Exception e, CancellationToken ct) =>
        e is SocketException or IOException or System.Security.Authentication.AuthenticationException || (e is OperationCanceledException && !ct.IsCancellationRequested);

    async Task<bool> AnswersWithTls(CancellationToken ct)
    {
        var (host, port) = Split(serverName);
        try
        {
            (await Handshake(new(host, port ?? 8448, host), ct)).Certificate.Dispose();
            return true;
        }
        catch (Exception e) when (IsUnreachable(e, ct))
        {
            return false;
        }
    }

    /// <summary>localhost, or an address that stands for the name and is one of this machine's.</summary>
    static bool IsOfThisMachine(string host) =>
        IPAddress.TryParse(host.Trim('[', ']'), out var address)
            ? IPAddress.IsLoopback(address) || NetworkInterface.GetAllNetworkInterfaces().Any(one => one.GetIPProperties().UnicastAddresses.Any(own => own.Address.Equals(address)))
            : host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase);

    static string Explain(SslPolicyErrors errors, X509Certificate2 certificate) =>
        errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch) ? $"it is for {certificate.GetNameInfo(X509NameType.DnsName, false)}"
        : certificate.Subject == certificate.Issuer ? "it is signed by itself"
        : $"its chain from {certificate.GetNameInfo(X509NameType.SimpleName, true)} does not lead to an authority that is known here";

    async Task<Finding> Reach(Place place, CancellationToken ct)
    {
        const string check = "federation";
        try
        {
            using var there = new SocketsHttpHandler { ConnectTimeout = Patience, ConnectCallback = async (_, token) => await place.Connect(token) };
            using var client = new HttpClient(there) { Timeout = http.Timeout };
            using var response = await client.GetAsync(new Uri($"https://{place.Name}:{place.Port}/_matrix/federation/v1/version"), ct);
            response.EnsureSuccessStatusCode();
            using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(ct));
            return Finding.Well(check, $"{place} answers as {answer.RootElement.GetProperty("server").GetProperty("name").GetString()}");
        }
        catch (Exception e) when (ServerChecks.IsExpected(e))
        {
            return Finding.Bad(check, $"{place}/_matrix/federation does not answer: {e.Message}", "Does the proxy pass /_matrix/federation and /_matrix/key to the gateway?");
        }
    }

    /// <summary>Where to connect to, and for which name it has to have a certificate: an SRV record's target is only an address.</summary>
    sealed record Place(string Host, int Port, string Name)
    {
        public override string ToString() => $"{Host}:{Port}";

        public async Task<Stream> Connect(CancellationToken ct)
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            try
            {
                await socket.ConnectAsync(Host.Trim('[', ']'), Port, ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
    }

    static (string Host, int? Port) Split(string name)
    {
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf(']') && int.TryParse(name.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port) ? (name[..colon], port) : (name, null);
    }
}
