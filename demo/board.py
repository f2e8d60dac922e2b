"""What the API server has told so far of the project and of the objects that carry its label."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from onboarding import names

Manifest = dict[str, Any]


class Row(NamedTuple):
    """A line of the live view: its title and the kind it shows."""

    title: str
    kind: str


ROWS = (
    Row("Namespace", "Namespace"),
    Row("Quota", "ResourceQuota"),
    Row("Limits", "LimitRange"),
    Row("Network policies", "NetworkPolicy"),
    Row("Access", "RoleBinding"),
    Row("Sync account", "ServiceAccount"),
    Row("Argo CD project", "AppProject"),
    Row("Argo CD applications", "Application"),
)


@dataclass
class Board:
    """The project as declared, its latest state, and its objects by kind, namespace and name."""

    declared: Manifest
    objects: dict[tuple[str, str, str], Manifest] = field(default_factory=dict)
    project: Manifest = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the project."""
        return str(self.declared["metadata"]["name"])

    @property
    def environments(self) -> list[str]:
        """Names of the environments that the project declares."""
        return [environment["name"] for environment in self.declared["spec"]["environments"]]

    def take(self, event: str, manifest: Manifest) -> bool:
        """Take in an event of a watch; return whether an object appeared."""
        kind, metadata = manifest["kind"], manifest["metadata"]
        if kind == "ProjectOnboarding":
            self.project = {} if event == "DELETED" else manifest
            return False
        key = (kind, metadata.get("namespace", ""), metadata["name"])
        if event == "DELETED":
            self.objects.pop(key, None)
            return False
        appeared = key not in self.objects
        self.objects[key] = manifest
        return appeared

    def of(self, kind: str, environment: str = "") -> list[Manifest]:
        """Return the objects of a kind, in one environment, or of none in particular, by name."""
        found = (item for (its_kind, _, _), item in self.objects.items() if its_kind == kind)
        return sorted(
            (item for item in found if environment_of(item) == environment), key=lambda item: item["metadata"]["name"]
        )

    def condition(self) -> Manifest | None:
        """Return the condition Ready of the generation that was applied last; None while there is none."""
        status = self.project.get("status", {})
        if not self.project or status.get("observedGeneration") != self.project["metadata"]["generation"]:
            return None
        return next((item for item in status.get("conditions", ()) if item["type"] == "Ready"), None)

    def is_ready(self) -> bool:
        """Whether the project is Ready, and every environment's namespace was seen."""
        condition = self.condition()
        seen = all(self.of("Namespace", environment) for environment in self.environments)
        return condition is not None and condition["status"] == "True" and seen

    def applications(self, environment: str) -> list[Manifest]:
        """Return what the project's status says of the Applications of an environment."""
        found = (item for item in self.project.get("status", {}).get("environments", ()) if item["name"] == environment)
        return [application for item in found for site in item["sites"] for application in site.get("applications", ())]

    def syncing(self) -> list[str]:
        """Return the environments that Argo CD syncs by itself; the others wait for a person."""
        return [name for name in self.environments if any(map(syncs_by_itself, self.of("Application", name)))]

    def is_deployed(self, commit: str) -> bool:
        """Whether the project is Ready, and says that a commit runs wherever Argo CD syncs by itself."""
        told = [self.applications(environment) for environment in self.syncing()]
        running = all(applications and all(runs(item, commit) for item in applications) for applications in told)
        return self.is_ready() and bool(told) and running

    def next_actions(self) -> Iterator[str]:
        """Return who must do what next."""
        for item in self.project.get("status", {}).get("nextActions", ()):
            yield f"{item['actor']}: {item['action']}"


def syncs_by_itself(application: Manifest) -> bool:
    """Whether Argo CD syncs an Application without being asked."""
    return "automated" in application["spec"]["syncPolicy"]


def well(told: Manifest) -> bool:
    """Whether an Application of the status runs as Git says."""
    return (told.get("sync"), told.get("health")) == ("Synced", "Healthy")


def runs(told: Manifest, commit: str) -> bool:
    """Whether an Application of the status is well, and of this commit; the status has its first digits."""
    return well(told) and commit.startswith(told.get("revision", "no commit"))


def environment_of(manifest: Manifest) -> str:
    """Return the environment that an object belongs to; the empty string for one of the whole project."""
    return str(manifest["metadata"].get("labels", {}).get(names.LABEL_ENVIRONMENT, ""))
