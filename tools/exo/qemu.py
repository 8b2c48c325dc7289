# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""QEMU's command line for a machine that runs Xok (docs/formats/boot.md)."""
from dataclasses import dataclass, field

QEMU = "qemu-system-x86_64"
DEFAULT_MACHINE = "pc"
DEFAULT_MEMORY_MIB = 256
MINIMUM_MEMORY_MIB = 16  # for the image and a small program
DEFAULT_CPU = "max"

# Machine type -> (options, suffix of the virtio devices' names, extra options of each virtio device).
MACHINES = {
    "pc": ("pc,usb=off,vmport=off,hpet=off", "pci", ""),
    "q35": ("q35,usb=off,vmport=off,hpet=off,sata=off,smbus=off", "pci", ""),
    "microvm": ("microvm,auto-kernel-cmdline=on", "device", ""),
}

# Ports of the virtio console: number -> name (docs/formats/boot.md).
PORTS = {1: "tty", 2: "stdin", 3: "stdout", 4: "stderr", 5: "control", 6: "trace"}

# QEMU's exit status -> what the guest wrote to the debug-exit port; an ACPI power-off gives 0.
CLEAN_STATUSES = (0, 1)
FIRST_ENVIRONMENT_FAILED = 3
KERNEL_FAILED = 5

DEBUG_EXIT = "isa-debug-exit,iobase=0x501,iosize=0x02"


@dataclass
class Settings:
    """What the user may choose about the machine."""
    machine: str = DEFAULT_MACHINE
    accel: str = "tcg"  # already decided: tcg or kvm
    cpu: str = DEFAULT_CPU
    memory_mib: int = DEFAULT_MEMORY_MIB
    cpus: int = 1
    forwards: list = field(default_factory=list)  # (protocol, address, host port, guest port)
    pcap: str = ""
    gdb_port: int = 0  # 0: no debugger
    gdb_socket: object = None  # that port, listened on already; QEMU takes it over
    extra: list = field(default_factory=list)  # further arguments of QEMU


def command(settings: Settings, boot: list, channels: dict) -> list:
    """The arguments, program first.

    boot      the arguments that say what to start (-kernel and -initrd, or a disk)
    channels  "log" and the names of PORTS -> a QEMU character device without its id
    """
    options, bus, device_options = MACHINES[settings.machine]
    arguments = [QEMU, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none",
                 "-machine", options, "-accel", settings.accel, "-cpu", settings.cpu,
                 "-m", f"{settings.memory_mib}M", "-smp", str(settings.cpus), *boot,
                 "-device", DEBUG_EXIT]
    for name, backend in channels.items():
        kind, _, rest = backend.partition(",")
        arguments += ["-chardev", f"{kind},id={name}" + (f",{rest}" if rest else "")]
    arguments += ["-serial", "chardev:log",
                  "-device", f"virtio-serial-{bus},max_ports=8{device_options}"]
    for number, name in PORTS.items():
        if name in channels:
            arguments += ["-device", f"virtserialport,nr={number},chardev={name},name=xok.{name}"]
    forwards = "".join(f",hostfwd={protocol}:{address}:{host}-:{guest}"
                       for protocol, address, host, guest in settings.forwards)
    option_rom = ",romfile=" if bus == "pci" else ""
    arguments += ["-netdev", f"user,id=net0{forwards}",
                  "-device", f"virtio-net-{bus},netdev=net0{option_rom}{device_options}",
                  "-object", "rng-builtin,id=rng0",
                  "-device", f"virtio-rng-{bus},rng=rng0{device_options}"]
    if settings.pcap:
        arguments += ["-object", f"filter-dump,id=pcap0,netdev=net0,file={escape(settings.pcap)}"]
    if settings.gdb_socket:
        arguments += ["-chardev", f"socket,id=gdb0,fd={settings.gdb_socket.fileno()},server=on,wait=off,nodelay=on",
                      "-gdb", "chardev:gdb0", "-S"]
    elif settings.gdb_port:
        arguments += ["-gdb", f"tcp:127.0.0.1:{settings.gdb_port}", "-S"]
    return arguments + settings.extra


def escape(value: str) -> str:
    """A value inside a comma-separated option."""
    return value.replace(",", ",,")


def channel_names() -> list:
    return ["log", *PORTS.values()]
