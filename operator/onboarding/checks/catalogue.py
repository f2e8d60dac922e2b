"""The checks, in the order in which they are shown."""

from typing import Any, Final

from onboarding.checks import (
    access,
    argocd,
    capacity,
    continuity,
    delivery,
    domains,
    flows,
    grants,
    guards,
    journeys,
    namespaces,
    network,
    people,
    placement,
    reviews,
    sources,
    trust,
    windows,
    workloads,
)
from onboarding.checks.domains import DomainInputs
from onboarding.checks.finding import Check
from onboarding.checks.grants import EndedGrant
from onboarding.checks.guards import GuardInputs
from onboarding.checks.inputs import (
    AppProjectInputs,
    CapacityInputs,
    EnvironmentDeclaration,
    ProjectInputs,
    RevisionInputs,
    RunningInputs,
)
from onboarding.checks.journeys import JourneyDays

OF_DECLARATION: Final[tuple[Check[EnvironmentDeclaration], ...]] = (
    placement.stage_is_known,
    placement.size_is_known,
    placement.target_is_known,
    placement.target_takes_stage,
    placement.sites_are_known,
    placement.namespace_name_is_allowed,
    namespaces.namespace_is_the_projects,
    namespaces.labels_are_allowed,
    placement.namespace_is_its_own,
    placement.zone_is_allowed,
    placement.residency_is_met,
    placement.exposures_are_allowed,
    placement.profile_is_allowed,
    trust.target_is_trusted,
    trust.data_is_allowed,
    trust.target_is_open_to_the_project,
    trust.target_takes_new_environments,
    placement.contract_is_in_force,
    placement.journey_is_known,
    network.zones_are_known,
    network.flows_stay_in_their_zone,
    network.flow_environments_are_known,
    network.flows_stay_on_a_cluster,
    flows.flows_have_an_effect,
    access.personas_are_known,
    sources.repositories_are_allowed,
    sources.repositories_are_known,
    sources.deployments_fit,
    sources.revisions_are_pinned,
    sources.credentials_are_known,
    sources.credentials_are_allowed,
    sources.repositories_are_open_to_the_project,
    windows.windows_are_valid,
    windows.windows_stay_within_the_platforms,
    continuity.environment_stays,
    continuity.a_gate_leads_there,
    journeys.journey_reaches_the_gate,
    capacity.default_pod_fits,
)
"""Checks of an environment that read nothing but its declaration and where it has been admitted."""

OF_REVISIONS: Final[tuple[Check[RevisionInputs], ...]] = (continuity.revision_fits,)
"""Checks of what a declared environment is resolved to."""

OF_APP_PROJECTS: Final[tuple[Check[AppProjectInputs], ...]] = (continuity.app_project_fits,)
"""Checks of what all declared environments together are resolved to in Argo CD."""

OF_ROOM: Final[tuple[Check[CapacityInputs], ...]] = (
    journeys.size_fits_the_journey,
    capacity.project_keeps_to_its_ceiling,
    capacity.sites_have_room,
    capacity.quota_holds_what_is_used,
)
"""Checks of an environment that look at the room which all others leave it, and at what it uses."""

OF_DOMAINS: Final[tuple[Check[DomainInputs], ...]] = (domains.domains_are_free,)
"""Checks of the domains of an environment against those of all other projects."""

ALWAYS: Final[tuple[Check[Any], ...]] = (*OF_DECLARATION, *OF_REVISIONS, *OF_APP_PROJECTS, *OF_DOMAINS, *OF_ROOM)
"""Without these an environment cannot be built: they hold it whatever the policy says."""

REFUSING: Final = frozenset(
    {
        *OF_DECLARATION,
        *OF_REVISIONS,
        *OF_APP_PROJECTS,
        journeys.size_fits_the_journey,
        capacity.quota_holds_what_is_used,
    }
) - {journeys.journey_reaches_the_gate}
"""The checks whose findings refuse an environment if the project has to act: only a change of its spec resolves them.

A ceiling does not: a grant raises it. Nor does a domain that is taken: it may become free. Nor does the end of the
journey: an environment behind it waits, as at a gate.
"""

OF_PROJECT: Final[tuple[Check[ProjectInputs], ...]] = (
    people.sponsor_is_named,
    people.objectives_are_named,
    people.organisation_is_named,
    people.classification_is_named,
    people.team_is_complete,
    people.poa_is_named,
    people.poa_is_separate,
    access.groups_exist,
    access.externals_are_allowed,
    delivery.repository_reachable,
    reviews.run_is_acknowledged,
    reviews.flows_are_opened,
    reviews.security_is_audited,
    reviews.homologation_is_decided,
)
"""Checks of the whole project: they hold their gate."""

OF_APPROVALS: Final[tuple[Check[ProjectInputs], ...]] = (people.usernames_are_known,)
"""Checks of the whole project without which no approval is known to be somebody else's.

They hold each gate that asks for an approval, whatever the policy says, and nobody waives them.
"""

OF_ENVIRONMENT: Final[tuple[Check[EnvironmentDeclaration], ...]] = (
    network.domains_are_allowed,
    argocd.argocd_is_safe,
    argocd.revision_override_is_refused,
)
"""Checks of an environment that is to be: they hold that environment at their gate."""

OF_RUNNING: Final[tuple[Check[RunningInputs], ...]] = (
    network.domains_resolve,
    network.certificates_are_valid,
    network.endpoints_are_healthy,
    delivery.applications_healthy,
    delivery.images_exist,
    workloads.workloads_deployed,
    workloads.image_compliant,
    workloads.probes_defined,
    workloads.resources_defined,
    workloads.labels_present,
    workloads.rootless,
    workloads.ports_unprivileged,
    workloads.no_host_path,
    workloads.replicas_sufficient,
    workloads.pods_spread,
    workloads.disruption_budgeted,
    workloads.monitored,
    workloads.certificate_ready,
    workloads.backup_scheduled,
)
"""Checks of environments that run already: they hold the gates behind theirs, never their own.

An environment that opens behind the check's gate is held to it at the next gate.
"""

OF_NAMESPACES: Final[tuple[Check[GuardInputs], ...]] = (guards.only_our_guards,)
"""Checks of what is in the namespaces of the project: they hold nothing, and their severity is that of the policy."""

OF_JOURNEY: Final[tuple[Check[JourneyDays], ...]] = (journeys.journey_lasts,)
"""Checks of the journey itself: they warn and hold nothing."""

OF_GRANTS: Final[tuple[Check[EndedGrant], ...]] = (grants.grant_lasts,)
"""Checks of grants that have expired: they warn and hold nothing."""

GATED: Final[tuple[Check[Any], ...]] = (*OF_PROJECT, *OF_ENVIRONMENT, *OF_RUNNING)
"""The checks that a policy puts at gates."""

BY_ID: Final[dict[str, Check[Any]]] = {
    check.id: check for check in (*ALWAYS, *OF_NAMESPACES, *OF_JOURNEY, *OF_GRANTS, *OF_APPROVALS, *GATED)
}
