"""Git as it behaves without anybody's settings."""

import os

GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_AUTHOR_NAME": "devcluster",
    "GIT_AUTHOR_EMAIL": "devcluster@localhost",
    "GIT_COMMITTER_NAME": "devcluster",
    "GIT_COMMITTER_EMAIL": "devcluster@localhost",
}
