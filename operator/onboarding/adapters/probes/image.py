"""Has a registry an image, under which digest, and for which platforms? By the OCI distribution specification."""

import hashlib
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson

from onboarding.adapters.probes.guard import parse_url
from onboarding.adapters.probes.http import Reply, Web
from onboarding.adapters.probes.logins import Logins
from onboarding.adapters.probes.problem import ProbeProblem
from onboarding.adapters.probes.registry import Registry
from onboarding.checks.images import DOCKER_HUB, parse_image
from onboarding.checks.probe import ImageFacts, ImageRequest

_LIMIT = 512 * 1024
_PLATFORMS = 32
_REMEMBERED = 2000
_ABSENT = frozenset({401, 403, 404})
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", re.ASCII)
_WORD = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
_LISTS = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_IMAGES = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = {"Accept": ", ".join((*_LISTS, *_IMAGES))}

Remembered = MutableMapping[str, tuple[str, ...]]
"""Platforms by digest: what a digest stands for never changes."""


@dataclass(frozen=True, slots=True)
class Reference:
    """An image reference in its parts."""

    host: str
    """Host of the registry's API, with its port where it is not 443."""
    path: str
    version: str
    """A digest, else a tag."""


def parse_reference(text: str) -> Reference:
    """Return where a registry keeps an image; ProbeProblem if the reference cannot be read."""
    image = parse_image(text)
    if image is None:
        raise ProbeProblem("the image reference cannot be read")
    if image.digest and not _DIGEST.fullmatch(image.digest):
        raise ProbeProblem("the digest of the image reference cannot be read")
    host = "registry-1.docker.io" if image.registry == DOCKER_HUB else image.registry
    return Reference(host, image.path, image.digest or image.tag or "latest")


async def ask_image(request: ImageRequest, web: Web, logins: Logins, remembered: Remembered) -> ImageFacts:
    """Return what the registry knows of an image; ProbeProblem where it does not say.

    Docker Hub counts each GET of a manifest, so one is sent only for a digest whose platforms are not remembered.
    """
    reference = parse_reference(request.reference)
    url = parse_url(f"https://{reference.host}/v2/{reference.path}/manifests/{reference.version}")
    async with web.session() as session:
        registry = Registry(session, url, reference.path, logins)
        head = await registry.fetch(url, method="HEAD", headers=_ACCEPT)
        if head.status in _ABSENT:
            return ImageFacts(found=False)
        digest = head.headers.get("docker-content-digest", "") if head.status == 200 else ""
        if digest not in remembered:
            reply = await registry.fetch(url, headers=_ACCEPT, limit=_LIMIT)
            if reply.status in _ABSENT:
                return ImageFacts(found=False)
            digest = _checked(reply, reference.version)
            platforms = await _platforms(registry, url, _json(reply))
            while len(remembered) >= _REMEMBERED:
                del remembered[next(iter(remembered))]
            remembered[digest] = platforms
    if _DIGEST.fullmatch(reference.version) and digest != reference.version:
        raise ProbeProblem("the registry names another digest than the one it was asked for")
    return ImageFacts(found=True, digest=digest, platforms=remembered[digest])


async def _platforms(registry: Registry, url: httpx.URL, manifest: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the platforms of an index, or of the one image that a manifest is of."""
    match manifest:
        case {"manifests": list(entries)}:
            found = {_platform(entry.get("platform")) for entry in entries if isinstance(entry, dict)}
        case {"config": {"digest": str(digest)}} if _DIGEST.fullmatch(digest):
            blob = await registry.fetch(url.join(f"../blobs/{digest}"), limit=_LIMIT)
            _checked(blob, digest)
            found = {_platform(_json(blob))}
        case _:
            found = set()
    return tuple(sorted(found - {""})[:_PLATFORMS])


def _platform(value: object) -> str:
    """Return ``os/architecture``; the empty string for attestations, which have none."""
    match value:
        case {"os": str(system), "architecture": str(machine)} if system != "unknown":
            return f"{system}/{machine}" if _WORD.fullmatch(system) and _WORD.fullmatch(machine) else ""
    return ""


def _checked(reply: Reply, version: str) -> str:
    """Return the digest of what was sent; ProbeProblem where it is not what was asked for."""
    if reply.status == 429:
        raise ProbeProblem("the registry limits how often it may be asked")
    if reply.status != 200:
        raise ProbeProblem(f"the registry answers {reply.phrase}")
    algorithm = version.partition(":")[0] if _DIGEST.fullmatch(version) else "sha256"
    digest = f"{algorithm}:{hashlib.new(algorithm, reply.body).hexdigest()}"
    if _DIGEST.fullmatch(version) and digest != version:
        raise ProbeProblem("the registry sends something else than what the digest stands for")
    return digest


def _json(reply: Reply) -> Mapping[str, Any]:
    try:
        content = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        content = None
    if not isinstance(content, dict):
        raise ProbeProblem("the registry's answer cannot be read")
    return content
