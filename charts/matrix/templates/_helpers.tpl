{{- define "matrix.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "matrix.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "matrix.name" .) .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name (include "matrix.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "matrix.selector" -}}
app.kubernetes.io/name: {{ include "matrix.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "matrix.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{ include "matrix.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "matrix.annotations" -}}
{{- with .Values.commonAnnotations }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- /* The services that run, in the order of this list. */ -}}
{{- define "matrix.services" -}}
{{- $enabled := list -}}
{{- range $name := list "gateway" "client-api" "federation-reader" "federation-sender" "media-repo" "pusher" -}}
{{- if (include "matrix.service" (dict "root" $ "name" $name) | fromYaml).enabled }}{{ $enabled = append $enabled $name }}{{ end -}}
{{- end -}}
{{ toJson $enabled }}
{{- end }}

{{- /* The values of one service: the defaults, then its own. */ -}}
{{- define "matrix.service" -}}
{{ mustMergeOverwrite (deepCopy .root.Values.defaults) (deepCopy (get .root.Values.services .name | default dict)) | toYaml }}
{{- end }}

{{- define "matrix.image" -}}
{{- $image := .root.Values.image -}}
{{ with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}-{{ .name }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end }}

{{- define "matrix.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "matrix.fullname" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}
{{- end }}
{{- end }}

{{- define "matrix.signingKeySecret" -}}
{{ .Values.signingKey.existingSecret | default (printf "%s-signing-key" (include "matrix.fullname" .)) }}
{{- end }}

{{- define "matrix.secretsSecret" -}}
{{ .Values.secrets.existingSecret | default (printf "%s-secrets" (include "matrix.fullname" .)) }}
{{- end }}

{{- define "matrix.backendSecret" -}}
{{ (get .root.Values .part).existingSecret | default (printf "%s-backends" (include "matrix.fullname" .root)) }}
{{- end }}

{{- define "matrix.backendKey" -}}
{{- $part := get .root.Values .part -}}
{{ if $part.existingSecret }}{{ $part.passwordKey }}{{ else }}{{ .part }}-password{{ end }}
{{- end }}

{{- /* Is there a password at all? Redis may have none. */ -}}
{{- define "matrix.hasPassword" -}}
{{- $part := get .root.Values .part -}}
{{- if or $part.existingSecret $part.password (get .root.Values.bundled .part).enabled }}true{{ end -}}
{{- end }}

{{- define "matrix.backendHost" -}}
{{- $part := get .root.Values .part -}}
{{- if (get .root.Values.bundled .part).enabled }}{{ include "matrix.fullname" .root }}-{{ .part }}
{{- else }}{{ required (printf "%s.host is required unless bundled.%s.enabled" .part .part) $part.host }}
{{- end }}
{{- end }}

{{- /* The bucket of media; empty where there is none. */ -}}
{{- define "matrix.s3Bucket" -}}
{{ .Values.media.s3.bucket | default (ternary "media" "" .Values.bundled.s3.enabled) }}
{{- end }}

{{- define "matrix.s3Endpoint" -}}
{{ if .Values.bundled.s3.enabled }}http://{{ include "matrix.fullname" . }}-s3:7070{{ else }}{{ .Values.media.s3.endpoint }}{{ end }}
{{- end }}

{{- /* Where the bucket's credentials lie; nothing where they are the pod's own. */ -}}
{{- define "matrix.s3Secret" -}}
{{- if .Values.media.s3.existingSecret -}}
{{ pick .Values.media.s3 "accessKeyIdKey" "secretAccessKeyKey" | merge (dict "name" .Values.media.s3.existingSecret) | toYaml }}
{{- else if .Values.bundled.s3.enabled -}}
{{ dict "name" (printf "%s-backends" (include "matrix.fullname" .)) "accessKeyIdKey" "s3-access-key-id" "secretAccessKeyKey" "s3-secret-access-key" | toYaml }}
{{- end -}}
{{- end }}

{{- define "matrix.host" -}}
{{- if .Values.publicBaseurl }}{{ (urlParse .Values.publicBaseurl).hostname }}{{ end -}}
{{- end }}

{{- define "matrix.serverHost" -}}
{{ regexReplaceAll ":[0-9]+$" .Values.serverName "" }}
{{- end }}

{{- /* The names that lead to the gateway, without repetition. */ -}}
{{- define "matrix.hosts" -}}
{{- $hosts := list -}}
{{- with include "matrix.host" . }}{{ $hosts = append $hosts . }}{{ end -}}
{{- if .Values.delegation.wellKnown }}{{ $hosts = append $hosts (include "matrix.serverHost" .) }}{{ end -}}
{{- range concat .Values.ingress.extraHosts .Values.gatewayApi.extraHosts }}{{ $hosts = append $hosts . }}{{ end -}}
{{ $hosts | uniq | toJson }}
{{- end }}

{{- define "matrix.tlsSecret" -}}
{{ .Values.certificate.secretName | default .Values.ingress.tls.secretName | default .Values.gateway.tls.secretName | default (printf "%s-tls" (include "matrix.fullname" .)) }}
{{- end }}

{{- define "matrix.port" -}}{{ if eq . "gateway" }}8008{{ else }}8080{{ end }}{{- end }}

{{- /* Does the gateway send it requests? */ -}}
{{- define "matrix.hasRoutes" -}}{{ if has . (list "client-api" "federation-reader" "media-repo") }}true{{ end }}{{- end }}

{{- /* homeserver.yaml of one service. */ -}}
{{- define "matrix.config" -}}
{{- $root := .root -}}
{{- $values := $root.Values -}}
{{- $service := include "matrix.service" . | fromYaml -}}
{{- $config := dict
    "server_name" (required "serverName is required: what stands behind the colon of user ids" $values.serverName)
    "report_stats" false
    "signing_key_path" "/etc/matrix/signing/signing.key"
    "listen" (list (printf "http://*:%s" (include "matrix.port" .name)))
    "shutdown_drain" (printf "%ds" (int $service.drainSeconds))
    "shutdown_timeout" (printf "%ds" (int $service.finishSeconds))
    "log" (dict "format" $values.log.format "level" $values.log.level "levels" $values.log.levels "levels_file" "/etc/matrix/config/log-levels.json")
    "enable_metrics" $values.metrics.enabled
    "max_upload_size" $values.media.maxUploadSize
    "media_store_path" "/var/lib/matrix/media"
    "serve_server_wellknown" $values.delegation.wellKnown
-}}
{{- if $values.metrics.enabled }}{{ $_ := set $config "metrics_listen" (printf "http://*:%d" (int $values.metrics.port)) }}{{ end -}}
{{- if $values.publicBaseurl }}{{ $_ := set $config "public_baseurl" (printf "%s/" (trimSuffix "/" $values.publicBaseurl)) }}{{ end -}}
{{- with $values.opentelemetry }}{{ if .endpoint }}{{ $_ := set $config "opentelemetry" (dict "endpoint" .endpoint "protocol" .protocol "sample_ratio" .sampleRatio "accept_callers" .acceptCallers) }}{{ end }}{{ end -}}
{{- if and (eq .name "media-repo") (include "matrix.s3Bucket" $root) -}}
{{- $s3 := $values.media.s3 -}}
{{- if and $s3.redirect $values.bundled.s3.enabled }}{{ fail "media.s3.redirect needs a bucket that clients reach: that of bundled.s3 is inside the cluster" }}{{ end -}}
{{- $_ := set $config "media_stores" (ternary (list "s3" "disk") (list "s3") $values.media.persistence.enabled) -}}
{{- $_ := set $config "media_s3" (dict "bucket" (include "matrix.s3Bucket" $root) "region" $s3.region "prefix" $s3.prefix
    "force_path_style" (or $s3.forcePathStyle $values.bundled.s3.enabled) "redirect" $s3.redirect) -}}
{{- with include "matrix.s3Endpoint" $root }}{{ $_ := set $config.media_s3 "endpoint" . }}{{ end -}}
{{- end -}}
{{- if eq .name "gateway" -}}
{{- $clusters := dict -}}
{{- range $name := include "matrix.services" $root | fromJsonArray -}}
{{- if include "matrix.hasRoutes" $name }}{{ $_ := set $clusters $name (list (printf "http://%s-%s-replicas:8080" (include "matrix.fullname" $root) $name)) }}{{ end -}}
{{- end -}}
{{- $_ := set $config "gateway" (dict "clusters" $clusters "resolve_interval" "3s" "health_interval" "2s") -}}
{{- $_ := set $config "x_forwarded" $values.gateway.trustForwardedFor -}}
{{- if $values.gateway.tls.enabled -}}
{{- $_ := set $config "tls_listen" (list "https://*:8448") -}}
{{- $_ := set $config "tls_certificate_path" "/etc/matrix/tls/tls.crt" -}}
{{- $_ := set $config "tls_private_key_path" "/etc/matrix/tls/tls.key" -}}
{{- end -}}
{{- else -}}
{{- $_ := set $config "database" (dict "args" (dict "host" (include "matrix.backendHost" (dict "root" $root "part" "postgres")) "port" (int $values.postgres.port)
    "user" $values.postgres.user "database" $values.postgres.database "cp_max" (int $values.postgres.maxConnections))
    "auto_migrate" (not (include "matrix.migrates" $root | eq "true"))) -}}
{{- $_ := set $config "rabbitmq" (dict "host" (include "matrix.backendHost" (dict "root" $root "part" "rabbitmq")) "port" (int $values.rabbitmq.port)
    "username" $values.rabbitmq.username "virtual_host" $values.rabbitmq.virtualHost) -}}
{{- $_ := set $config "redis" (dict "host" (include "matrix.backendHost" (dict "root" $root "part" "redis")) "port" (int $values.redis.port) "dbid" (int $values.redis.database)) -}}
{{- end -}}
{{ mustMergeOverwrite $config (deepCopy $values.config) (deepCopy $service.config) | toYaml }}
{{- end }}

{{- /* Does the Job keep the schema? Not beside the bundled Postgres, which is not there before the installation: then the services do it themselves. */ -}}
{{- define "matrix.migrates" -}}{{ and .Values.migrations.enabled (not .Values.bundled.postgres.enabled) }}{{- end }}
