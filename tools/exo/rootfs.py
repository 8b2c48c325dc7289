# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The default root file system: Debian's static busybox, the basics of /etc, the web server's pages.

The archive is kept in build/exo/ under a name made from what went into it, so it is made once.
"""
import os
import stat
import subprocess

from . import build, install, paths
from .errors import Fail

MTIME = 1767225600  # 2026-01-01 00:00:00 UTC: the same image on every machine

FOLDERS = {
    "bin": 0o755, "dev": 0o755, "etc": 0o755, "home": 0o755, "lib": 0o755, "mnt": 0o755, "proc": 0o555,
    "root": 0o700, "run": 0o755, "sbin": 0o755, "srv": 0o755, "sys": 0o555, "tmp": 0o1777, "usr": 0o755,
    "usr/bin": 0o755, "usr/lib": 0o755, "usr/lib/xok": 0o755, "usr/local": 0o755, "usr/local/bin": 0o755,
    "usr/local/sbin": 0o755, "usr/sbin": 0o755, "usr/share": 0o755, "usr/share/xok": 0o755, "var": 0o755,
    "var/cache": 0o755, "var/lib": 0o755, "var/log": 0o755, "var/spool": 0o755, "var/tmp": 0o1777,
    "www": 0o755,
}
LINKS = {"var/run": "/run", "etc/mtab": "/proc/mounts", "usr/bin/xtop": "/usr/lib/xok/xtop"}

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n"
                  "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
                  "www-data:x:33:33:www-data:/www:/usr/sbin/nologin\n"
                  "user:x:1000:1000:user:/home:/bin/sh\n"
                  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "etc/group": "root:x:0:\ndaemon:x:1:\ntty:x:5:\nwww-data:x:33:\nusers:x:100:\nuser:x:1000:\n"
                 "nogroup:x:65534:\n",
    "etc/hostname": "xok\n",
    "etc/hosts": "127.0.0.1\tlocalhost xok\n10.0.2.2\thost\n",
    "etc/resolv.conf": "nameserver 10.0.2.3\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/protocols": "ip\t0\tIP\nicmp\t1\tICMP\ntcp\t6\tTCP\nudp\t17\tUDP\n",
    "etc/services": "echo\t7/tcp\ndiscard\t9/tcp\nftp\t21/tcp\nssh\t22/tcp\ntelnet\t23/tcp\nsmtp\t25/tcp\n"
                    "domain\t53/tcp\ndomain\t53/udp\nbootps\t67/udp\nbootpc\t68/udp\ntftp\t69/udp\n"
                    "http\t80/tcp\nntp\t123/udp\nhttps\t443/tcp\n",
    "etc/shells": "/bin/sh\n/bin/ash\n",
    "etc/os-release": 'NAME="Xok/ExOS"\nID=xok\nPRETTY_NAME="Xok with ExOS"\n',
    "etc/motd": "Unmodified busybox on Xok and ExOS. The web server is Cheetah. `exit` powers off.\n",
    "etc/profile": "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"
                   "export HOME=${HOME:-/root} PAGER=less EDITOR=vi\n"
                   "PS1='\\w # '\n",
    "root/.profile": "# Read by the login shell after /etc/profile.\n",
}

# Folders whose sources are copied for reading: folder of the tree -> folder of the image.
EXAMPLES = {"apps/examples": "usr/share/xok/examples"}


def programs() -> dict:
    """Our own programs that are built: path in the image -> file."""
    found = {}
    for path, _, _ in build.files_below(paths.GUEST_APPS):
        name = os.path.basename(path)
        if "/CMakeFiles/" not in path and os.access(path, os.X_OK) and is_elf_program(path):
            found[f"{paths.PROGRAM_FOLDER}/{name.removesuffix('.elf')}"] = path
    return found


def is_elf_program(path: str) -> bool:
    with open(path, "rb") as file:
        head = file.read(18)
    return head[:4] == b"\x7fELF" and head[16:17] in (b"\2", b"\3")


def archive() -> bytes:
    """The part `root` of a bundle."""
    from . import webpages
    busybox = install.busybox()
    ours = programs()
    inputs = [busybox, *ours.values(), *webpages.sources()]
    inputs += [os.path.join(os.path.dirname(__file__), name) for name in ("rootfs.py", "webpages.py", "cpio.py")]
    inputs += [path for folder in EXAMPLES for path, _, _ in build.files_below(os.path.join(paths.ROOT, folder))]
    key = []
    for path in inputs:
        status = os.stat(path)
        key.append((path, status.st_size, status.st_mtime_ns))
    path = paths.state_file("root-" + build.digest(key + list(ours.items())) + ".cpio")
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        pass
    data = make(busybox, ours, webpages.pages())
    for old in os.listdir(paths.STATE):
        if old.startswith("root-"):
            os.unlink(os.path.join(paths.STATE, old))
    with open(f"{path}.{os.getpid()}", "wb") as file:
        file.write(data)
    os.replace(f"{path}.{os.getpid()}", path)
    return data


def make(busybox: str, ours: dict, pages: dict) -> bytes:
    """The archive from scratch."""
    from . import cpio
    writer = cpio.Writer()
    for path, mode in sorted(FOLDERS.items()):
        writer.folder(path, mode, MTIME)
    writer.file("bin/busybox", contents(busybox), 0o755, MTIME)
    listed = subprocess.run([busybox, "--list-full"], capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        raise Fail(f"{busybox} --list-full: {listed.stderr.strip()}")
    for applet in listed.stdout.split():
        if applet not in ("bin/busybox", "linuxrc") and "/" in applet:
            writer.link(applet, "/bin/busybox", MTIME)
    for path, text in FILES.items():
        writer.file(path, text.encode(), 0o644, MTIME)
    for path, target in LINKS.items():
        writer.link(path, target, MTIME)
    for path, file in sorted(ours.items()):
        writer.file(path, contents(file), 0o755, MTIME)
    made = set(FOLDERS)
    pages = {f"www/{name}": data for name, data in pages.items()}
    for folder, place in EXAMPLES.items():
        base = os.path.join(paths.ROOT, folder)
        for path, _, _ in build.files_below(base):
            pages[os.path.join(place, os.path.relpath(path, base))] = contents(path)
    for path, data in sorted(pages.items()):
        for parent in parents(path):
            if parent not in made:
                writer.folder(parent, 0o755, MTIME)
                made.add(parent)
        writer.file(path, data, 0o644, MTIME)
    return writer.bytes()


def extra(additions: list) -> bytes:
    """The part `extra`: (file or folder of this machine, path in the image) each, owned by root.

    Folders that the image has keep their permissions. Fail where the guest could not unpack it: a file in
    the place of a folder, a path through a file.
    """
    from . import cpio
    writer = cpio.Writer()
    image = {"": (stat.S_IFDIR, b"")}  # path -> (mode, a link's target)
    image.update((name, (mode, data)) for name, mode, _, data, _ in cpio.read(archive()))

    def is_folder(path: str) -> bool:
        return path in image and stat.S_ISDIR(image[path][0])

    def add(source: str, place: str) -> None:
        status = os.lstat(source)
        mode, mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
        if stat.S_ISDIR(status.st_mode):
            if not is_folder(place):
                writer.folder(place, mode, mtime)
                image[place] = (status.st_mode, b"")
            for name in sorted(os.listdir(source)):
                add(os.path.join(source, name), f"{place}/{name}" if place else name)
            return
        if is_folder(place):
            raise Fail(f"--add {source}: /{place} is a folder of the image")
        if stat.S_ISLNK(status.st_mode):
            writer.link(place, os.readlink(source), mtime)
        elif not stat.S_ISREG(status.st_mode):
            raise Fail(f"--add {source}: neither a file, a folder nor a link")
        elif status.st_size > cpio.FIELD_MAXIMUM:
            raise Fail(f"--add {source}: a file may have 4 GiB at most")
        else:
            writer.file(place, contents(source), mode, mtime)
        image[place] = (status.st_mode, os.fsencode(os.readlink(source)) if stat.S_ISLNK(status.st_mode) else b"")

    for source, place in additions:
        place = follow(image, place)
        for parent in parents(place):
            if not is_folder(parent):
                writer.folder(parent)
                image[parent] = (stat.S_IFDIR, b"")
        add(os.path.realpath(source), place)
    return writer.bytes()


def follow(image: dict, path: str) -> str:
    """The path without `.`, `..` and, but for the last name, links of the image; Fail when it leads through a file."""
    waiting, done, links = path.split("/"), [], 0
    while waiting:
        name = waiting.pop(0)
        if name == "..":
            done = done[:-1]
        if name in ("", ".", ".."):
            continue
        here = "/".join([*done, name])
        mode, target = image.get(here, (stat.S_IFDIR, b""))
        if any(waiting) and stat.S_ISLNK(mode) and links < 40:
            target = os.fsdecode(target)
            waiting, links = target.split("/") + waiting, links + 1
            if target.startswith("/"):
                done = []
        elif any(waiting) and not stat.S_ISDIR(mode):
            raise Fail(f"--add: /{here} is not a folder of the image")
        else:
            done.append(name)
    return "/".join(done)


def parents(path: str) -> list:
    """The folders above a path, outermost first: a/b/c -> a, a/b."""
    pieces = path.split("/")[:-1]
    return ["/".join(pieces[:i + 1]) for i in range(len(pieces))]


def contents(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise Fail(f"{path}: {error.strerror}") from error
