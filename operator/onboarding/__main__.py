"""Command ``onboarding``."""

import asyncio
import os
import sys
from importlib.metadata import version

import click

from onboarding.cli.crds import crds


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The project onboarding operator."""


@main.command()
def run() -> None:
    """Run the operator; its settings are the environment variables ONBOARDING_* (docs/reference/settings.md)."""
    # The Kubernetes client asks for the home folder while it is imported, and a container's user may have none.
    os.environ.setdefault("HOME", "/")
    # Late, because the other commands shall not wait for Kopf and the Kubernetes client.
    from onboarding.runtime import garbage

    # Before the other imports: collections among what they make take a tenth of their time.
    garbage.search_less()
    import structlog
    from pydantic import ValidationError

    from onboarding.errors import OnboardingError
    from onboarding.runtime.logs import configure_logging
    from onboarding.runtime.start import run as run_operator
    from onboarding.settings import Settings

    try:
        settings = Settings()
    except ValidationError as error:
        for problem in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in problem["loc"]).upper()
            click.echo(f"ONBOARDING_{name}: {problem['msg']}", err=True)
        sys.exit(2)
    configure_logging(settings.log_format, settings.log_level)
    log = structlog.get_logger("onboarding")
    log.info(
        "starting operator", version=version("project-onboarding-operator"), settings=settings.model_dump(mode="json")
    )
    try:
        asyncio.run(run_operator(settings))
    except OnboardingError as error:
        click.echo(f"operator stopped: {error}", err=True)
        sys.exit(1)


main.add_command(crds)

if __name__ == "__main__":
    main()
