"""The fields of a create body, by how they are compared and what takes a difference away.

What is in none of the lists is compared as it is. Paths are those of the body of ContainerCreate.
"""

from __future__ import annotations

from typing import Final

from lib.job.container import forms
from lib.job.container.forms import Form

HOST: Final = "HostConfig"
FORMS: dict[str, Form] = {
    "StopSignal": forms.signal_name,
    "WorkingDir": forms.folder,
    f"{HOST}.RestartPolicy": forms.policy,
    f"{HOST}.CapAdd": forms.capabilities,
    f"{HOST}.CapDrop": forms.capabilities,
    f"{HOST}.Ulimits": forms.limits_by_name,
    f"{HOST}.Tmpfs": forms.tmpfs,
    f"{HOST}.Devices": forms.devices,
    f"{HOST}.Links": forms.links,
    f"{HOST}.PidsLimit": forms.no_limit,
    f"{HOST}.MemorySwappiness": lambda value: None if value == -1 else value,
    f"{HOST}.Isolation": lambda value: None if value in ("", "default", None) else value,
} | {
    f"{HOST}.{name}": forms.as_set
    for name in (
        *("ExtraHosts", "Dns", "DnsOptions", "DnsSearch", "GroupAdd", "VolumesFrom"),
        *("DeviceCgroupRules", "DeviceRequests", "MaskedPaths", "ReadonlyPaths"),
    )
}
FROM_IMAGE: Final = ("User", "WorkingDir", "StopSignal", "StopTimeout", "Shell")
"""Of these, an empty value means that of the image."""
ENGINES_OWN: Final = frozenset(
    {
        "Hostname",
        *(f"{HOST}.{name}" for name in ("ShmSize", "IpcMode", "CgroupnsMode", "Runtime", "Cgroup")),
        *(f"{HOST}.{name}" for name in ("MaskedPaths", "ReadonlyPaths", "MemorySwap", "ConsoleSize")),
    }
)
"""Of these, an empty value leaves the choice to the engine, so that nothing it chose is a difference."""
NOT_COMPARED: Final = frozenset(
    {
        # Of another part, or of none that lasts.
        *("Image", "HostConfig", "NetworkingConfig", "MacAddress", "ArgsEscaped", "OnBuild", "Platform"),
        # Engines from 23 on take them and keep nothing.
        *(f"{HOST}.KernelMemory", f"{HOST}.KernelMemoryTCP", f"{HOST}.ContainerIDFile"),
    }
)
APART: Final = frozenset(
    {
        *("Env", "Labels", "ExposedPorts", "Volumes", "Cmd", "Entrypoint", "Healthcheck"),
        *(
            f"{HOST}.{name}"
            for name in ("PortBindings", "Binds", "Mounts", "LogConfig", "NetworkMode", "SecurityOpt")
        ),
        *(
            f"{HOST}.{name}"
            for name in ("Sysctls", "NanoCpus", "CpuQuota", "CpuPeriod", "PidMode", "IpcMode")
        ),
    }
)
"""Each has a rule of its own."""
UPDATABLE: Final = frozenset(
    f"{HOST}.{name}"
    for name in (
        *("Memory", "MemorySwap", "MemoryReservation", "NanoCpus", "CpuShares", "CpuQuota", "CpuPeriod"),
        *("CpusetCpus", "CpusetMems", "BlkioWeight", "PidsLimit", "RestartPolicy"),
    )
)
"""An engine changes these of a container that is there, if they are set; only two of them can be taken away."""
REMOVABLE: Final = (f"{HOST}.PidsLimit", f"{HOST}.RestartPolicy")
