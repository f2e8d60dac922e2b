"""ProjectOnboarding: the contract of one project, written by the project."""

from typing import Annotated

from pydantic import Field

from onboarding.api.common import (
    LABEL_KEY_RULE,
    DeletionPolicy,
    Domain,
    LabelValue,
    Mode,
    Model,
    ObjectName,
    Resources,
    Seen,
    ShortName,
    SiteName,
    Text,
    ZoneName,
)
from onboarding.api.delivery import Deployment, Repository, Window
from onboarding.api.hosting import Classification, Flow
from onboarding.api.markers import AtomicList, MapList, Rule, SetList, rules
from onboarding.api.placement import Data
from onboarding.api.team import Groups, Person, PersonaGroups, Team


class Organisation(Model):
    """The organisation that the project belongs to."""

    name: Annotated[str, Field(min_length=1, max_length=100), Seen] = Field(description="Name of the organisation.")


NamespaceName = Annotated[
    ObjectName,
    Rule(
        "!self.matches('^(default$|kube-|openshift-|argocd|project-onboarding)')",
        "this namespace is reserved for the platform: choose another name",
    ),
]

Labels = Annotated[
    dict[str, LabelValue],
    Field(max_length=20),
    LABEL_KEY_RULE,
    Rule(
        "self.all(k, !k.matches('(^|[.])(kubernetes|k8s|openshift|argoproj|projectonboarding)[.]io/'))",
        "labels of Kubernetes, OpenShift, Argo CD and this operator (kubernetes.io, openshift.io, ...) are not for "
        "projects: use your own prefix",
    ),
]


