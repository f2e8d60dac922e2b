"""A registry is asked for an image, its digest and platforms, with a login only where that is safe."""

import base64

import pytest
from aiohttp import web

from onboarding.adapters.probes.asks import build_asks
from onboarding.adapters.probes.image import Reference, Remembered, ask_image, parse_reference
from onboarding.adapters.probes.logins import Logins
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.api.probes import Credential, Probes, TokenSecret
from onboarding.checks.probe import ImageFacts, ImageRequest
from tests.support.internet import LOOPBACK, Internet
from tests.support.registryhost import INDEX, MANIFEST, RegistryHost

DIGEST = "sha256:" + "a" * 64
ROBOT = "Basic " + base64.b64encode(b"robot:s3cret").decode()


@pytest.mark.parametrize(
    ("text", "host", "path", "version"),
    [
        ("nginx", "registry-1.docker.io", "library/nginx", "latest"),
        ("nginx:1.27", "registry-1.docker.io", "library/nginx", "1.27"),
        ("bitnami/redis:7", "registry-1.docker.io", "bitnami/redis", "7"),
        ("docker.io/nginx", "registry-1.docker.io", "library/nginx", "latest"),
        ("docker.io/library/nginx:1", "registry-1.docker.io", "library/nginx", "1"),
        ("quay.io/a/b/c:v1", "quay.io", "a/b/c", "v1"),
        ("registry.example.org:5000/app", "registry.example.org:5000", "app", "latest"),
        (f"ghcr.io/a/b@{DIGEST}", "ghcr.io", "a/b", DIGEST),
        (f"ghcr.io/a/b:v1@{DIGEST}", "ghcr.io", "a/b", DIGEST),
    ],
)
def test_a_reference_is_read_as_docker_reads_it(text: str, host: str, path: str, version: str) -> None:
    assert parse_reference(text) == Reference(host, path, version)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        ":v1",
        "nginx:",
        "nginx@",
        "nginx@sha256:abc",
        "nginx@md5:" + "a" * 32,
        "UPPER/case",
        "a//b",
        "../../token",
        "quay.io/a/../b",
        "quay.io/",
        "nginx:v1/x?y",
        "nginx\n",
        "nginx:v1\n",
        "a" * 300,
        "nginx:" + "t" * 200,
    ],
)
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ProbeProblem, match="cannot be read"):
        parse_reference(text)


class Setting:
    """A registry in an internet, and the policy's logins."""

    def __init__(self, internet: Internet, host: RegistryHost, url: str) -> None:
        self.internet = internet
        self.host = host
        self.url = url
        self.name = url.removeprefix("https://")
        self.credentials: list[Credential] = []
        internet.secrets["robot", "token"] = b"s3cret"

    def name_login(self, host: str) -> None:
        """Let the policy name a login for a host."""
        self.credentials.append(
            Credential(host=host, username="robot", token_secret=TokenSecret(name="robot", key="token"))
        )

    async def ask(self, reference: str) -> ImageFacts:
        """Ask for an image of the registry."""
        probes = Probes(allowed_networks=LOOPBACK, credentials=tuple(self.credentials))
        facts: ImageFacts = await self.internet.ask(ImageRequest(f"{self.name}/{reference}"), probes)
        return facts


@pytest.fixture
async def setting(internet: Internet) -> Setting:
    host = RegistryHost()
    return Setting(internet, host, await internet.serve("registry.example.org", host.application()))


async def test_an_image_has_a_digest_and_a_platform(setting: Setting) -> None:
    digest = setting.host.add_image("team/app", "v1", machine="arm64")
    expected = ImageFacts(found=True, digest=digest, platforms=("linux/arm64",))
    assert await setting.ask("team/app:v1") == expected
    assert await setting.ask(f"team/app@{digest}") == expected


async def test_an_index_has_the_platforms_of_its_images(setting: Setting) -> None:
    entries = [{"platform": {"os": "linux", "architecture": machine}} for machine in ("arm64", "amd64", "amd64")]
    strange = [{"platform": {"os": "unknown", "architecture": "unknown"}}, {"platform": {"os": "<b>"}}, {}, "x"]
    digest = setting.host.add("team/app", {"manifests": [*entries, *strange]}, INDEX, "v1")
    expected = ImageFacts(found=True, digest=digest, platforms=("linux/amd64", "linux/arm64"))
    assert await setting.ask("team/app:v1") == expected


