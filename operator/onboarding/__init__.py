"""The project onboarding operator: one ProjectOnboarding object opens a project's environments and keeps them true."""
