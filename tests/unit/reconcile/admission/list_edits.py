"""One row per list and map of the spec: edits, and the facts of the built objects that each of them changes."""

from typing import Final

from tests.unit.reconcile.admission.edits import (
    GIT,
    Edit,
    chart,
    files,
    flows,
    groups,
    listed,
    of_classes,
    of_prod,
    own,
    prod,
    repositories,
    team,
    window,
    without_object,
)

LIN, KIM = ({"name": name, "email": f"{name}@example.org", "roles": [name]} for name in ("lin", "kim"))
APP, WEB = {"name": "app"}, {"name": "web"}
APP_RUNS, WEB_RUNS = ({f"prod {name}: {GIT}/{name} HEAD "} for name in ("app", "web"))
RUNS_ELSEWHERE = {f"prod app: {GIT}/elsewhere HEAD "}
WIDE, HALF, OTHER = ["10.50.0.0/22"], ["10.50.0.0/23"], ["10.50.8.0/24"]
ONE, TWO, EIGHT = (f"prod Egress 10.50.{number}.1:443/TCP" for number in (1, 2, 8))
PORT, UDP, BACK = "prod Egress 10.50.1.1:5432/TCP", "prod Egress 10.50.1.1:443/UDP", "prod Ingress 10.50.1.1:443/TCP"
TO_OTHER = {
    "prod Egress shop-other:443/TCP",
    "third Egress shop-other:443/TCP",
    "other Ingress shop-prod:443/TCP",
    "other Ingress shop-third:443/TCP",
}
TO_THIRD = {
    "prod Egress shop-third:443/TCP",
    "other Egress shop-third:443/TCP",
    "third Ingress shop-prod:443/TCP",
    "third Ingress shop-other:443/TCP",
}
TOULOUSE, PARIS = {"prod at toulouse"}, {"prod at paris"}

