"""The kinds of the API. These models are its only source: CRDs and reference pages are generated from them."""

from dataclasses import dataclass
from typing import Final

from onboarding.api.common import Model
from onboarding.api.conditions import PlatformStatus, PolicyStatus
from onboarding.api.decision import OnboardingDecisionSpec
from onboarding.api.markers import Kind, PrinterColumn
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import PROJECT_RULES, ProjectOnboardingSpec
from onboarding.api.status import ProjectOnboardingStatus
from onboarding.api.target import HostingTargetSpec


@dataclass(frozen=True)
class CustomResource:
    """One kind with the models of its spec and status."""

    kind: Kind
    spec: type[Model]
    status: type[Model] | None = None


_AGE = PrinterColumn("Age", ".metadata.creationTimestamp", type="date")
_USABLE = (
    PrinterColumn(
        "Ready", '.status.conditions[?(@.type=="Ready")].status', description="Whether the operator can use it"
    ),
    PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', priority=1),
)

PROJECT: Final = CustomResource(
    Kind(
        plural="projectonboardings",
        singular="projectonboarding",
        kind="ProjectOnboarding",
        short_names=("onb",),
        categories=("onboarding",),
        columns=(
            PrinterColumn("Stage", ".status.stage", description="Step of the journey that the project has reached"),
            PrinterColumn("Ready", '.status.conditions[?(@.type=="Ready")].status'),
            PrinterColumn("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            PrinterColumn(
                "Environments", ".status.summary.environments", description="Environments in place, of all declared"
            ),
            PrinterColumn("Waiting For", ".status.summary.waitingFor", description="Who must act next"),
            PrinterColumn("Next", ".status.summary.next", description="Who must do what next", priority=1),
            PrinterColumn("Owner", ".spec.owner.email", priority=1),
            _AGE,
        ),
        status_default={"observedGeneration": -1},
        rules=PROJECT_RULES,
    ),
    ProjectOnboardingSpec,
    ProjectOnboardingStatus,
)
POLICY: Final = CustomResource(
    Kind(
        plural="onboardingpolicies",
        singular="onboardingpolicy",
        kind="OnboardingPolicy",
        short_names=("onbpolicy",),
        categories=("onboarding",),
        columns=(*_USABLE, _AGE),
        status_default={"observedGeneration": -1},
    ),
    OnboardingPolicySpec,
    PolicyStatus,
)
TARGET: Final = CustomResource(
    Kind(
        plural="hostingtargets",
        singular="hostingtarget",
        kind="HostingTarget",
        short_names=("onbtarget",),
        categories=("onboarding",),
        columns=(PrinterColumn("Description", ".spec.description"), *_USABLE, _AGE),
        status_default={"observedGeneration": -1},
    ),
    HostingTargetSpec,
    PlatformStatus,
)
DECISION: Final = CustomResource(
    Kind(
        plural="onboardingdecisions",
        singular="onboardingdecision",
        kind="OnboardingDecision",
        short_names=("onbdecision",),
        categories=("onboarding",),
        columns=(
            PrinterColumn("Decision", ".spec.decision"),
            PrinterColumn("Project", ".spec.project.name"),
            PrinterColumn("By", ".spec.by.username"),
            _AGE,
        ),
    ),
    OnboardingDecisionSpec,
)

KINDS: Final = (PROJECT, POLICY, TARGET, DECISION)
