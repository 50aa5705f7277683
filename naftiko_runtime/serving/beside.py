"""The skill catalogue and the control endpoints of one port, beside its REST and MCP."""

from __future__ import annotations

from collections.abc import Mapping

from naftiko_runtime.exposes.authentication import Gatekeeper
from naftiko_runtime.exposes.control.management import Management
from naftiko_runtime.exposes.control.paths import first_segments
from naftiko_runtime.exposes.endpoints import EndpointApplication
from naftiko_runtime.exposes.host_check import HostPolicy
from naftiko_runtime.exposes.skill.table import FIRST_SEGMENT, SkillTable
from naftiko_runtime.plan.adapters import ControlAdapterPlan


class Beside:
    """Owned by a port. `process` is what its control endpoints show; a port of a process that has
    none serves no control adapter."""

    def __init__(
        self, hosts: HostPolicy, gatekeeper: Gatekeeper, process: Management | None
    ) -> None:
        self._hosts = hosts
        self._gatekeeper = gatekeeper
        self._process = process
        self._skills: EndpointApplication | None = None
        self._control: EndpointApplication | None = None
        self._shown: ControlAdapterPlan | None = None

    def show(
        self, skills: SkillTable | None, control: ControlAdapterPlan | None
    ) -> Mapping[bytes, EndpointApplication]:
        """What answers from now on, by the first segment of the paths that it takes."""
        self._show_skills(skills)
        if control != self._shown:
            self._show_control(control)
        chosen: dict[bytes, EndpointApplication] = {}
        if self._control is not None and control is not None:
            chosen |= {first.encode(): self._control for first in first_segments(control)}
        if self._skills is not None:
            chosen[FIRST_SEGMENT.encode()] = self._skills
        return chosen

    def close_streams(self) -> None:
        """Ends what goes on until its caller hangs up, so that a stop need not wait for that."""
        if self._control is not None:
            self._control.close_streams()

    def _show_skills(self, table: SkillTable | None) -> None:
        if table is None:
            self._skills = None
            return
        # Most ports have no skills, and open sooner without what shows them.
        from naftiko_runtime.exposes.skill.site import SkillSite

        site = SkillSite(table, self._gatekeeper)
        if self._skills is None:
            self._skills = EndpointApplication(site, self._hosts, self._gatekeeper)
        else:
            self._skills.site = site

    def _show_control(self, plan: ControlAdapterPlan | None) -> None:
        """What followers were let in for may not hold any more: they have to ask again."""
        self.close_streams()
        self._shown = plan
        if plan is None or self._process is None:
            self._control = None
            return
        # As for skills.
        from naftiko_runtime.exposes.control.site import ControlSite

        site = ControlSite(plan, self._process)
        if self._control is None:
            self._control = EndpointApplication(site, self._hosts, self._gatekeeper)
        else:
            self._control.site = site
