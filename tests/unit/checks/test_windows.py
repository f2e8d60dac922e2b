"""Release windows: what Argo CD would misread is refused, and nothing a project writes widens the platform's."""

import re
from itertools import product
from typing import Any

import pytest

from onboarding.api.delivery import Window
from onboarding.api.policy import OnboardingPolicySpec
from onboarding.build.windows import sync_windows
from onboarding.checks.inputs import EnvironmentDeclaration
from onboarding.checks.schedule import WEEK, duration_of, minutes_of, parse_schedule
from onboarding.checks.windows import (
    platform_windows,
    time_zones,
    window_problem,
    windows_are_valid,
    windows_stay_within_the_platforms,
)
from onboarding.reconcile.admission.windows import windows
from onboarding.reconcile.plan.planner import make_plan
from tests.unit.snapshots import built, environment, inputs_of, policy_of, revisions, snapshot_of, spec_of

PARIS = {"timeZone": "Europe/Paris"}
NIGHTS = {"name": "nights", "schedule": "0 22 * * 1-5", "duration": "8h", **PARIS}
FREEZE = {"name": "freeze", "kind": "Deny", "schedule": "0 0 20 12 *", "duration": "336h", **PARIS}
BASE = revisions(spec_of(environment()))[0]


def given(*own: dict[str, Any], platform: Any = (), stage: str = "prod") -> EnvironmentDeclaration:
    """Return the inputs of an environment with these windows, under these of the platform."""
    policy: OnboardingPolicySpec = policy_of(delivery={"windows": list(platform)})
    windows = [window(**fields).model_dump(mode="json", by_alias=True) for fields in own]
    return inputs_of(spec_of(environment(stage=stage, releaseWindows=windows)), policy=policy)


def window(**fields: Any) -> Window:
    unnamed = {key: value for key, value in fields.items() if key != "name"}
    return Window.model_validate({"schedule": "0 22 * * *", "duration": "8h", **unnamed})


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"schedule": "0 22 * *  "}, "schedule '0 22 * *  ': it has 4 fields"),
        ({"schedule": "0 25 * * *"}, "hour '25' is not within 0 to 23"),
        ({"schedule": "0 22 * * 7"}, "day of week '7' is not within 0 to 6"),
        ({"schedule": "0 22 * * 5L"}, "day of week '5L' is no number"),
        ({"schedule": "0 22 LW * *"}, "day of month 'LW' is no number"),
        ({"schedule": "0 22 1,,2 * *"}, "a list has an empty item"),
        ({"schedule": ",0 22 * * *"}, "a list has an empty item"),
        ({"schedule": "0 22 * * 1,"}, "a list has an empty item"),
        ({"schedule": "0 , * * *"}, "a list has an empty item"),
        ({"schedule": "0 22 *-5 * *"}, "a range begins with a number or a name"),
        ({"schedule": "0 22 1,*-5/2 * *"}, "a range begins with a number or a name"),
        ({"schedule": "0 0 30 2 *"}, "schedule '0 0 30 2 *': it never begins"),
        ({"schedule": "0 0 31 4,6 *"}, "schedule '0 0 31 4,6 *': it never begins"),
        ({"schedule": "0 0 */2 * 1"}, "write * alone"),
        ({"schedule": "0 0 30 2 1,*"}, "write * alone"),
        ({"duration": "0h"}, "duration '0h': it has to be longer than 0"),
        ({"duration": "00m"}, "duration '00m': it has to be longer than 0"),
        ({"timeZone": "Europe/Pariss"}, "such as Europe/Paris"),
        ({"timeZone": "US/Pacific"}, "there is none of this name"),
        ({"timeZone": "Local"}, "there is none of this name"),
    ],
)
def test_a_window_that_would_be_misread_is_refused(fields: dict[str, str], words: str) -> None:
    problem = window_problem(window(**fields))
    assert words in problem
    found = windows_are_valid.run(given({"schedule": "0 1 * * *", "duration": "1h"}, {**NIGHTS, **fields}))
    assert found is not None
    assert found.message == f"releaseWindows[1].{window_problem(window(**{**NIGHTS, **fields}))}"


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"schedule": "*/15 0-6/2 * JAN,jun mon-fri"},
        {"schedule": "0 0 29 2 *"},
        {"schedule": "0 0 1 * 1"},
        {"schedule": "0 0 */2 * *"},
        {"duration": "1h30m"},
        PARIS,
        {"timeZone": "America/Argentina/Buenos_Aires"},
    ],
)
def test_a_window_that_is_read_as_it_is_meant_passes(fields: dict[str, str]) -> None:
    assert window_problem(window(**fields)) == ""
    assert windows_are_valid.run(given({**NIGHTS, **fields})) is None


