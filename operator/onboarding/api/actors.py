"""Actors: the parties that have to act, in the words of the policy."""

from typing import Annotated

from pydantic import Field

from onboarding.api.common import Model, ShortName, Text

Contact = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[!-~]([ -~]*[!-~])?$")]
"""Where an actor is reached, in printable ASCII: the status has 8 KiB."""


class ActorEntry(Model):
    """A party that has to act."""

    name: ShortName = Field(description="Name of the actor, as approvals use it and the status shows it.")
    description: Text | None = Field(default=None, description="Description of the actor, in a sentence.")
    contact: Contact | None = Field(
        default=None, description="Where it is reached, such as a mail address or a channel; next actions show it."
    )
