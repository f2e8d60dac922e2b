"""Detached namespaces are marked by the UID of the binding that guards their annotation, as it is heard of."""

from onboarding import names
from tests.unit.adapters.guarded_server import KINDS, Server, probing
from tests.unit.adapters.test_guards import DETACHED


async def test_a_detachment_is_marked_by_the_binding_that_guards_it() -> None:
    """A binding that is changed is the same one; one that is made anew is another, and nothing of before counts."""
    server, (_, bindings) = Server(), KINDS
    async with probing(server) as probed:
        assert not probed.prober.detach_mark, "nothing was heard yet"
        await probed.until_told("")
        assert probed.prober.detach_mark == f"{bindings}-{DETACHED}-0"
        for kind in KINDS:
            asked = len(server.asked)
            server.change(kind, DETACHED)
            await probed.until(lambda asked=asked: len(server.asked) > asked)
            await probed.until_told("")
        assert probed.prober.detach_mark == f"{bindings}-{DETACHED}-0"
        server.remove(bindings, DETACHED)
        await probed.until_told(f"{DETACHED} is not in force")
        assert not probed.prober.detach_mark
        server.made[bindings, DETACHED] = 1
        server.change(bindings, DETACHED)
        await probed.until_told("")
        assert probed.prober.detach_mark == f"{bindings}-{DETACHED}-1"


async def test_what_a_former_version_detached_is_marked_by_its_binding() -> None:
    """It is not asked about: the former policy may be gone. Without the binding nothing has that mark."""
    server, (_, bindings) = Server(), KINDS
    async with probing(server) as probed:
        assert not probed.prober.former_detach_mark, "nothing was heard yet"
        await probed.until_told("")
        assert probed.prober.former_detach_mark == f"{bindings}-{names.FORMER_DETACHED_BINDING}-0"
        server.remove(bindings, names.FORMER_DETACHED_BINDING)
        await probed.until(lambda: not probed.prober.former_detach_mark)
        assert not probed.prober.state.problem
    assert sorted(server.probed()) == sorted(names.GUARD_POLICIES)
