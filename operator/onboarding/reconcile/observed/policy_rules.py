"""Rules for policies that the CRD schema cannot express: amounts, counts, probes; pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from pydantic.alias_generators import to_camel

from onboarding.api.common import LABEL_KEY, Amounts
from onboarding.api.policy import OnboardingPolicySpec, PodSecurityLevel
from onboarding.api.probes import Directory
from onboarding.api.quantities import milli
from onboarding.api.quota import CONTAINER_RESOURCES
from onboarding.api.text import choose
from onboarding.api.urls import UrlError, origin_form
from onboarding.reconcile.observed.delivery_rules import delivery_problems
from onboarding.reconcile.observed.gate_rules import CATALOGUE, Known, gate_problems
from onboarding.reconcile.observed.identity_rules import identity_problems
from onboarding.reconcile.observed.journey_rules import journey_problems
from onboarding.reconcile.observed.persona_rules import persona_problems
from onboarding.reconcile.observed.validity import Problem, cidr_problems, repeated

_LEVELS: Final = tuple(PodSecurityLevel)
"""From the least to the most restrictive."""
_COUNTED: Final = frozenset(
    {
        "configmaps",
        "persistentvolumeclaims",
        "replicationcontrollers",
        "resourcequotas",
        "secrets",
        "services",
        "services.loadbalancers",
    }
)
"""Keys without an API group by which a ResourceQuota counts objects (IsStandardQuotaResourceName of Kubernetes)."""
_OTHER_KEY: Final = re.compile(
    r"^(?!(requests|limits)\.)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"
    r"/(?!requests\.)[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$"
)
"""A qualified name that is not an amount, because spec.sizes sets amounts."""
_ONE_IS_OURS: Final = ("resourcequotas", "count/resourcequotas", "count/limitranges")
_MANY_ARE_OURS: Final = ("count/networkpolicies.networking.k8s.io", "count/rolebindings.rbac.authorization.k8s.io")
_PLATFORM: Final = re.compile(r"^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$")


def policy_problems(policy: OnboardingPolicySpec, known: Known = CATALOGUE) -> tuple[Problem, ...]:
    """Return the problems of a policy, in the order of its fields; ``known`` lists the existing checks."""
    problems = (
        *_names(policy),
        *_stages(policy),
        *_sizes(policy),
        *persona_problems(policy),
        *_container(policy),
        *_object_counts(policy.object_counts),
        *_pod_security(policy),
        *gate_problems(policy, known),
        *identity_problems(policy),
        *journey_problems(policy),
        *_workloads(policy),
        *delivery_problems(policy),
        *_probes(policy),
    )
    return tuple(dict.fromkeys(problems))


def _names(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    yield from repeated("spec.stages", "name", (stage.name for stage in policy.stages))
    yield from repeated("spec.sizes", "name", (size.name for size in policy.sizes))
    yield from repeated("spec.personas", "name", (persona.name for persona in policy.personas))
    yield from repeated("spec.journeys", "", policy.journeys)
    yield from repeated("spec.placement", "name", (rule.name for rule in policy.placement))
    yield from repeated("spec.territories", "name", (item.name for item in policy.territories))
    yield from _origins(policy)


def _stages(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    sizes = [size.name for size in policy.sizes]
    for index, stage in enumerate(policy.stages):
        if stage.default_size not in sizes:
            field = f"spec.stages[{index}].defaultSize"
            yield Problem(field, f"there is no size {stage.default_size}", choose(sizes))
        if stage.production and stage.fictive_data:
            field = f"spec.stages[{index}].fictiveData"
            yield Problem(field, "production serves real data", "remove it, or set production: false")


def _sizes(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    least = policy.container.minimum
    for index, size in enumerate(policy.sizes):
        field = f"spec.sizes[{index}]"
        for attribute in CONTAINER_RESOURCES.values():
            path, amount = f"{field}.{to_camel(attribute)}", getattr(size, attribute)
            if not milli(amount):
                yield Problem(path, f"no pod fits into size {size.name}: the amount is 0", "set more than 0")
            elif least and _exceeds(getattr(least, attribute), amount):
                minimum = getattr(least, attribute)
                rule = f"no pod fits into size {size.name}: {amount} is less than spec.container.minimum, {minimum}"
                yield Problem(path, rule, "raise the size, or lower the minimum")
        for name, amount in size.storage_classes.items():
            if _exceeds(amount, size.storage):
                path, rule = f"{field}.storageClasses[{name}]", f"{amount} is more than storage, {size.storage}"
                yield Problem(path, rule, "raise storage, or lower it")


def _container(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    container = policy.container
    pairs: tuple[tuple[str, Amounts | None, str, Amounts | None], ...] = (
        ("minimum", container.minimum, "request", container.request),
        ("request", container.request, "limit", container.limit),
        ("limit", container.limit, "maximum", container.maximum),
    )
    for attribute in CONTAINER_RESOURCES.values():
        for name, less, other, more in pairs:
            if less and more and _exceeds(getattr(less, attribute), getattr(more, attribute)):
                rule = f"{getattr(less, attribute)} is more than spec.container.{other}, {getattr(more, attribute)}"
                field = f"spec.container.{name}.{to_camel(attribute)}"
                yield Problem(field, rule, "keep to minimum <= request <= limit <= maximum")
        if not milli(getattr(container.limit, attribute)):
            field = f"spec.container.limit.{to_camel(attribute)}"
            yield Problem(field, "a limit of 0 limits nothing", "set more than 0")


def _object_counts(counts: Mapping[str, int]) -> Iterator[Problem]:
    for key, count in counts.items():
        field = f"spec.objectCounts[{key}]"
        if key in _ONE_IS_OURS and count < 2:
            rule = f"with {count} the operator's own object is refused, or cannot be recreated after a deletion"
            yield Problem(field, rule, "allow at least 2")
        elif key in _MANY_ARE_OURS:
            rule = "the operator's own objects count too, and their number depends on the project"
            yield Problem(field, rule, "remove it: projects cannot create any")
        elif key not in _COUNTED and not _OTHER_KEY.match(key):
            rule = "the key does not count objects: spec.sizes sets amounts and pods"
            remedy = f"use one of {', '.join(sorted(_COUNTED))}, or count/<resource>.<group>"
            yield Problem(field, rule, remedy)


def _pod_security(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    security = policy.pod_security
    for name, level in (("warn", security.warn), ("audit", security.audit)):
        if _LEVELS.index(level) < _LEVELS.index(security.enforce):
            rule = f"{level.value} reports nothing that enforce, {security.enforce.value}, does not refuse already"
            yield Problem(f"spec.podSecurity.{name}", rule, f"set it to {security.enforce.value} or stricter")


def _workloads(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    for index, label in enumerate(policy.workloads.labels):
        if not re.match(LABEL_KEY, label):
            remedy = "use an optional DNS prefix with a slash, then at most 63 letters, digits, '-', '_' and '.'"
            yield Problem(f"spec.workloads.labels[{index}]", f"{label!r} is not a label key", remedy)
    for index, platform in enumerate(policy.workloads.platforms):
        if not _PLATFORM.match(platform):
            field = f"spec.workloads.platforms[{index}]"
            yield Problem(field, f"{platform!r} is not a platform", "write it as linux/amd64")


def _origins(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    field, found = "spec.probes.credentials", []
    for index, login in enumerate(policy.probes.credentials):
        try:
            found.append(origin_form(login.host))
        except UrlError as error:
            yield Problem(f"{field}[{index}].host", str(error), "write a host, with a port unless it is 443")
            found.append(f"{index}")
    yield from repeated(field, "host", found)


def _probes(policy: OnboardingPolicySpec) -> Iterator[Problem]:
    probes = policy.probes
    yield from cidr_problems("spec.probes.allowedNetworks", probes.allowed_networks)
    provider = probes.identity_provider
    if provider and (provider.kind is Directory.LOOKUP) != ("{group}" in provider.url):
        field = "spec.probes.identityProvider.url"
        if provider.kind is Directory.LOOKUP:
            yield Problem(field, "a lookup needs {group} in its URL", "write {group} in place of the group's name")
        else:
            rule = "the base URL of SCIM must not contain {group}"
            yield Problem(field, rule, "remove {group}, or set kind: Lookup")
    if probes.minutes > probes.maximum_age_hours * 60:
        rule = f"results expire after {probes.maximum_age_hours} h, before the next probe"
        yield Problem("spec.probes.minutes", rule, "probe more often, or raise spec.probes.maximumAgeHours")


def _exceeds(amount: str, bound: str) -> bool:
    return milli(amount) > milli(bound)
