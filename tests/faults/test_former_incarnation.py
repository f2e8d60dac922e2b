"""A project made again under its name: nothing of the former one is lost, and it can be given to the new one."""

import shlex
from pathlib import Path

from onboarding import names
from onboarding.build.kinds import NAMESPACE
from tests.faults.conftest import Start
from tests.support.audit import Audit
from tests.support.hub import PROJECTS, REPOSITORY, Hub

TROUBLESHOOTING = Path(__file__).parents[2] / "docs" / "troubleshooting.md"
SPEC = {"repositories": [REPOSITORY], "team": {"groups": {"admin": ["team-admins"]}}}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}}


def documented_recovery(hub: Hub, name: str, uid: str) -> list[str]:
    """Return the command of the troubleshooting page that gives everything to the new object."""
    section = TROUBLESHOOTING.read_text().split("## A former object of the same name")[1].split("\n## ")[0]
    command = section.split("```sh\n")[1].split("```")[0].split("\n", 1)[1].replace("\\\n", "")
    installation = hub.one(NAMESPACE, f"{name}-dev")["metadata"]["labels"][names.LABEL_INSTALLATION]
    command = command.replace("INSTALLATION", installation).replace("=NAME", f"={name}").replace('"$NEW"', uid)
    _, *arguments = shlex.split(command)
    return arguments


def test_a_former_incarnation_is_told_and_given_over(hub: Hub, start: Start) -> None:
    """The status says so under its own reason and advises nothing that costs data; the documented way back works."""
    operator = start()
    former = hub.declare("phoenix", **SPEC)["metadata"]["uid"]
    hub.wait("phoenix")
    settings = hub.api.create("/api/v1/namespaces/phoenix-dev/configmaps", CONFIG)
    objects = {key: item["metadata"]["uid"] for key, item in hub.live("phoenix").items()}
    operator.kill()
    hub.delete("phoenix")
    hub.api.patch(f"{PROJECTS}/phoenix", {"metadata": {"finalizers": None}})
    hub.wait_gone("phoenix")
    start()
    audit = Audit(hub.cluster)
    uid = hub.declare("phoenix", **SPEC)["metadata"]["uid"]
    condition = hub.wait("phoenix", "False", "FormerIncarnation")
    assert f"UID {former}" in condition["message"]
    assert "nothing is lost" in condition["message"]
    assert "A former object of the same name" in condition["message"]
    assert "remove" not in condition["message"]
    hub.declare("phoenix-fence", environments=[])
    hub.wait("phoenix-fence")
    assert audit.of_objects("phoenix") == []
    assert audit.gets("phoenix") == []
    hub.cluster.kubectl(*documented_recovery(hub, "phoenix", uid))
    hub.wait("phoenix", within=60)
    assert hub.faults("phoenix") == []
    assert {key: item["metadata"]["uid"] for key, item in hub.live("phoenix").items()} == objects
    assert hub.api.get("/api/v1/namespaces/phoenix-dev/configmaps/settings") == settings
    assert [write for write in audit.of_objects("phoenix") if write.verb == "delete"] == []
