// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#pragma once

/// Programs that are part of ExOS' image and run in environments of their own beside the
/// processes. init starts them; which there are is decided when the image is linked
/// (apps/services.cpp), so that exos does not depend on apps.
namespace xok::exos {

/// A web server, run as its own process when the job asks for it (`CHEETAH=1`). Does not return.
void run_web_server();

}  // namespace xok::exos
