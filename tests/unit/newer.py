"""What is of a newer form than this operator knows, for tests."""

from pathlib import Path

import orjson

from onboarding import names
from onboarding.build.kinds import NAMESPACE
from onboarding.reconcile.journey.unread import Unread
from tests.unit.worlds import UID, environment, live_of_spec, spec_of

ROOT = Path(__file__).parents[2]
UNKNOWN = "fromTheFuture"
SPEC = spec_of(environment(), environment("qa", stage="dev"))
LIVE = live_of_spec(SPEC)
ADMITTED = orjson.loads(
    orjson.loads(next(item for key, item in LIVE.items() if key.kind is NAMESPACE).content)["metadata"]["annotations"][
        names.ANNOTATION_ADMITTED
    ]
)


def unread(decision: str, name: str = "shop", uid: str = UID) -> Unread:
    return Unread.of("d-1", {"decision": decision, "project": {"name": name, "uid": uid}, "x": 1}, "spec.x: unknown")