@rules(
    Rule("!(has(self.size) && has(self.resources))", "give either size or resources, not both"),
    Rule(
        "has(self.__namespace__) == has(oldSelf.__namespace__) "
        "&& (!has(self.__namespace__) || self.__namespace__ == oldSelf.__namespace__)",
        "an environment keeps its namespace: declare another environment, move the workload, then remove this one",
    ),
    Rule(
        "self.stage == oldSelf.stage",
        "an environment keeps its stage: declare another environment, move the workload, then remove this one",
    ),
    Rule(
        "!has(self.target) || !has(oldSelf.target) || self.target == oldSelf.target",
        "an environment keeps its target: declare another environment, move the workload, then remove this one",
    ),
)
class Environment(Model):
    """One environment: a namespace, with its objects, on every site of its target."""

    name: ShortName = Field(description="Name of the environment within the project.")
    stage: ShortName = Field(description="Stage of the OnboardingPolicy that this environment belongs to.")
    target: ObjectName | None = Field(
        default=None, description="HostingTarget to run on. Default: the default target of the stage."
    )
    sites: Annotated[tuple[SiteName, ...], Field(max_length=10), SetList()] = Field(
        default=(), description="Sites of the target to run on. Default: all of them."
    )
    size: ShortName | None = Field(
        default=None, description="Size of the OnboardingPolicy. Default: the default size of the stage."
    )
    resources: Resources | None = Field(default=None, description="Explicit resources instead of a size.")
    namespace: NamespaceName | None = Field(
        default=None, description="Name of the namespace, if the policy allows one. Default: <project>-<environment>."
    )
    labels: Labels = Field(default_factory=dict, description="Labels for the namespace.")
    auto_sync: bool | None = Field(
        default=None,
        description="Whether Argo CD syncs by itself. Default: yes, except in a production stage.",
    )
    domains: Annotated[tuple[Domain, ...], Field(max_length=20), SetList()] = Field(
        default=(), description="Host names under which this environment is reached."
    )
    deployments: Annotated[tuple[Deployment, ...], Field(max_length=10), MapList("repository")] = Field(
        default=(), description="Deviations from a repository, such as another revision."
    )
    release_windows: Annotated[tuple[Window, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Times at which Argo CD may sync. Default: whenever the policy's windows allow it."
    )
    health_path: Annotated[str, Field(max_length=200, pattern=r"^/[A-Za-z0-9._~/-]*$")] | None = Field(
        default=None,
        description="Path that answers 200 over HTTPS on every domain if the workload is healthy, such as /health.",
    )
    exposures: Annotated[tuple[ZoneName, ...], Field(max_length=5), SetList()] = Field(
        default=(), description="Networks that this environment is exposed to, such as rie or internet."
    )
    profile: ShortName | None = Field(
        default=None, description="Workload profile, if targets distinguish profiles, such as test or business."
    )
    groups: PersonaGroups = Field(
        default_factory=dict,
        description="Groups per persona that count in this environment instead of those of spec.team.groups; a "
        "persona that is not named has those of the team. Only the administrators of the environment change them.",
    )
    owner: Person | None = Field(
        default=None, description="Person who answers for this environment. Default: the owner of the project."
    )
    data: Data | None = Field(
        default=None,
        description="Data that the environment holds: None, Fictive or Real. Without real data the classification does "
        "not restrict its target, in the stages that the policy permits it in. Default: Real.",
    )


class ProjectOnboardingSpec(Model):
    """Declaration of a project: people, classification, repositories, environments, flows."""

    owner: Person = Field(description="Person who answers for the project.")
    team: Team = Field(default_factory=Team, description="Team of the project.")
    organisation: Organisation | None = Field(default=None, description="Organisation that the project belongs to.")
    description: Text = Field(default="", description="Description of the project, in a sentence.")
    journey: ShortName | None = Field(
        default=None,
        description="Journey, one of spec.journeys or spec.journeyRules of the policy. Default: spec.defaultJourney of "
        "the policy.",
    )
    sponsor: Person | None = Field(default=None, description="Person who supports the project in its organisation.")
    objectives: Annotated[tuple[Text, ...], Field(max_length=10), AtomicList()] = Field(
        default=(), description="Objectives of the project, a sentence each."
    )
    classification: Classification = Field(
        default_factory=Classification, description="Sensitivity of the project; restricts the targets."
    )
    flows: Annotated[tuple[Flow, ...], Field(max_length=100), MapList("name")] = Field(
        default=(), description="Connections that the project needs; all others are refused."
    )
    repositories: Annotated[tuple[Repository, ...], Field(max_length=10), MapList("name")] = Field(
        default=(), description="Infrastructure repositories that Argo CD deploys from."
    )
    environments: Annotated[tuple[Environment, ...], Field(max_length=20), MapList("name")] = Field(
        default=(), description="Environments of the project."
    )
    mode: Mode = Field(
        default=Mode.APPLY,
        description="Plan shows in the status the changes that Apply would make, and admits nothing new.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.RETAIN,
        description="Retain detaches namespaces, with workloads; Delete removes both after a ConfirmDelete decision.",
    )

    def groups_in(self, environment: Environment) -> dict[str, Groups]:
        """Return the groups by persona that count in an environment: its own, and else those of the team."""
        return {**self.team.groups, **environment.groups}


PROJECT_RULES = (
    Rule(
        "self.metadata.name.matches('^[a-z]([a-z0-9-]*[a-z0-9])?$') && size(self.metadata.name) <= 30",
        "a project is named in at most 30 lower-case letters, digits and hyphens, and begins with a letter",
    ),
    Rule(
        "!self.metadata.name.matches('^(default$|kube(-|$)|openshift(-|$)|argocd|project-onboarding)')",
        "this project name is reserved for the platform: choose another name",
    ),
    Rule(
        "self.metadata.name != 'project' || !has(self.spec.environments) "
        "|| !self.spec.environments.exists(e, e.name.startsWith('onboarding'))",
        "the namespace project-onboarding* is reserved for the platform: rename the project or the environment",
    ),
    Rule(
        "!has(self.spec.environments) || !has(self.spec.repositories) || self.spec.environments.all(e, "
        "self.spec.repositories.all(r, size(self.metadata.name) + size(e.name) + size(r.name) <= 50))",
        "the names of project, environment and repository together have at most 50 characters: shorten one",
    ),
)
