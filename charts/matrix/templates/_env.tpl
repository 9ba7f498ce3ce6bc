{{- /* The environment of one service: where its configuration lies, the runtime's settings, and the secrets, which override the file. */ -}}
{{- define "matrix.env" -}}
{{- $root := .root -}}
- name: MATRIX_CONFIG
  value: /etc/matrix/config/homeserver.yaml
- name: DOTNET_TieredPGO
  value: "0"
- name: DOTNET_EnableDiagnostics
  value: "0"
- name: MALLOC_ARENA_MAX
  value: "1"
{{- if ne .name "gateway" }}
{{ include "matrix.passwordEnv" (dict "root" $root "part" "postgres" "variable" "MATRIX__database__args__password") }}
{{- include "matrix.passwordEnv" (dict "root" $root "part" "rabbitmq" "variable" "MATRIX__rabbitmq__password") }}
{{- include "matrix.passwordEnv" (dict "root" $root "part" "redis" "variable" "MATRIX__redis__password") }}
{{- range $key, $variable := dict "registration-shared-secret" "registration_shared_secret" "form-secret" "form_secret" }}
- name: MATRIX__{{ $variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "matrix.secretsSecret" $root }}
      key: {{ $key }}
{{- end }}
{{- end }}
{{- if and (eq .name "media-repo") (include "matrix.s3Bucket" $root) }}
{{- with include "matrix.s3Secret" $root | fromYaml }}
- name: MATRIX__media_s3__access_key_id
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .accessKeyIdKey }}
- name: MATRIX__media_s3__secret_access_key
  valueFrom:
    secretKeyRef:
      name: {{ .name }}
      key: {{ .secretAccessKeyKey }}
{{- end }}
{{- end }}
{{- end }}

{{- define "matrix.passwordEnv" -}}
{{- if include "matrix.hasPassword" (dict "root" .root "part" .part) }}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef:
      name: {{ include "matrix.backendSecret" (dict "root" .root "part" .part) }}
      key: {{ include "matrix.backendKey" (dict "root" .root "part" .part) }}
{{- end }}
{{- end }}