ITEM = re.compile(r"(\*|(?P<least>\d+)(-(?P<most>\d+))?)(/(?P<step>\d+))?")


def is_minutes(item: str) -> bool:
    """Return whether every cron takes an item of a list of minutes."""
    found = ITEM.fullmatch(item)
    if found is None:
        return False
    least = int(found["least"] or 0)
    most = int(found["most"] or least)
    return least <= most <= 59 and int(found["step"] or 1) > 0


def test_a_field_is_taken_if_every_cron_takes_it() -> None:
    texts = ["".join(signs) for length in range(1, 5) for signs in product("*,-/07", repeat=length)]
    taken = {text for text in texts if window_problem(window(schedule=f"{text} 0 * * *")) == ""}
    assert taken == {text for text in texts if all(map(is_minutes, text.split(",")))}
    assert {"*", "*/7", "0,7", "0-7", "7/7", "*,7"} <= taken


def test_the_zones_are_those_that_every_database_has() -> None:
    assert {"UTC", "Europe/Paris", "Indian/Reunion"} <= time_zones()
    assert "GB" not in time_zones()


@pytest.mark.parametrize(
    ("text", "begins"),
    [
        ("0 0 29 2 *", True),
        ("0 0 30 2 *", False),
        ("0 0 30 2 1", True),
        ("0 0 30 2 1,*", False),
        ("0 0 30 2 */2", True),
        ("0 0 31 4,6,9,11 *", False),
        ("0 0 31 4,5 *", True),
        (", 0 * * *", False),
        ("0 0 , * 1", True),
        ("0 0 , * *", False),
    ],
)
def test_whether_a_schedule_ever_begins(text: str, begins: bool) -> None:
    assert parse_schedule(text).begins is begins


def test_a_week_holds_the_minutes_of_a_schedule_and_goes_round() -> None:
    assert parse_schedule("0 0 * * *").week(60).bit_count() == 7 * 60
    assert parse_schedule("0 22 * * 6").week(8 * 60).bit_count() == 8 * 60
    assert parse_schedule("0 22 * * 6").week(8 * 60) & 1
    assert parse_schedule("0 0 1 * *").week(WEEK * 2).bit_count() == WEEK


def test_durations_are_those_of_go() -> None:
    assert minutes_of("1h30m") == 90
    assert duration_of("-1.5h") == -duration_of("90m")
    assert duration_of("+0") == 0


def test_windows_are_for_production_unless_they_name_stages() -> None:
    both = [NIGHTS, {**FREEZE, "stages": ["dev"]}]
    found = {}
    for stage in ("prod", "dev", "moon"):
        inputs = given(platform=both, stage=stage)
        found[stage] = [item.name for item in platform_windows(inputs.policy, inputs.stage)]
    assert found == {"prod": ["nights"], "dev": ["freeze"], "moon": []}


@pytest.mark.parametrize(
    "own",
    [
        {"schedule": "0 22 * * 1-5", "duration": "8h", **PARIS},
        {"schedule": "30 23 * * 2", "duration": "2h", **PARIS},
        {"schedule": "0 4 * * 2-6", "duration": "2h", **PARIS},
        {"kind": "Deny", "schedule": "0 0 * * *", "duration": "24h"},
    ],
)
def test_a_window_within_the_platforms_passes(own: dict[str, str]) -> None:
    assert windows_stay_within_the_platforms.run(given(own, platform=[NIGHTS, FREEZE])) is None


@pytest.mark.parametrize(
    "own",
    [
        {"schedule": "0 12 * * 1-5", "duration": "1h", **PARIS},
        {"schedule": "30 23 * * 2", "duration": "7h", **PARIS},
        {"schedule": "0 23 * * 0", "duration": "1h", **PARIS},
        {"schedule": "0 23 * * 2", "duration": "1h"},
        {"schedule": "0 23 1 * *", "duration": "1h", **PARIS},
    ],
    ids=["at noon", "too long", "on a Sunday", "in another time zone", "on whatever day of the week"],
)
def test_a_window_that_widens_the_platforms_is_refused(own: dict[str, str]) -> None:
    found = windows_stay_within_the_platforms.run(given(own, platform=[NIGHTS, FREEZE]))
    assert found is not None
    assert "0 22 * * 1-5 for 8h in Europe/Paris" in found.remedy
    assert windows_stay_within_the_platforms.run(given(own, platform=[FREEZE])) is None


