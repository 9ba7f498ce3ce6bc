using System.Globalization;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using DnsClient;

namespace Matrix.Ctl.Doctor;

/// <summary>
/// Is it found by its name, as other servers look for it (Server-Server API, Resolving server names): .well-known, SRV, address, TLS, answer?
/// </summary>
sealed class NameChecks(HttpClient http, string serverName, TimeProvider time)
{
    static readonly TimeSpan RenewalLimit = TimeSpan.FromDays(14);

    public async Task<IReadOnlyList<Finding>> Run(CancellationToken ct)
    {
        var findings = new List<Finding> { await ClientWellKnown(ct) };
        var (host, port) = await Target(findings, ct);
        if (await Resolve(host, findings, ct) && await Certificate(host, port, findings, ct)) findings.Add(await Reach(host, port, ct));
        return findings;
    }

    /// <summary>Where other servers come to: the delegation's host, SRV's, or port 8448 of the name itself.</summary>
    async Task<(string Host, int Port)> Target(List<Finding> findings, CancellationToken ct)
    {
        const string check = "delegation";
        if (Split(serverName) is (var own, { } explicitPort))
        {
            findings.Add(Finding.Well(check, $"none: the name itself says port {explicitPort}"));
            return (own, explicitPort);
        }
        try
        {
            using var answer = JsonDocument.Parse(await http.GetByteArrayAsync(new Uri($"https://{serverName}/.well-known/matrix/server"), ct));
            var target = answer.RootElement.GetProperty("m.server").GetString()!;
            findings.Add(Finding.Well(check, $".well-known sends other servers to {target}"));
            var (host, port) = Split(target);
            return port is { } given ? (host, given) : await Srv(host, findings, ct) ?? (host, 8448);
        }
        catch (Exception e) when (ServerChecks.IsExpected(e))
        {
            if (await Srv(serverName, findings, ct) is { } service) return service;
            findings.Add(Finding.Warning(check, $"no /.well-known/matrix/server at https://{serverName} ({e.Message}), no SRV record",
                $"Other servers will come to {serverName}:8448. If the server is elsewhere, serve .well-known there: docs/operations/delegation.md"));
            return (serverName, 8448);
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

    static async Task<(string Host, int Port)?> Srv(string host, List<Finding> findings, CancellationToken ct)
    {
        foreach (var service in new[] { "_matrix-fed._tcp.", "_matrix._tcp." })
        {
            try
            {
                var answer = await new LookupClient().QueryAsync(service + host, QueryType.SRV, cancellationToken: ct);
                if (answer.Answers.SrvRecords().OrderBy(record => record.Priority).FirstOrDefault() is not { } record) continue;
                var target = record.Target.Value.TrimEnd('.');
                findings.Add(Finding.Well("SRV", $"{service}{host} is {target}:{record.Port}"));
                return (target, record.Port);
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
            var addresses = await Dns.GetHostAddressesAsync(host, ct);
            findings.Add(Finding.Well("DNS", $"{host} is {string.Join(", ", addresses.Select(address => address.ToString()))}"));
            return true;
        }
        catch (SocketException e)
        {
            findings.Add(Finding.Bad("DNS", $"{host} has no address: {e.Message}", "Add an A or AAAA record."));
            return false;
        }
    }

    async Task<bool> Certificate(string host, int port, List<Finding> findings, CancellationToken ct)
    {
        const string check = "TLS";
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(host, port, ct);
            var errors = SslPolicyErrors.None;
#pragma warning disable CA5359 // what is wrong with the certificate is told, not ignored; nothing is sent over this connection
            await using var tls = new SslStream(client.GetStream(), false, (_, _, _, found) =>
            {
                errors = found;
                return true;
            });
#pragma warning restore CA5359
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = host }, ct);
            using var certificate = X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
            var left = certificate.NotAfter - time.GetUtcNow();
            var until = certificate.NotAfter.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
            findings.Add(errors != SslPolicyErrors.None
                ? Finding.Bad(check, $"{host}:{port} has a certificate that others refuse: {errors}", $"It needs one for {host}, by an authority that everybody knows, with its whole chain.")
                : left < RenewalLimit ? Finding.Warning(check, $"The certificate of {host}:{port} ends on {until}", "Renew it; the gateway reads a new file within a minute.")
                : Finding.Well(check, $"{host}:{port} has a certificate until {until}"));
            return true;
        }
        catch (Exception e) when (e is SocketException or IOException or System.Security.Authentication.AuthenticationException)
        {
            findings.Add(Finding.Bad(check, $"{host}:{port} cannot be reached: {e.Message}", "Is the port open in the firewall, and does something with TLS listen there?"));
            return false;
        }
    }

    async Task<Finding> Reach(string host, int port, CancellationToken ct)
    {
        const string check = "federation";
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"https://{host}:{port}/_matrix/federation/v1/version"));
            using var response = await http.SendAsync(request, ct);
            response.EnsureSuccessStatusCode();
            using var answer = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(ct));
            return Finding.Well(check, $"{host}:{port} answers as {answer.RootElement.GetProperty("server").GetProperty("name").GetString()}");
        }
        catch (Exception e) when (ServerChecks.IsExpected(e))
        {
            return Finding.Bad(check, $"https://{host}:{port}/_matrix/federation does not answer: {e.Message}", "Does the proxy pass /_matrix/federation and /_matrix/key to the gateway?");
        }
    }

    static (string Host, int? Port) Split(string name)
    {
        var colon = name.LastIndexOf(':');
        return colon > name.LastIndexOf(']') && int.TryParse(name.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port) ? (name[..colon], port) : (name, null);
    }
}
