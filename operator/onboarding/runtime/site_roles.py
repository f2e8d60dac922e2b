"""ClusterRoles of personas on the sites: each has to exist on every cluster, and the operator to be able to bind it.

The hub's decide about the validity of a policy; a site that lacks one is reported in the status of its targets.
"""

import asyncio
import weakref
from collections.abc import Callable, Iterable

from onboarding.adapters.cluster import KubeCluster
from onboarding.adapters.rights import role_state
from onboarding.build.kinds import HUB
from onboarding.errors import OnboardingError
from onboarding.reconcile.observed.validity import RoleState

_WORDS = {
    RoleState.MISSING: "ClusterRole {role}, which a persona of the policy names, does not exist there: create it",
    RoleState.UNBINDABLE: "the operator may not bind ClusterRole {role} there, which a persona of the policy names: "
    "add it to the rule with the verb bind of ClusterRole project-onboarding-operator-site",
}


class SiteRoles:
    """The states of the ClusterRoles that a policy names, by connected site."""

    def __init__(self, connected: Callable[[], Iterable[KubeCluster]], roles: Callable[[], frozenset[str]]) -> None:
        """``connected`` returns the clusters with a connection, ``roles`` the ClusterRoles of the policy in force."""
        self._connected = connected
        self._roles = roles
        self._known: weakref.WeakKeyDictionary[KubeCluster, dict[str, RoleState]] = weakref.WeakKeyDictionary()
        self._of: frozenset[str] = frozenset()

    async def look(self) -> bool:
        """Look up what is not known to be usable; return whether a site has an unusable one."""
        if self._roles() != self._of:
            self._of = self._roles()
            self._known.clear()
        sites = [cluster for cluster in self._connected() if cluster.name != HUB and cluster.state.known]
        await asyncio.gather(*(self._look_at(site) for site in sites))
        return any(self._unusable(site) for site in sites)

    def problems(self) -> dict[str, str]:
        """Return the problem of each connected site that has one, by name of the connection."""
        found = {site.name: self._unusable(site) for site in self._connected()}
        return {
            name: _WORDS[states[role]].format(role=role) for name, states in found.items() for role in [*states][:1]
        }

    async def _look_at(self, site: KubeCluster) -> None:
        known = self._known.setdefault(site, {})
        for role in sorted(self._of):
            if known.get(role) is not RoleState.USABLE:
                try:
                    known[role] = await role_state(site.client, role)
                except OnboardingError:
                    return  # The state of the cluster reports it, and its change starts the next look.

    def _unusable(self, site: KubeCluster) -> dict[str, RoleState]:
        known = self._known.get(site, {})
        return {role: state for role, state in sorted(known.items()) if state is not RoleState.USABLE}
