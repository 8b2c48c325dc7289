// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
#include "exos/fs/proc_fs.hpp"

#include "exos/fs/test_processes.hpp"
#include "exos/fs/test_vfs.hpp"

namespace xok::exos {
namespace {

struct ProcFsTest : VfsFixture {
  void SetUp() override {
    VfsFixture::SetUp();
    processes_ = &machine;
    mkdir("/proc");
    ASSERT_TRUE(vfs().mount_proc(at("/proc"), "proc").has_value());
    ProcessInfo& init = machine.processes[1].info;
    init.thread_group = 1;
    machine.processes[1].threads = {1, 2};
    init.command = "init";
    init.arguments = std::string_view{"/sbin/init\0-q\0", 14};
    ProcessInfo& shell = machine.processes[42].info;
    shell.thread_group = 42;
    shell.parent = 1;
    shell.group = shell.session = 42;
    shell.tty_device = 0x8801;
    shell.tty_group = 43;
    shell.command = "s h)\\";
    shell.state = 'R';
    shell.uid = shell.effective_uid = shell.saved_uid = 100;
    shell.gid = shell.effective_gid = shell.saved_gid = 100;
    shell.user_ticks = 11;
    shell.system_ticks = 12;
    shell.start_ticks = 500;
    shell.nice = -5;
    shell.threads = 2;
    shell.virtual_bytes = 3 * 4096 + 1;
    shell.resident_pages = 2;
    shell.shared_pages = 1;
    shell.pending_signals = 0x4002;
    shell.environment = std::string_view{"A=b\0", 4};
    machine.processes[42].threads = {42, 44};
    machine.processes[42].descriptors = {{0, {true, false}}, {7, {true, true}}};
    machine.machine.release = "6.1.0";
    machine.machine.version = "#1 Xok";
    machine.machine.host_name = "exo";
    machine.machine.uptime_ns = 123'456'000'000;
    machine.machine.idle_ns = 5'010'000'000;
    machine.machine.boot_time_s = 1'600'000'000;
    machine.cpus.resize(2);
    machine.cpus[0].user_ticks = 10;
    machine.cpus[1].user_ticks = 5;
    machine.cpus[1].idle_ticks = 7;
  }

  FsResult<std::string> try_read(std::string_view path) {
    const Vnode file = XOK_TRY(walk(path));
    std::array<char, 16'384> buffer;
    const std::size_t got =
        XOK_TRY(vfs().read(file, 0, std::as_writable_bytes(std::span{buffer}), nullptr));
    return std::string{buffer.data(), got};
  }
  std::string cat(std::string_view path) { return try_read(path).value(); }
  std::string line(std::string_view path, std::string_view start) {
    const std::string text = cat(path);
    const std::size_t from = text.find(start);
    return from == std::string::npos ? "" : text.substr(from, text.find('\n', from) - from);
  }
  std::vector<std::string> list(std::string_view path) {
    std::vector<std::string> names;
    std::array<char, kMaxName> buffer;
    std::uint64_t cursor = 0;
    while (const auto item = vfs().next_entry(at(path), cursor, buffer).value()) {
      names.emplace_back(item->name);
      cursor = item->next_cursor;
    }
    return names;
  }
  FsResult<std::string> readlink(const Credentials& who, std::string_view path) {
    std::array<char, 4096> buffer;
    const auto text = XOK_TRY(vfs().read_link(who, at(path), buffer));
    return std::string{text};
  }

