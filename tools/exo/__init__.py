# SPDX-License-Identifier: MIT
# Copyright (c) 2026 The Xok authors
"""The command `exo`: builds, runs, tests and measures Xok. Python 3 standard library only.

Who does what:
  cli       the command line            install   Debian packages          build     CMake and ninja
  cpio      newc archives               bundle    the boot bundle          rootfs    the default image
  webpages  documents as web pages      qemu      QEMU's command line      vm        one QEMU process
  processes children that do not outlive us
  streams   pumps between descriptors   run       `exo run`                accel     may KVM be used
  iso       `exo iso`                   bench     `exo bench`              test/     `exo test`
"""
