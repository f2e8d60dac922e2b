"""Git's pkt-lines: what its servers and clients say to each other, line by line. Pure."""

from onboarding.adapters.probes.problem import ProbeProblem

FLUSH = b"0000"
SEPARATOR = b"0001"
_DATA = b"\1"


def packet(text: str) -> bytes:
    """Return one line with its length."""
    return f"{len(text) + 5:04x}{text}\n".encode("ascii")


def lines(data: bytes) -> list[bytes]:
    """Return the lines of an answer, without the marks between its sections; ProbeProblem where it has no lines."""
    found, position = [], 0
    while position < len(data):
        try:
            length = int(data[position : position + 4], 16)
        except ValueError:
            raise ProbeProblem("the Git server's answer cannot be read") from None
        if position + max(length, 4) > len(data):
            raise ProbeProblem("the Git server's answer is cut off")
        if length >= 4:
            found.append(data[position + 4 : position + length])
        position += max(length, 4)
    return found


def texts(data: bytes) -> list[str]:
    """Return the lines of an answer that is text."""
    return [line.decode("utf-8", "replace").removesuffix("\n") for line in lines(data)]


def unband(answer: list[bytes]) -> bytes:
    """Return the pack that the lines of an answer to ``fetch`` hold."""
    try:
        begin = answer.index(b"packfile\n") + 1
    except ValueError:
        raise ProbeProblem("the Git server sends no pack") from None
    return b"".join(line[1:] for line in answer[begin:] if line[:1] == _DATA)
