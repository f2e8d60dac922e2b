"""A pack gives its objects, and never takes more memory than it was given."""

import hashlib
import random
import zlib

import pytest

from onboarding.adapters.probes.pack import Pack, read_pack
from onboarding.adapters.probes.pktline import lines, packet, texts, unband
from onboarding.adapters.probes.problem import ProbeProblem

COMMIT, TREE, BLOB, TAG, OFFSET_DELTA, DELTA = 1, 2, 3, 4, 6, 7
ROOM = 64 * 1024
KINDS = {COMMIT: "commit", TREE: "tree"}


def varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def packed(kind: int, content: bytes, base: str = "") -> bytes:
    head = len(content) & 0xF | kind << 4
    rest = len(content) >> 4
    first = bytes([head | 0x80]) + varint(rest) if rest else bytes([head])
    return first + bytes.fromhex(base) + zlib.compress(content)


def pack(*objects: bytes) -> bytes:
    return b"PACK\0\0\0\2" + len(objects).to_bytes(4, "big") + b"".join(objects) + b"\0" * 20


def identify(kind: int, content: bytes) -> str:
    return hashlib.sha1(b"%s %d\0" % (KINDS[kind].encode(), len(content)) + content).hexdigest()


def entry(mode: str, name: str, identity: str) -> bytes:
    return f"{mode} {name}\0".encode() + bytes.fromhex(identity)


def read(data: bytes) -> Pack:
    return read_pack(data, hash_name="sha1", limit=ROOM)


FILE = entry("100644", "values.yaml", "1" * 40)
SECOND = entry("40000", "charts", "2" * 40)


def test_a_tree_has_entries() -> None:
    found = read(pack(packed(BLOB, b"x" * 1000), packed(TAG, b"tag"), packed(TREE, FILE + SECOND)))
    assert found.entries(identify(TREE, FILE + SECOND)) == {
        "values.yaml": ("100644", "1" * 40),
        "charts": ("40000", "2" * 40),
    }


def test_a_commit_has_a_root() -> None:
    content = b"tree " + b"3" * 40 + b"\nauthor x\n"
    found = read(pack(packed(COMMIT, content)))
    assert found.root(identify(COMMIT, content)) == "3" * 40
    assert found.root("4" * 40) == ""


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PACK",
        b"JUNK\0\0\0\2\0\0\0\1" + packed(TREE, FILE),
        pack(),
        pack(packed(TREE, FILE))[:20],
        pack(packed(TREE, FILE), packed(TREE, FILE))[:60],
        pack(packed(OFFSET_DELTA, FILE)),
        pack(packed(0, FILE)),
        pack(bytes([TREE << 4]) + b"no zlib"),
        pack(packed(TREE, FILE), packed(DELTA, b"", "9" * 40)),
    ],
)
def test_what_is_no_pack_cannot_be_read(data: bytes) -> None:
    with pytest.raises(ProbeProblem, match="cannot be read"):
        read(data)


@pytest.mark.parametrize("kind", [TREE, BLOB])
def test_a_bomb_is_not_unpacked(kind: int) -> None:
    bomb = packed(kind, b"\0" * 10_000_000)
    assert len(bomb) < ROOM
    with pytest.raises(ProbeProblem, match="sends more"):
        read(pack(bomb))


def test_objects_share_one_bound() -> None:
    half = packed(BLOB, b"x" * (ROOM // 2))
    assert len(read(pack(half, half)).objects) == 1
    with pytest.raises(ProbeProblem, match="sends more"):
        read(pack(half, half, packed(BLOB, b"x")))


def test_too_many_objects_are_not_looked_at() -> None:
    with pytest.raises(ProbeProblem, match="sends more"):
        read(b"PACK\0\0\0\2" + (17).to_bytes(4, "big"))


def test_a_missing_tree_is_a_problem() -> None:
    with pytest.raises(ProbeProblem, match="did not send"):
        read(pack(packed(TREE, FILE))).entries("8" * 40)


def test_any_bytes_end_in_a_pack_or_a_problem() -> None:
    whole = pack(packed(TREE, FILE), packed(COMMIT, SECOND), packed(BLOB, FILE))
    chance = random.Random(7)
    for _ in range(2000):
        data = bytearray(whole)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            found = read(bytes(data))
            for identity in found.objects:
                assert found.root(identity) == ""
                found.entries(identity)
        except ProbeProblem:
            continue


@pytest.mark.parametrize(
    "content", [b"x", b"40000 a", b"40000 a\0short", b"<b> a\0" + b"1" * 20, b"40000 \0" + b"1" * 20]
)
def test_what_is_no_tree_cannot_be_read(content: bytes) -> None:
    with pytest.raises(ProbeProblem, match="cannot be read"):
        read(pack(packed(TREE, content))).entries(identify(TREE, content))


@pytest.mark.parametrize("content", [b"", b"tree x\n", b"parent " + b"1" * 40 + b"\n", b"tree " + b"1" * 39 + b"\n"])
def test_what_is_no_commit_cannot_be_read(content: bytes) -> None:
    with pytest.raises(ProbeProblem, match="cannot be read"):
        read(pack(packed(COMMIT, content))).root(identify(COMMIT, content))


def test_lines_are_read_as_they_are_written() -> None:
    data = packet("one") + b"0001" + packet("two") + b"0000" + b"0006\1\n"
    assert texts(data) == ["one", "two", "\1"]
    assert lines(data)[2] == b"\1\n"


@pytest.mark.parametrize("data", [b"zzzz", b"0", b"00", b"0010abc", b"\xff\xff\xff\xff"])
def test_what_is_no_line_is_a_problem(data: bytes) -> None:
    with pytest.raises(ProbeProblem, match=r"cut off|cannot be read"):
        lines(data)


def test_a_pack_travels_beside_words() -> None:
    answer = [b"shallow-info\n", b"packfile\n", b"\2secret words\n", b"\1PA", b"\1CK\n", b"\3fatal\n"]
    assert unband(answer) == b"PACK\n"