async def test_platforms_are_bounded(setting: Setting) -> None:
    entries = [{"platform": {"os": "linux", "architecture": f"m{number}"}} for number in range(1000)]
    setting.host.add("team/app", {"manifests": entries}, INDEX, "v1")
    assert len((await setting.ask("team/app:v1")).platforms) == 32


async def test_a_missing_image_is_not_found(setting: Setting) -> None:
    assert await setting.ask("team/app:v1") == ImageFacts(found=False)


async def test_a_registry_without_head_is_asked_all_the_same(setting: Setting) -> None:
    setting.host.heads = False
    digest = setting.host.add_image("team/app", "v1")
    assert (await setting.ask("team/app:v1")).digest == digest


async def test_a_known_digest_is_not_fetched_again(setting: Setting) -> None:
    setting.host.add_image("team/app", "v1")
    asks = build_asks(
        Probes(allowed_networks=LOOPBACK),
        setting.internet.secret,
        trust=setting.internet.authority.trust,
        resolve=setting.internet.resolver,
    )
    request = ImageRequest(f"{setting.name}/team/app:v1")
    first = await asks[ImageRequest](request)
    setting.host.requests.clear()
    assert await asks[ImageRequest](request) == first
    assert [method for method, _ in setting.host.requests] == ["HEAD"]


async def test_a_public_registry_gives_a_token_to_everybody(setting: Setting) -> None:
    setting.host.challenge = f'Bearer realm="{setting.url}/token",service="reg",scope="repository:other:push"'
    setting.host.tokens, setting.host.accepts = {None: "t0ken"}, {"Bearer t0ken"}
    digest = setting.host.add_image("team/app", "v1")
    assert (await setting.ask("team/app:v1")).digest == digest
    assert setting.host.token_queries == [{"service": "reg", "scope": "repository:team/app:pull"}]


async def test_a_login_is_exchanged_for_a_token(setting: Setting) -> None:
    setting.name_login(setting.name)
    setting.host.challenge = f'Bearer realm="{setting.url}/token",service="reg"'
    setting.host.tokens, setting.host.accepts = {ROBOT: "t0ken"}, {"Bearer t0ken"}
    digest = setting.host.add_image("team/app", "v1")
    assert (await setting.ask("team/app:v1")).digest == digest


async def test_a_login_is_sent_where_the_registry_asks_for_basic(setting: Setting) -> None:
    setting.name_login(setting.name)
    setting.host.challenge, setting.host.accepts = 'Basic realm="x"', {ROBOT}
    digest = setting.host.add_image("team/app", "v1")
    assert (await setting.ask("team/app:v1")).digest == digest


@pytest.mark.parametrize(
    "challenge", ["", 'Basic realm="x"', "Bearer", 'Digest realm="x"', 'Bearer realm="{url}/token"']
)
async def test_a_refused_login_is_not_found(setting: Setting, challenge: str) -> None:
    setting.name_login("other.example.org")
    setting.host.challenge = challenge.format(url=setting.url) or "Unheard-of"
    setting.host.add_image("team/app", "v1")
    assert await setting.ask("team/app:v1") == ImageFacts(found=False)
    assert set(setting.host.logins) == {None}


async def test_a_token_service_on_another_host_gets_the_login_that_is_named_for_it(
    internet: Internet, setting: Setting
) -> None:
    service = RegistryHost()
    service.tokens = {ROBOT: "t0ken"}
    realm = await internet.serve("auth.example.org", service.application())
    setting.host.challenge, setting.host.accepts = f'Bearer realm="{realm}/token"', {"Bearer t0ken"}
    digest = setting.host.add_image("team/app", "v1")
    setting.name_login(setting.name)
    assert await setting.ask("team/app:v1") == ImageFacts(found=False)
    setting.name_login(realm.removeprefix("https://"))
    assert (await setting.ask("team/app:v1")).digest == digest


async def test_a_registry_that_the_policy_does_not_name_gets_no_token_of_ours(
    internet: Internet, setting: Setting
) -> None:
    """It names a token service that we have a login for, to be given the token."""
    victim = RegistryHost()
    victim.tokens = {ROBOT: "t0ken-for-robot", None: "t0ken-for-all"}
    realm = await internet.serve("victim.example.org", victim.application())
    setting.name_login(realm.removeprefix("https://"))
    setting.host.challenge = f'Bearer realm="{realm}/token",service="victim",scope="repository:secret:pull"'
    setting.host.add_image("team/app", "v1")
    assert await setting.ask("team/app:v1") == ImageFacts(found=False)
    assert setting.host.logins == [None, "Bearer t0ken-for-all"]