TABLE: Final[dict[str, dict[str, Edit]]] = {
    "team.people": without_object(
        team(LIN), team(LIN, KIM), team({**LIN, "name": "x"}), team({**LIN, "email": "x@y.z"}), team()
    ),
    "team.people.roles": without_object(
        *(team({**LIN, "roles": roles}) for roles in (["x"], ["x", "y"], ["z"], ["X"], []))
    ),
    "team.people.groups": without_object(
        *(team({**LIN, "groups": named}) for named in (["x"], ["x", "y"], ["z"], ["X"], []))
    ),
    "environments.groups": {
        "add": Edit(own(), own(admin=["p"]), {"prod admin: a"}, waits={"prod admin: p"}),
        "change": Edit(own(admin=["p"]), own(admin=["q"]), {"prod admin: p"}, waits={"prod admin: q"}),
        "rename": Edit(
            own(admin=["p"]), own(viewer=["p"]), {"prod admin: p"}, waits={"prod admin: a", "prod viewer: p"}
        ),
        "remove": Edit(own(admin=["p"]), own(), {"prod admin: p"}, waits={"prod admin: a"}),
    },
    "environments.groups.*": {
        "add": Edit(own(admin=["p"]), own(admin=["p", "q"]), waits={"prod admin: q"}),
        "change": Edit(own(admin=["p", "q"]), own(admin=["p", "r"]), {"prod admin: q"}, waits={"prod admin: r"}),
        "rename": Edit(own(admin=["p"]), own(admin=["P"]), {"prod admin: p"}, waits={"prod admin: P"}),
        "remove": Edit(own(admin=["p", "q"]), own(admin=["p"]), {"prod admin: q"}),
    },
    "team.groups": {
        "add": Edit(groups(admin=["a"]), groups(admin=["a"], viewer=["v"]), waits={"prod viewer: v"}),
        "change": Edit(groups(admin=["a"]), groups(admin=["b"]), {"prod admin: a"}, waits={"prod admin: b"}),
        "rename": Edit(groups(admin=["a"]), groups(developer=["a"]), {"prod admin: a"}, waits={"prod developer: a"}),
        "remove": Edit(groups(admin=["a"], viewer=["v"]), groups(admin=["a"]), {"prod viewer: v"}),
    },
    "team.groups.*": {
        "add": Edit(groups(admin=["a"]), groups(admin=["a", "b"]), waits={"prod admin: b"}),
        "change": Edit(groups(admin=["a", "b"]), groups(admin=["a", "c"]), {"prod admin: b"}, waits={"prod admin: c"}),
        "rename": Edit(groups(admin=["a"]), groups(admin=["A"]), {"prod admin: a"}, waits={"prod admin: A"}),
        "remove": Edit(groups(admin=["a", "b"]), groups(admin=["a"]), {"prod admin: b"}),
    },
    "objectives": without_object(*({"objectives": item} for item in (["x"], ["x", "y"], ["z"], ["X"], []))),
    "flows": {
        "add": Edit({}, flows(cidrs=HALF), waits={ONE}),
        "change the port": Edit(flows(cidrs=HALF), flows(cidrs=HALF, port=5432), {ONE}, waits={PORT}),
        "change the protocol": Edit(flows(cidrs=HALF), flows(cidrs=HALF, protocol="UDP"), {ONE}, waits={UDP}),
        "change the direction": Edit(flows(cidrs=HALF), flows(cidrs=HALF, direction="Ingress"), {ONE}, waits={BACK}),
        "change the zone": Edit(
            flows(), flows(zone="postgresql"), {ONE, TWO, EIGHT}, waits={"prod Egress 10.150.0.1:443/TCP"}
        ),
        "change the environment": Edit(
            flows(environment="other"), flows(environment="third"), TO_OTHER, waits=TO_THIRD
        ),
        "rename": Edit(
            flows(cidrs=HALF),
            flows("other", cidrs=HALF),
            {ONE},
            waits={ONE},
        ),
        "remove": Edit(flows(cidrs=HALF), {}, {ONE}),
    },
    "flows.cidrs": {
        "add": Edit(flows(cidrs=HALF), flows(cidrs=[*HALF, *OTHER]), waits={EIGHT}),
        "change": Edit(flows(cidrs=WIDE), flows(cidrs=[*HALF, *OTHER]), {TWO}, waits={EIGHT}),
        "rename": Edit(flows(cidrs=HALF), flows(cidrs=OTHER), {ONE}, waits={EIGHT}),
        "remove": Edit(flows(cidrs=[*HALF, *OTHER]), flows(cidrs=HALF), {EIGHT}),
        # Without networks it is the whole zone.
        "remove the last": Edit(flows(cidrs=HALF), flows(), waits={TWO, EIGHT}),
    },
    "flows.environments": {
        "add": Edit(
            flows(cidrs=HALF, environments=["prod"]),
            flows(cidrs=HALF, environments=["prod", "other"]),
            waits={ONE.replace("prod", "other")},
        ),
        "change": Edit(
            flows(cidrs=HALF, environments=["prod", "third"]),
            flows(cidrs=HALF, environments=["prod", "other"]),
            {ONE.replace("prod", "third")},
            waits={ONE.replace("prod", "other")},
        ),
        "rename": Edit(
            flows(cidrs=HALF, environments=["prod"]),
            flows(cidrs=HALF, environments=["other"]),
            {ONE},
            waits={ONE.replace("prod", "other")},
        ),
        "remove": Edit(
            flows(cidrs=HALF, environments=["prod", "other"]),
            flows(cidrs=HALF, environments=["prod"]),
            {ONE.replace("prod", "other")},
        ),
    },
    "repositories": {
        "add": Edit(repositories(APP), repositories(APP, WEB), waits=WEB_RUNS),
        # The Application stays until the new repository is admitted.
        "change the URL": Edit(
            repositories(APP), repositories({**APP, "url": f"{GIT}/elsewhere"}), replaced=APP_RUNS, waits=RUNS_ELSEWHERE
        ),
        "change the revision": Edit(
            repositories(APP),
            repositories({**APP, "revision": "v2"}),
            replaced=APP_RUNS,
            waits={f"prod app: {GIT}/app v2 "},
        ),
        "rename": Edit(repositories(APP), repositories(WEB), APP_RUNS, waits=WEB_RUNS),
        "remove": Edit(repositories(APP, WEB), repositories(APP), WEB_RUNS),
    },
    "repositories.helm.valueFiles": {
        "add": Edit(
            repositories(chart("a")), repositories(chart("a", "b")), replaced=files("a"), waits=files("a", "b")
        ),
        "change": Edit(repositories(chart("a")), repositories(chart("b")), replaced=files("a"), waits=files("b")),
        "rename": Edit(repositories(chart("a")), repositories(chart("A")), replaced=files("a"), waits=files("A")),
        "remove": Edit(
            repositories(chart("a", "b")), repositories(chart("a")), replaced=files("a", "b"), waits=files("a")
        ),
    },
    "environments": {
        "add": Edit(of_prod(), {"environments": [prod(), prod("other")]}, waits={"other at toulouse"}),
        "change": Edit(of_prod(), of_prod(size="large"), replaced={"prod cpu 4"}, waits={"prod cpu 6"}),
        "rename": Edit(
            of_prod(),
            {"environments": [prod("other")]},
            unless_suspended={"prod at toulouse"},
            waits={"other at toulouse"},
        ),
        "remove": Edit({"environments": [prod(), prod("other")]}, of_prod(), unless_suspended={"other at toulouse"}),
    },
    "environments.sites": {
        "add": Edit(of_prod(), of_prod(sites=["toulouse", "paris"]), waits=PARIS),
        # A site that is new never keeps one that the environment leaves.
        "change": Edit(of_prod(), of_prod(sites=["paris"]), unless_suspended=TOULOUSE, waits=PARIS),
        "remove": Edit(of_prod(sites=["toulouse", "paris"]), of_prod(), unless_suspended=PARIS),
        "remove the last": Edit(of_prod(), of_prod(sites=[]), waits=PARIS),
    },
    "environments.labels": {
        "add": Edit(of_prod(), of_prod(labels={"shop.projects/a": "1"}), waits={"prod label shop.projects/a=1"}),
        "change": Edit(
            of_prod(labels={"shop.projects/a": "1"}),
            of_prod(labels={"shop.projects/a": "2"}),
            replaced={"prod label shop.projects/a=1"},
            waits={"prod label shop.projects/a=2"},
        ),
        "rename": Edit(
            of_prod(labels={"shop.projects/a": "1"}),
            of_prod(labels={"shop.projects/b": "1"}),
            replaced={"prod label shop.projects/a=1"},
            waits={"prod label shop.projects/b=1"},
        ),
        "remove": Edit(of_prod(labels={"shop.projects/a": "1"}), of_prod(), replaced={"prod label shop.projects/a=1"}),
    },
    "environments.resources.storageClasses": {
        "add": Edit(of_classes({}), of_classes({"fast": "1Gi"}), waits={"prod class fast: 1Gi"}),
        "change": Edit(
            of_classes({"fast": "1Gi"}),
            of_classes({"fast": "2Gi"}),
            replaced={"prod class fast: 1Gi"},
            waits={"prod class fast: 2Gi"},
        ),
        "remove": Edit(of_classes({"fast": "1Gi"}), of_classes({}), replaced={"prod class fast: 1Gi"}),
    },
    "environments.domains": listed("domains", first="a.rie.gouv.fr", second="b.rie.gouv.fr"),
    "environments.exposures": without_object(
        *(of_prod(exposures=item) for item in (["rie"], ["rie"], ["rie"], ["rie"], []))
    ),
    "environments.deployments": {
        "add": Edit(
            repositories(APP),
            repositories(APP, deployments=[{"repository": "app", "revision": "v1"}]),
            replaced=APP_RUNS,
            waits={f"prod app: {GIT}/app v1 "},
        ),
        "change": Edit(
            repositories(APP, deployments=[{"repository": "app", "revision": "v1"}]),
            repositories(APP, deployments=[{"repository": "app", "revision": "v2"}]),
            replaced={f"prod app: {GIT}/app v1 "},
            waits={f"prod app: {GIT}/app v2 "},
        ),
        "rename": Edit(
            repositories(APP, WEB, deployments=[{"repository": "app", "revision": "v1"}]),
            repositories(APP, WEB, deployments=[{"repository": "web", "revision": "v1"}]),
            replaced={f"prod app: {GIT}/app v1 ", *WEB_RUNS},
            waits={f"prod web: {GIT}/web v1 ", *APP_RUNS},
        ),
        "remove": Edit(
            repositories(APP, deployments=[{"repository": "app", "revision": "v1"}]),
            repositories(APP),
            replaced={f"prod app: {GIT}/app v1 "},
            waits=APP_RUNS,
        ),
    },
    "environments.deployments.valueFiles": {
        name: Edit(
            *(
                repositories(chart("z"), deployments=[{"repository": "app", "valueFiles": item}])
                for item in (before, after)
            ),
            replaced=files(*before),
            waits=files(*(after or ["z"])),
        )
        for name, before, after in (
            ("add", ["a"], ["a", "b"]),
            ("change", ["a"], ["b"]),
            ("rename", ["a"], ["A"]),
            ("remove", ["a"], []),
        )
    },
    "environments.releaseWindows": {
        "add": Edit(of_prod(), of_prod(releaseWindows=[window("0 8 * * 1")]), waits={"prod window 0 8 * * 1"}),
        "change": Edit(
            of_prod(releaseWindows=[window("0 8 * * 1")]),
            of_prod(releaseWindows=[window("0 9 * * 1")]),
            replaced={"prod window 0 8 * * 1"},
            waits={"prod window 0 9 * * 1"},
        ),
        "remove": Edit(of_prod(releaseWindows=[window("0 8 * * 1")]), of_prod(), replaced={"prod window 0 8 * * 1"}),
    },
}