  TestProcesses machine;
};

// --- The tree ------------------------------------------------------------------------------------

TEST_F(ProcFsTest, ProcessesAreListedByPidAmongTheFixedNames) {
  const auto names = list("/proc");
  EXPECT_EQ(names[0], ".");
  EXPECT_EQ(names[1], "..");
  EXPECT_EQ(names[names.size() - 2], "1");
  EXPECT_EQ(names.back(), "42");
  for (const std::string_view fixed : {"self", "stat", "meminfo", "mounts", "uptime", "net"}) {
    EXPECT_EQ(std::ranges::count(names, fixed), 1) << fixed;
  }
  for (const std::string& name : names) EXPECT_TRUE(walk("/proc/" + name).has_value()) << name;
  for (const std::string& name : list("/proc/42")) {
    EXPECT_TRUE(walk("/proc/42/" + name, Follow::ExceptLast).has_value()) << name;
  }
  EXPECT_EQ(list("/proc/42/fd"), (std::vector<std::string>{".", "..", "0", "7"}));
  EXPECT_EQ(list("/proc/42/task"), (std::vector<std::string>{".", "..", "42", "44"}));
}

TEST_F(ProcFsTest, AListingStaysStableWhileProcessesComeAndGo) {
  for (int pid = 100; pid < 150; ++pid) machine.processes[pid].info.command = "x";
  std::array<char, kMaxName> buffer;
  std::vector<std::string> seen;
  std::uint64_t cursor = 0;
  while (const auto item = vfs().next_entry(at("/proc"), cursor, buffer).value()) {
    seen.emplace_back(item->name);
    cursor = item->next_cursor;
    if (seen.back() == "100") machine.processes.erase(100);
    if (seen.back() == "120") machine.processes.erase(121);
    if (seen.back() == "120") machine.processes.erase(120);
  }
  EXPECT_EQ(std::ranges::count(seen, "121"), 0);
  for (int pid = 122; pid < 150; ++pid) {
    EXPECT_EQ(std::ranges::count(seen, std::to_string(pid)), 1);
  }
}

TEST_F(ProcFsTest, OnlyTrueNumbersAreProcesses) {
  for (const std::string_view bad :
       {"0", "042", "+42", "42x", "-1", "99999999999", "43", "999999999"}) {
    EXPECT_EQ(walk("/proc/" + std::string{bad}).error(), FsError::NotFound) << bad;
  }
  EXPECT_EQ(walk("/proc/42/fd/1").error(), FsError::NotFound);
  EXPECT_EQ(walk("/proc/42/task/43").error(), FsError::NotFound);
  EXPECT_EQ(walk("/proc/42/nothing").error(), FsError::NotFound);
  EXPECT_EQ(walk("/proc/stat/x").error(), FsError::NotADirectory);
  EXPECT_EQ(cat("/proc/42/task/44/stat").substr(0, 4), "44 (");
  EXPECT_EQ(walk("/proc/42/task/44/task").error(), FsError::NotFound);
  for (const std::string& name : list("/proc/42/task/44")) EXPECT_NE(name, "task");
}

TEST_F(ProcFsTest, AProcessThatEndsTakesItsFilesAlong) {
  const Vnode stat = at("/proc/42/stat");
  machine.processes.erase(42);
  std::array<std::byte, 10> buffer;
  EXPECT_EQ(vfs().read(stat, 0, buffer, nullptr).error(), FsError::NotFound);
  EXPECT_EQ(walk("/proc/42").error(), FsError::NotFound);
}

TEST_F(ProcFsTest, WithoutASourceProcIsEmpty) {
  const Vnode stat = at("/proc/stat");
  processes_ = nullptr;
  EXPECT_EQ(list("/proc"), (std::vector<std::string>{".", ".."}));
  EXPECT_EQ(walk("/proc/self").error(), FsError::NotFound);
  std::array<std::byte, 10> buffer;
  EXPECT_EQ(vfs().read(stat, 0, buffer, nullptr).error(), FsError::NotFound);
}

TEST_F(ProcFsTest, AttributesFollowTheProcess) {
  EXPECT_EQ(stat("/proc/42").uid, 100U);
  EXPECT_EQ(stat("/proc/42").mode(), 0040555U);
  EXPECT_EQ(stat("/proc/42").modified_ns, 1'600'000'005'000'000'000);
  EXPECT_EQ(stat("/proc/1").uid, 0U);
  EXPECT_EQ(stat("/proc/42/fd/0").mode(), 0120500U);
  EXPECT_EQ(stat("/proc/42/fd/7").mode(), 0120700U);
  EXPECT_EQ(stat("/proc/42/environ").mode(), 0100400U);
  EXPECT_EQ(stat("/proc/stat").mode(), 0100444U);
  EXPECT_NE(stat("/proc/42/stat").number, stat("/proc/1/stat").number);
  EXPECT_EQ(vfs().statistics(at("/proc")).magic, 0x9fa0U);
  EXPECT_EQ(path_of(at("/proc/42/fd/7"), root_), "/proc/42/fd/7");
  EXPECT_EQ(path_of(at("/proc/sys/kernel"), root_), "/proc/sys/kernel");
  EXPECT_EQ(walk("/proc/42/../../proc/net/.."), at("/proc"));
}

TEST_F(ProcFsTest, NothingInProcCanBeChanged) {
  const Vnode stat = at("/proc/stat");
  EXPECT_EQ(make("/proc/x", FileType::Regular).error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().unlink(as_root(), root_, "/proc/stat").error(), FsError::NotPermitted);
  EXPECT_EQ(open(as_root(), "/proc/stat", {.write = true}).error(), FsError::NotPermitted);
  EXPECT_EQ(open(as_user(), "/proc/stat", {.write = true}).error(), FsError::AccessDenied);
  EXPECT_EQ(open(as_user(), "/proc/stat", {.read = true}), false);
  EXPECT_EQ(open(as_user(), "/proc/1/environ", {.read = true}).error(), FsError::AccessDenied);
  EXPECT_EQ(vfs().set_permissions(root_user_, stat, 0).error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().link(as_root(), stat, at("/proc"), "y").error(), FsError::NotPermitted);
  EXPECT_EQ(vfs().page_at(stat, 0, PageUse::Read).error(), FsError::NotSupported);
  EXPECT_EQ(vfs().seek_data(stat, 0).error(), FsError::NotSupported);
  EXPECT_EQ(vfs().seek_hole(stat, 0).error(), FsError::NotSupported);
  EXPECT_EQ(vfs().attached(stat), nullptr);
}

// --- Links ---------------------------------------------------------------------------------------

TEST_F(ProcFsTest, SelfIsTheCaller) {
  machine.caller = 42;
  EXPECT_EQ(readlink(user_, "/proc/self"), "42");
  EXPECT_EQ(readlink(user_, "/proc/mounts"), "self/mounts");
  EXPECT_EQ(walk("/proc/self/stat"), at("/proc/42/stat"));
  EXPECT_EQ(walk("/proc/mounts"), at("/proc/42/mounts"));
  machine.processes[42].threads = {42, 43};
  EXPECT_EQ(readlink(user_, "/proc/thread-self"), "42/task/43");
  EXPECT_EQ(walk("/proc/thread-self/comm"), at("/proc/43/comm"));
  std::array<char, 1> small;
  EXPECT_EQ(vfs().read_link(user_, at("/proc/self"), small).error(), FsError::NoBuffer);
}

TEST_F(ProcFsTest, DescriptorLinksLeadToTheVeryFile) {
  touch("/f");
  const Vnode pipe = *vfs().create_unnamed(root_, {.type = FileType::Fifo, .permissions = 0600});
  machine.processes[42].targets[0] = pipe;
  machine.processes[42].executable = at("/f");
  EXPECT_EQ(walk("/proc/42/fd/0"), pipe);
  EXPECT_EQ(walk("/proc/42/exe"), at("/f"));
  EXPECT_EQ(readlink(root_user_, "/proc/42/exe"), "/bin/busybox");
  EXPECT_EQ(readlink(root_user_, "/proc/42/fd/0"), "pipe:[77]");
  EXPECT_EQ(walk("/proc/42/fd/7").error(), FsError::NotFound) << "a file of no file system";
  EXPECT_EQ(walk("/proc/42/fd/0/").error(), FsError::NotADirectory);
  symlink("/proc/42/fd/0", "/stdin");
  EXPECT_EQ(open(as_root(), "/stdin", {.read = true}), false);
  machine.processes[42].targets[7] = root_;
  EXPECT_EQ(walk("/proc/42/fd/7/f"), at("/f"));
  vfs().release(pipe);
}

TEST_F(ProcFsTest, OnlyTheOwnerAndRootLookThroughLinks) {
  touch("/f");
  machine.processes[1].executable = at("/f");
  machine.processes[42].executable = at("/f");
  EXPECT_EQ(readlink(user_, "/proc/1/exe").error(), FsError::AccessDenied);
  EXPECT_EQ(readlink(user_, "/proc/42/exe"), "/bin/busybox");
  EXPECT_EQ(open(as_user(), "/proc/1/exe", {.read = true}).error(), FsError::AccessDenied);
  EXPECT_EQ(open(as_user(), "/proc/42/exe", {.read = true}), false);
}

// --- Texts ---------------------------------------------------------------------------------------

TEST_F(ProcFsTest, StatHasItsFiftyTwoFields) {
  const std::string stat = cat("/proc/42/stat");
  EXPECT_EQ(stat,
            "42 (s h)\\) R 1 42 42 34817 43 0 0 0 0 0 11 12 0 0 15 -5 2 0 500 12289 2 "
            "18446744073709551615 0 0 0 0 0 16386 0 0 0 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
  const auto after_name = stat.substr(stat.rfind(')') + 2);
  EXPECT_EQ(std::ranges::count(after_name, ' ') + 3, 52);
}

TEST_F(ProcFsTest, TheOtherProcessFilesAreAsLinuxWritesThem) {
  EXPECT_EQ(cat("/proc/42/statm"), "4 2 1 0 0 0 0\n");
  EXPECT_EQ(cat("/proc/1/cmdline"), std::string("/sbin/init\0-q\0", 14));
  EXPECT_EQ(cat("/proc/42/cmdline"), "");
  EXPECT_EQ(cat("/proc/42/environ"), std::string("A=b\0", 4));
  EXPECT_EQ(cat("/proc/1/comm"), "init\n");
  EXPECT_EQ(line("/proc/42/status", "Name"), "Name:\ts h)\\\\");
  EXPECT_EQ(line("/proc/42/status", "State"), "State:\tR (running)");
  EXPECT_EQ(line("/proc/42/status", "Uid"), "Uid:\t100\t100\t100\t100");
  EXPECT_EQ(line("/proc/42/status", "PPid"), "PPid:\t1");
  EXPECT_EQ(line("/proc/42/status", "VmRSS"), "VmRSS:\t       8 kB");
  EXPECT_EQ(line("/proc/42/status", "RssAnon"), "RssAnon:\t       4 kB");
  EXPECT_EQ(line("/proc/42/status", "Threads"), "Threads:\t2");
  EXPECT_EQ(line("/proc/42/status", "SigPnd"), "SigPnd:\t0000000000004002");
  EXPECT_EQ(line("/proc/42/status", "CapEff"), "CapEff:\t0000000000000000");
  EXPECT_EQ(line("/proc/1/status", "CapEff"), "CapEff:\t000001ffffffffff");
  machine.processes[42].info.state = 'Z';
  EXPECT_EQ(line("/proc/42/status", "VmRSS"), "");
}

TEST_F(ProcFsTest, MapsAlignThePath) {
  machine.processes[42].maps = {
      {.start = 0x55d347de9000,
       .end = 0x55d347deb000,
       .readable = true,
       .offset = 0,
       .device = 3,
       .inode = 247134,
       .path = "/usr/bin/cat"},
      {.start = 0x7ff000000000,
       .end = 0x7ff000001000,
       .readable = true,
       .writable = true,
       .shared = true,
       .path = {}},
  };
  EXPECT_EQ(cat("/proc/42/maps"),
            "55d347de9000-55d347deb000 r--p 00000000 00:03 247134                     "
            "/usr/bin/cat\n7ff000000000-7ff000001000 rw-s 00000000 00:00 0 \n");
}

TEST_F(ProcFsTest, SystemFilesAreAsLinuxWritesThem) {
  machine.machine.total_bytes = 64 << 20;
  machine.machine.free_bytes = 16 << 20;
  machine.machine.cached_bytes = 1 << 20;
  machine.machine.load_hundredths = {51, 120, 8};
  machine.machine.running = 2;
  machine.machine.processes = 98;
  machine.machine.last_pid = 44;
  machine.machine.context_switches = 403441;
  machine.machine.forks = 8319;
  machine.cpus[0].khz = 2'596'024;
  machine.cpus[0].vendor = "AuthenticAMD";
  EXPECT_EQ(cat("/proc/uptime"), "123.45 5.01\n");
  EXPECT_EQ(cat("/proc/loadavg"), "0.51 1.20 0.08 2/98 44\n");
  EXPECT_EQ(line("/proc/meminfo", "MemTotal"), "MemTotal:          65536 kB");
  EXPECT_EQ(line("/proc/meminfo", "MemFree"), "MemFree:           16384 kB");
  EXPECT_EQ(line("/proc/meminfo", "Cached"), "Cached:             1024 kB");
  EXPECT_EQ(cat("/proc/stat"),
            "cpu  15 0 0 7 0 0 0 0 0 0\ncpu0 10 0 0 0 0 0 0 0 0 0\ncpu1 5 0 0 7 0 0 0 0 0 0\n"
            "intr 0\nctxt 403441\nbtime 1600000000\nprocesses 8319\nprocs_running 2\n"
            "procs_blocked 0\nsoftirq 0\n");
  EXPECT_EQ(cat("/proc/version"), "Linux version 6.1.0 (xok@exos) (Xok/ExOS) #1 Xok\n");
  EXPECT_EQ(line("/proc/cpuinfo", "cpu MHz"), "cpu MHz\t\t: 2596.024");
  EXPECT_EQ(line("/proc/cpuinfo", "vendor_id"), "vendor_id\t: AuthenticAMD");
  EXPECT_EQ(line("/proc/cpuinfo", "bogomips"), "bogomips\t: 5192.04");
  EXPECT_EQ(cat("/proc/interrupts"),
            "           CPU0       CPU1\n"
            "  4:         12          3   IO-APIC   4-edge      ttyS0\n");
  EXPECT_EQ(cat("/proc/sys/kernel/hostname"), "exo\n");
  EXPECT_EQ(cat("/proc/sys/kernel/ostype"), "Linux\n");
  EXPECT_EQ(cat("/proc/sys/kernel/osrelease"), "6.1.0\n");
  EXPECT_EQ(cat("/proc/sys/kernel/pid_max"), "32768\n");
  EXPECT_EQ(cat("/proc/filesystems"), "nodev\ttmpfs\nnodev\tproc\n");
}

TEST_F(ProcFsTest, MountsAreListedWithTheirPaths) {
  mkdir("/a b");
  ASSERT_TRUE(
      vfs()
          .mount_new_memory(at("/a b"), {.pages = 50, .inodes = 10}, "my\\fs", MountMode::ReadOnly)
          .has_value());
  EXPECT_EQ(cat("/proc/mounts"),
            "rootfs / tmpfs rw,relatime 0 0\nproc /proc proc rw,relatime 0 0\n"
            "my\\134fs /a\\040b tmpfs ro,relatime 0 0\n");
  EXPECT_EQ(line("/proc/self/mountinfo", "2 "), "2 1 0:2 / /proc rw,relatime - proc proc rw");
}

TEST_F(ProcFsTest, NetworkTablesHaveLinuxColumns) {
  EXPECT_EQ(line("/proc/net/dev", "  eth0"),
            "  eth0: 60475855    1754    0    0    0     0          0         0    74350    1001"
            "    0    0    0     0       0          0");
  EXPECT_EQ(line("/proc/net/route", "eth0").substr(0, 49),
            "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0 ");
  EXPECT_EQ(line("/proc/net/tcp", "   0:").substr(0, 95),
            "   0: 00000000:07E8 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0    "
            "    0 552 ");
  EXPECT_EQ(line("/proc/net/unix", "00000000"),
            "0000000000000000: 00000001 00000000 00000000 0001 0A   552 /run/socket");
  for (const std::string_view name : {"tcp6", "udp", "udp6", "raw", "raw6", "arp"}) {
    const std::string text = cat("/proc/net/" + std::string{name});
    EXPECT_EQ(std::ranges::count(text, '\n'), 1) << name;
  }
}

TEST_F(ProcFsTest, ReadingInPiecesGivesTheSameText) {
  for (const std::string_view path : {"/proc/42/status", "/proc/meminfo", "/proc/stat"}) {
    const std::string whole = cat(path);
    std::string pieces;
    std::array<std::byte, 7> buffer;
    GeneratedText text;
    while (const std::size_t got = *vfs().read(at(path), pieces.size(), buffer, &text)) {
      pieces.append(reinterpret_cast<const char*>(buffer.data()), got);
    }
    EXPECT_EQ(pieces, whole);
    EXPECT_EQ(vfs().read(at(path), ~std::uint64_t{0}, buffer, nullptr), 0U);
  }
}

TEST_F(ProcFsTest, ATextThatGrowsShowsNoTail) {
  const Vnode uptime = at("/proc/uptime");
  machine.machine.uptime_ns = 99'990'000'000;
  std::array<std::byte, 100> buffer;
  GeneratedText text;
  const std::size_t length = *vfs().read(uptime, 0, buffer, &text);
  machine.machine.uptime_ns = 100'000'000'000;
  EXPECT_EQ(vfs().read(uptime, length, buffer, &text), 0U);
  EXPECT_EQ(vfs().read(uptime, 0, buffer, &text), length + 1);
  EXPECT_EQ(vfs().read(at("/proc"), 0, buffer, &text).error(), FsError::IsADirectory);
  EXPECT_EQ(vfs().read(at("/proc/self"), 0, buffer, &text).error(), FsError::BadArgument);
}

}  // namespace
}  // namespace xok::exos