@pytest.mark.parametrize(
    ("realm", "words"),
    [
        ("http://auth.example.org/token", "not asked over https"),
        ("https://169.254.169.254/token", "never reach"),
        ("https://auth.svc.cluster.local/token", "inside a cluster"),
        ("https://u:s3cret@auth.example.org/token", "holds a login"),
    ],
)
async def test_a_token_service_is_checked_like_any_url(setting: Setting, realm: str, words: str) -> None:
    setting.host.challenge = f'Bearer realm="{realm}"'
    with pytest.raises(ProbeProblem, match=words) as raised:
        await setting.ask("team/app:v1")
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("token", ["a\nb", "é", 7])
async def test_a_token_that_no_header_can_carry_is_a_problem(setting: Setting, token: str) -> None:
    setting.host.challenge = f'Bearer realm="{setting.url}/token"'
    setting.host.tokens = {None: token}
    with pytest.raises(ProbeProblem, match="no token that can be used"):
        await setting.ask("team/app:v1")


async def test_other_content_than_the_digest_says_is_a_problem(setting: Setting) -> None:
    digest = setting.host.add_image("team/app", "v1")
    setting.host.heads = False
    setting.host.content["team/app", DIGEST] = setting.host.content["team/app", digest]
    with pytest.raises(ProbeProblem, match="something else"):
        await setting.ask(f"team/app@{DIGEST}")


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (429, b"", "limits how often"),
        (503, b"s3cret", "503 Service Unavailable"),
        (200, b"s3cret", "cannot be read"),
        (200, b"[]", "cannot be read"),
        (200, b"[" * 300_000, "cannot be read"),
        (200, b" " * 600_000, "larger than 512 KiB"),
    ],
)
async def test_a_strange_answer_is_unknown_and_never_quoted(
    internet: Internet, status: int, body: bytes, words: str
) -> None:
    async def answer(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=status, body=body)

    url = await internet.serve("registry.example.org", answer)
    with pytest.raises(ProbeProblem, match=words) as raised:
        await internet.ask(ImageRequest(f"{url.removeprefix('https://')}/team/app:v1"))
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "words"), [(500, b"s3cret", "token service answers 500"), (200, b"s3cret", "no token that can")]
)
async def test_a_strange_token_service_is_unknown(internet: Internet, status: int, body: bytes, words: str) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        if request.path == "/token":
            return web.Response(status=status, body=body)
        return web.Response(status=401, headers={"WWW-Authenticate": f'Bearer realm="{request.url.origin()}/token"'})

    url = await internet.serve("registry.example.org", answer)
    with pytest.raises(ProbeProblem, match=words) as raised:
        await internet.ask(ImageRequest(f"{url.removeprefix('https://')}/team/app:v1"))
    assert "s3cret" not in str(raised.value)


async def test_only_so_many_digests_are_remembered(setting: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("onboarding.adapters.probes.image._REMEMBERED", 2)
    remembered: Remembered = {}
    client, logins = setting.internet.web(), Logins((), setting.internet.secret)
    for number in range(4):
        setting.host.add_image("team/app", f"v{number}", machine=f"m{number}")
        request = ImageRequest(f"{setting.name}/team/app:v{number}")
        assert (await ask_image(request, client, logins, remembered)).platforms == (f"linux/m{number}",)
    assert list(remembered.values()) == [("linux/m2",), ("linux/m3",)]


async def test_an_image_that_goes_meanwhile_is_not_found(internet: Internet) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return web.Response(status=200 if request.method == "HEAD" else 404)

    url = await internet.serve("registry.example.org", answer)
    assert await internet.ask(ImageRequest(f"{url.removeprefix('https://')}/app:v1")) == ImageFacts(found=False)


async def test_a_manifest_of_another_kind_has_no_platforms(setting: Setting) -> None:
    digest = setting.host.add("team/app", {"schemaVersion": 2}, MANIFEST, "v1")
    assert await setting.ask("team/app:v1") == ImageFacts(found=True, digest=digest)
