"""A project that walks the shipped Cloud π profile in memory up to its production, and those who attack from there."""

import asyncio
import copy
from collections.abc import Callable
from typing import Any, Final

import yaml

from onboarding import names
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.api.project import ProjectOnboardingSpec
from onboarding.build.kinds import HUB, NAMESPACE, Manifest, ObjectKey
from onboarding.build.revision import Revision
from onboarding.reconcile.gates.digest import Digests
from onboarding.reconcile.observed.platform import POLICIES
from onboarding.reconcile.observed.validity import RoleState
from tests.bench.inmemory import Memory
from tests.support.installing import ROOT
from tests.unit.walks import NAME, MemoryWalk

Spec = dict[str, Any]
Edit = Callable[[Spec], object]
PLACE: Final = f"{NAME}-prod"
POLICY: Final[Spec] = yaml.safe_load((ROOT / "manifests/profiles/cloud-pi-native/policy.yaml").read_text())
PRODUCTION: Final = {"decision": "Approve", "gate": "production", "approval": "poa", "environment": "prod"}


class Removing(Memory):
    """A cluster on which the operator may look at what it removes."""

    async def read(self, key: ObjectKey) -> Manifest | None:
        """Return an object."""
        return self._objects.get(key)


class Production(MemoryWalk):
    """A project with an environment in each of dev, preprod and production; the last waits for the POA alone."""

    memory = Removing

    def __init__(self, *edits: Edit, approved: bool = False) -> None:
        self.record: list[str] = []
        """The lines of the record of insiders."""
        self.version = 1
        super().__init__("cloud-pi-native")
        for name, stage, target in (
            ("dev", "dev", "acceleration"),
            ("preprod", "preprod", "cloud-pi-np"),
            ("prod", "prod", "cloud-pi-np"),
        ):
            self.spec["environments"].append({"name": name, "stage": stage, "target": target})
        self.spec["environments"][2]["deployments"] = [{"repository": "app", "revision": self.commits[0]}]
        self.change(*edits)
        self.others_decide()
        assert PLACE not in self.admitted()
        if approved:
            self.approve()
            assert self.waits == []

    def declare(self) -> None:
        """Let the API server have the spec, with the record of insiders."""
        head = "\n".join([f"generation:{self._hub.generation(NAME, self.spec)}", "creator:zoe", *self.record])
        self._hub.declare(NAME, copy.deepcopy(self.spec), annotations={names.ANNOTATION_INSIDERS: head})

    def change(self, *edits: Edit) -> None:
        """Edit the spec, and let the operator see it."""
        for edit in edits:
            edit(self.spec)
        self.declare()
        self.settle()

    def others_decide(self) -> None:
        """Let everybody but the POA decide whatever is asked for."""
        for _ in range(20):
            given = [item.decision for item in self.given.values()]
            asked = [item for item in self.asked() if item.get("gate") != "production" and item not in given]
            for item in asked:
                self.decide(**item)
            self.settle()
            if not asked:
                return
        raise AssertionError("the decisions that are asked for do not come to an end")

    def approve(self, **fields: Any) -> None:
        """Approve production, as the project's own POA if no other fields are given."""
        self.decide(**{**PRODUCTION, **({} if "digest" in fields else {"digest": self.digest()}), **fields})
        self.settle()

    def withdraw_last(self) -> None:
        """Take the last decision back."""
        self.withdraw(next(reversed(self.given)))
        self.settle()

    def digest(self, gate: str = "production", environment: str = "prod") -> str:
        """Return the digest of an approval as it would be asked for now."""
        policy = self._policy()
        spec = ProjectOnboardingSpec.model_validate(self.spec)
        (found,) = [item for item in policy.gates if item.name == gate]
        (named,) = [item for item in spec.environments if item.name == environment]
        return Digests(spec, policy).of_approval(found, found.approvals[0], named)

    def former_digest(self) -> str:
        """Return the digest that a release before the coverage of approvals showed of production."""
        policy = self._policy()
        plain = [
            gate.model_copy(
                update={"approvals": [item.model_copy(update={"persona": None}) for item in gate.approvals]}
            )
            for gate in policy.gates
        ]
        spec = ProjectOnboardingSpec.model_validate(self.spec)
        digest = Digests(spec, policy.model_copy(update={"gates": tuple(plain)})).of_gate("production")
        return digest.replace("v2:", "v1:")

    def change_policy(self, edit: Edit) -> None:
        """Let the platform change the policy."""
        self.version += 1
        manifest = copy.deepcopy(POLICY)
        edit(manifest["spec"])
        stamp = {"uid": "policy", "generation": self.version, "resourceVersion": str(self.version)}
        manifest["metadata"] |= {**stamp, "creationTimestamp": "2026-01-01T00:00:00Z"}
        offered = self._declared.offered
        offered.put(POLICIES, manifest)
        offered.know_roles(dict.fromkeys(offered.unasked_roles(), RoleState.USABLE))
        self.settle()

    def lose_namespace(self) -> None:
        """Let somebody delete the namespace of production with all that is in it."""
        for key, item in self._cluster.owned(NAME).items():
            if PLACE in (key.name, key.namespace):
                asyncio.run(self._cluster.delete(key, item))

    def annotate_namespace(self, text: str) -> None:
        """Let somebody write another admitted revision on the namespace of production."""
        key = ObjectKey(HUB, NAMESPACE, "", PLACE)
        live = self._cluster.owned(NAME)[key]
        asyncio.run(self._cluster.change(key, {"metadata": {"annotations": {names.ANNOTATION_ADMITTED: text}}}, live))

    @property
    def production(self) -> Revision | None:
        """What is admitted of production, without what was declared for it, and without a record of no domain."""
        found = self.admitted().get(PLACE)
        return found.with_values(declared={}, domains=found.domains or None) if found else None

    @property
    def environment(self) -> dict[str, Any]:
        """The status of production."""
        (found,) = [item for item in self.status["environments"] if item["name"] == "prod"]
        return dict(found)

    @property
    def waits(self) -> list[str]:
        """The groups of production that keep their admitted values."""
        return [text.partition(" waits for approval poa of gate production: ")[0] for text in self.changes]

    @property
    def changes(self) -> list[str]:
        """The sentences about these groups."""
        return list(self.environment.get("changes", []))

    @property
    def void(self) -> list[str]:
        """The sentences about decisions at the gate that do not count."""
        return [text for gate in self.status["gates"] if gate["name"] == "production" for text in gate.get("void", [])]

    @property
    def told(self) -> str:
        """All that the status tells of production: that it is held, its changes, and decisions that do not count."""
        gates = [text for gate in self.status["gates"] for text in (*gate.get("waitingFor", []), *gate.get("void", []))]
        return "\n".join([self.environment.get("held", ""), *self.changes, *gates])

    def _policy(self) -> OnboardingPolicySpec:
        policy, problem = self._declared.policy("cloud-pi-native")
        assert policy is not None, problem
        return policy
