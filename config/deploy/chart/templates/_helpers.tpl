{{- define "events.name" -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "events.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "events.labels" -}}
{{ include "events.selector" . }}
app.kubernetes.io/version: {{ .Values.image.tag | default .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* The text of a setting. A number is a float64 here, which is 5e+06 when it is printed as such. */}}
{{- define "events.setting" -}}
{{- if kindIs "slice" . }}{{ join "," . | quote }}
{{- else if kindIs "float64" . }}{{ toJson . | quote }}
{{- else }}{{ quote . }}
{{- end }}
{{- end }}
