"""Who acts: a person who signed in, or a process. Actions are given one as `by`."""

from __future__ import annotations

from dataclasses import dataclass

from portal.domain.permissions import Permission, may
from portal.domain.states import Role


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or process at the moment of acting; a value, so it outlives the transaction that it was read in.

    `tenant_id` is set exactly for tenant roles. `address` is where the request came from, or the command.
    """

    user_id: int | None
    name: str
    email: str
    role: Role
    tenant_id: int | None
    address: str

    @property
    def is_tenant(self) -> bool:
        return self.tenant_id is not None

    def may(self, *permissions: Permission) -> bool:
        """Whether the actor's role includes at least one of these."""
        return any(may(self.role, permission) for permission in permissions)


def process_actor(name: str) -> Actor:
    """A command or job of the provider's own, such as ``berth worker``."""
    return Actor(user_id=None, name=name, email=name, role=Role.ADMIN, tenant_id=None, address=name)