def test_a_window_that_is_the_platforms_passes_whatever_it_says() -> None:
    once = {**NIGHTS, "schedule": "0 22 1 * *"}
    assert windows_stay_within_the_platforms.run(given({**once}, platform=[once])) is None


def test_an_environments_windows_take_the_place_of_the_platforms_that_allow() -> None:
    own = {"schedule": "0 23 * * 2", "duration": "1h", **PARIS, "manual": True}
    found = windows(given(own, platform=[NIGHTS, FREEZE]))
    assert [(item.kind, item.schedule, item.manual) for item in found] == [
        ("Allow", "0 23 * * 2", False),
        ("Deny", "0 0 20 12 *", False),
    ]
    assert found[1].description == "freeze"


def test_without_windows_of_its_own_an_environment_has_the_platforms() -> None:
    assert [item.description for item in windows(given(platform=[NIGHTS, FREEZE]))] == ["nights", "freeze"]
    assert windows(given(platform=[NIGHTS, FREEZE], stage="dev")) == ()


def test_a_freeze_reaches_an_environment_that_is_held() -> None:
    """Its new size waits for an approval, and the platform closes for the winter meanwhile."""
    poa = {"name": "poa", "actor": "poa", "covers": ["Configuration"]}
    asking = {"gates": [{"name": "live", "opens": [{"stages": ["prod"]}], "approvals": [poa]}]}
    before = policy_of(delivery={"windows": [NIGHTS]})
    live = built(snapshot_of(spec_of(environment("prod", stage="prod")), policy=before))
    larger = spec_of(environment("prod", stage="prod", size="large"))
    for theirs, told in (
        ([NIGHTS], ["nights"]),
        ([NIGHTS, FREEZE], ["nights", "freeze"]),
        ([FREEZE], ["nights", "freeze"]),
    ):
        plan = make_plan(snapshot_of(larger, live, policy=policy_of(**asking, delivery={"windows": theirs})))
        (revision,) = plan.building
        assert plan.held
        assert (revision.resources.cpu, [item.description for item in revision.windows]) == ("2", told)


@pytest.mark.parametrize(("manual", "platform"), [(False, [NIGHTS]), (True, []), (True, [{**NIGHTS, "manual": True}])])
def test_a_person_gets_around_the_platforms_windows_only_where_they_say_so(manual: bool, platform: Any) -> None:
    """Argo CD lets a person sync in a window that denies and says so, whatever other windows allow."""
    own = {"kind": "Deny", "schedule": "0 0 * * *", "duration": "24h", "manual": True}
    (denies,) = [item for item in windows(given(own, platform=platform)) if item.kind == "Deny"]
    assert denies.manual is manual


def test_each_window_is_for_the_namespaces_of_one_cluster() -> None:
    night = window(**PARIS)
    far = BASE.argocd.model_copy(update={"destination_server": "https://b.example.org"})
    places = (
        BASE.with_values(windows=(night,)),
        BASE.with_values(windows=(night,), namespace="shop-prod"),
        BASE.with_values(windows=(night,), argocd=far),
        BASE.with_values(namespace="shop-test"),
    )
    entry = {"kind": "allow", "schedule": "0 22 * * *", "duration": "8h", "timeZone": "Europe/Paris"}
    assert sync_windows(places) == [
        {**entry, "clusters": ["https://b.example.org"], "namespaces": ["shop-dev"], "andOperator": True},
        {
            **entry,
            "clusters": ["https://kubernetes.default.svc"],
            "namespaces": ["shop-dev", "shop-prod"],
            "andOperator": True,
        },
    ]


def test_of_two_windows_at_the_same_time_the_stricter_counts() -> None:
    """Argo CD refuses a project that has both."""
    both = (window(manual=True), window(description="ours"))
    (entry,) = sync_windows([BASE.with_values(windows=both)])
    assert "manualSync" not in entry
    assert entry["description"] == "ours"


def test_a_description_is_cut_to_the_bytes_that_argo_cd_takes() -> None:
    (entry,) = sync_windows([BASE.with_values(windows=(window(description="é" * 255),))])
    assert entry["description"] == "é" * 127
