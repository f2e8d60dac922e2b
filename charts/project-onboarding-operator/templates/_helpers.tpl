{{- define "onboarding.labels" -}}
app.kubernetes.io/name: project-onboarding-operator
app.kubernetes.io/part-of: project-onboarding
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- /* User names as a list in CEL; the schema of the values lets no quote in. */ -}}
{{- define "onboarding.guard.users" -}}
{{- if . }}['{{ join "', '" . }}']{{ else }}[]{{ end }}
{{- end }}

{{- define "onboarding.guard.operators" -}}
{{- $own := printf "system:serviceaccount:%s:project-onboarding" .Values.namespace }}
{{- $all := list (printf "%s-operator" $own) (printf "%s-site" $own) }}
{{- include "onboarding.guard.users" (concat $all (.Values.guard.operators | default list)) }}
{{- end }}

{{- /* The first variables of every policy: who is who. */ -}}
{{- define "onboarding.guard.lists" -}}
- name: operators
  expression: {{ include "onboarding.guard.operators" . | quote }}
- name: deciders
  expression: {{ include "onboarding.guard.users" .Values.guard.deciders | quote }}
- name: neverExempt
  expression: {{ include "onboarding.guard.users" .Values.guard.neverExempt | quote }}
- name: argocdNamespaces
  expression: {{ include "onboarding.guard.users" .Values.guard.argocdNamespaces | quote }}
- name: controllers
  expression: {{ include "onboarding.guard.users" .Values.guard.controllers | quote }}
{{- end }}

{{- /* ClusterRoles that the operator may bind, as a list in JSON. */ -}}
{{- define "onboarding.bindable" -}}
{{- $own := list "onboarding:admin" "onboarding:developer" "onboarding:viewer" "onboarding:sync" }}
{{- range .Values.bindableClusterRoles }}
{{- if or (eq . "cluster-admin") (hasPrefix "system:" .) }}
{{- fail (printf "bindableClusterRoles: %s is never given to a project, name a role made for tenants" .) }}
{{- end }}
{{- end }}
{{- concat $own (.Values.bindableClusterRoles | default list) | uniq | toJson }}
{{- end }}

{{- /* Pod Security levels that a namespace may enforce, as a list in JSON: the lowest one and those above it. */ -}}
{{- define "onboarding.guard.levels" -}}
{{- $all := list "restricted" "baseline" "privileged" }}
{{- $lowest := .Values.guard.podSecurity | default "restricted" }}
{{- slice $all 0 (ternary 1 (ternary 2 3 (eq $lowest "baseline")) (eq $lowest "restricted")) | toJson }}
{{- end }}
