"""A pytest plugin that offers one control plane to all tests of a session."""

import contextlib
from collections.abc import Iterator

import pytest

from devcluster import ControlPlane
from devcluster.progress import progress_line


@pytest.fixture(scope="session")
def control_plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """Start a control plane without custom resource definitions; its logs are kept if a test fails."""
    with _uncaptured(request.config), progress_line() as progress:
        control_plane = ControlPlane.start("tests", progress=progress)
    failed_before = request.session.testsfailed
    yield control_plane
    failed = control_plane.is_ours and request.session.testsfailed > failed_before
    control_plane.stop(keep_logs=failed)
    if failed:
        with _uncaptured(request.config):
            print(f"\nthe control plane's logs are kept in {control_plane.directory}")


def _uncaptured(config: pytest.Config) -> contextlib.AbstractContextManager[None]:
    """Let what is printed be seen at once."""
    capture = config.pluginmanager.getplugin("capturemanager")
    return capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()
