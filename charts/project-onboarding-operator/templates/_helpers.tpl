{{- define "onboarding.labels" -}}
app.kubernetes.io/name: project-onboarding-operator
app.kubernetes.io/part-of: project-onboarding
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
