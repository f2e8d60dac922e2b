"""Pure builders: from admitted revisions to the full list of wanted manifests, one file per child kind."""
