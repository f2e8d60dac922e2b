"""Git's pack format without deltas: a server that filters sends each object that was asked for in full. Pure."""

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from onboarding.adapters.probes.problem import ProbeProblem

_COMMIT, _TREE = 1, 2
_NAMES = {_COMMIT: b"commit", _TREE: b"tree", 3: b"blob", 4: b"tag"}
_OBJECTS = 16
_TOO_LARGE = "the Git server sends more than the one object that was asked for"
_STRANGE = "the Git server's answer cannot be read"
_ROOT = re.compile(rb"tree ([0-9a-f]{40,64})\n")
_ENTRY = re.compile(rb"([0-7]{5,6}) ([^\0]+)\0")
FOLDER = "40000"
"""Mode of an entry of a tree that is a tree itself."""


@dataclass(frozen=True, slots=True)
class Pack:
    """Objects of a pack: kind and content by id."""

    hash_name: str
    """``sha1`` or ``sha256``."""
    objects: dict[str, tuple[int, bytes]]

    def root(self, commit: str) -> str:
        """Return the id of a commit's tree; the empty string if the id is not that of a commit in the pack."""
        kind, content = self.objects.get(commit, (0, b""))
        if kind != _COMMIT:
            return ""
        found = _ROOT.match(content)
        if found is None:
            raise ProbeProblem(_STRANGE)
        return found[1].decode("ascii")

    def entries(self, tree: str) -> dict[str, tuple[str, str]]:
        """Return the entries of a tree by name, each with its mode and id; ProbeProblem if the pack lacks the tree."""
        kind, content = self.objects.get(tree, (0, b""))
        if kind != _TREE:
            raise ProbeProblem("the Git server did not send the folders that were asked for")
        width = hashlib.new(self.hash_name).digest_size
        entries, position = {}, 0
        while position < len(content):
            found = _ENTRY.match(content, position)
            if found is None or found.end() + width > len(content):
                raise ProbeProblem(_STRANGE)
            position = found.end() + width
            entries[found[2].decode("utf-8", "replace")] = (
                found[1].decode("ascii"),
                content[found.end() : position].hex(),
            )
        return entries


def read_pack(data: bytes, *, hash_name: str, limit: int) -> Pack:
    """Return the objects of a pack that unpacks to at most ``limit`` bytes; ProbeProblem if it cannot be read."""
    objects = {}
    try:
        for kind, content in _objects(data, limit):
            digest = hashlib.new(hash_name, b"%s %d\0" % (_NAMES[kind], len(content)))
            digest.update(content)
            objects[digest.hexdigest()] = (kind, content)
    except (ValueError, IndexError, zlib.error):
        raise ProbeProblem(_STRANGE) from None
    return Pack(hash_name, objects)


def _objects(data: bytes, room: int) -> Iterator[tuple[int, bytes]]:
    """Yield kind and content of each object; ``room`` is how many bytes all of them may unpack to."""
    count, rest = int.from_bytes(data[8:12], "big"), data[12:]
    if not data.startswith(b"PACK") or not count:
        raise ValueError(count)
    if count > _OBJECTS:
        raise ProbeProblem(_TOO_LARGE)
    for _ in range(count):
        kind, length = rest[0] >> 4 & 7, 1
        if kind not in _NAMES:
            raise ValueError(kind)
        while rest[length - 1] & 0x80:
            length += 1
        content, rest = _inflate(rest[length:], room)
        room -= len(content)
        yield kind, content


def _inflate(data: bytes, room: int) -> tuple[bytes, bytes]:
    """Return an object's content and the bytes after it, without unpacking more than ``room`` bytes."""
    stream = zlib.decompressobj()
    content = stream.decompress(data, room + 1)
    if len(content) > room:
        raise ProbeProblem(_TOO_LARGE)
    if not stream.eof:
        raise ValueError(len(data))
    return content, stream.unused_data
