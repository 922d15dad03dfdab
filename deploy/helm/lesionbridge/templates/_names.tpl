{{- define "lesionbridge.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What selects the pods of a component; never changed, since a Deployment can't change its selector. */}}
{{- define "lesionbridge.selector" -}}
app.kubernetes.io/name: {{ .root.Chart.Name }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "lesionbridge.labels" -}}
{{ include "lesionbridge.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "lesionbridge.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/*
Nobody is root, nothing of the image is written, no token of the cluster is mounted, and no variable LESIONBRIDGE_... comes
from the cluster: a service of this name would be LESIONBRIDGE_PORT=tcp://..., a setting that can't be used.
*/}}
{{- define "lesionbridge.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "lesionbridge.container" -}}
image: {{ include "lesionbridge.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "lesionbridge.environment" -}}
- {name: LESIONBRIDGE_CONFIG, value: /run/secrets/settings/settings.toml}
{{- range $name, $value := .Values.settings }}
{{- if kindIs "map" $value }}
{{- range $bound, $most := $value }}
- {name: {{ printf "LESIONBRIDGE_LIMIT_%s" (upper $bound) }}, value: {{ if kindIs "float64" $most }}{{ printf "%.0f" $most | quote }}{{ else }}{{ $most | toString | quote }}{{ end }}}
{{- end }}
{{- else }}
- {name: {{ printf "LESIONBRIDGE_%s" (upper $name) }}, value: {{ if kindIs "float64" $value }}{{ printf "%.0f" $value | quote }}{{ else }}{{ $value | toString | quote }}{{ end }}}
{{- end }}
{{- end }}
- {name: LESIONBRIDGE_MIGRATE, value: "false"}
- {name: LESIONBRIDGE_DELIVER_INSIDE, value: "false"}
{{- if .Values.destinations }}
- {name: LESIONBRIDGE_DESTINATIONS_FILE, value: /etc/lesionbridge/destinations.toml}
{{- end }}
{{- if .Values.receiving }}
- {name: LESIONBRIDGE_RECEIVING_FILE, value: /etc/lesionbridge-receiving/receiving.toml}
{{- end }}
{{- end -}}

{{- define "lesionbridge.mounts" -}}
- {name: settings, mountPath: /run/secrets/settings, readOnly: true}
- {name: temporary, mountPath: /tmp}
- {name: home, mountPath: /var/lib/lesionbridge}
{{- if .Values.destinations }}
- {name: destinations, mountPath: /etc/lesionbridge, readOnly: true}
{{- end }}
{{- if .Values.receiving }}
- {name: receiving, mountPath: /etc/lesionbridge-receiving, readOnly: true}
{{- end }}
{{- if .Values.files }}
- {name: site, mountPath: /etc/lesionbridge-site, readOnly: true}
{{- end }}
{{- if .Values.destinationsSecret }}
- {name: destinations-secret, mountPath: /run/secrets/lesionbridge, readOnly: true}
{{- end }}
{{- end -}}

{{- define "lesionbridge.volumes" -}}
- name: settings
  secret: {secretName: {{ .Values.settingsSecret }}, defaultMode: 0440}
- name: temporary
  emptyDir: {sizeLimit: 256Mi}
- name: home
  emptyDir: {sizeLimit: 64Mi}
{{- if .Values.destinations }}
- name: destinations
  configMap: {name: {{ include "lesionbridge.name" . }}-destinations}
{{- end }}
{{- if .Values.receiving }}
- name: receiving
  configMap: {name: {{ include "lesionbridge.name" . }}-receiving}
{{- end }}
{{- if .Values.files }}
- name: site
  configMap: {name: {{ include "lesionbridge.name" . }}-site}
{{- end }}
{{- with .Values.destinationsSecret }}
- name: destinations-secret
  secret: {secretName: {{ . }}, defaultMode: 0440}
{{- end }}
{{- end -}}

{{/* Spread over hosts, so that losing one does not lose all. */}}
{{- define "lesionbridge.placement" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "lesionbridge.selector" . | nindent 8 }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
