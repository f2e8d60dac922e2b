"""Pure builders from admitted revisions to the full list of desired manifests, one file per child kind."""
