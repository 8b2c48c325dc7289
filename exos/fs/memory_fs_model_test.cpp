// SPDX-License-Identifier: MIT
// Copyright (c) 2026 The Xok authors
//
// A hundred thousand random operations on the file system and on a simple model of it, compared
// after every step. Another seed: XOK_SEED=123 exos_fs_test --gtest_filter='MemoryFsModel.*'
#include <memory>
#include <random>

#include "exos/fs/test_pages.hpp"

namespace xok::exos {
namespace {

struct ModelFile;
using ModelRef = std::shared_ptr<ModelFile>;

/// What a file is, told as simply as possible.
struct ModelFile {
  FileType type = FileType::Regular;
  std::string text;                       ///< regular: all bytes; symbolic link: its text
  std::map<std::string, ModelRef> names;  ///< directory
  ModelFile* parent = nullptr;
  std::uint32_t links = 0;

  [[nodiscard]] bool is_directory() const { return type == FileType::Directory; }
};

struct MemoryFsModel : MemoryFsFixture {
  static constexpr int kSteps = 100'000;
  static constexpr std::size_t kNames = 12;
  static constexpr std::size_t kMaxSize = 40'000;

  std::mt19937_64 random;
  ModelRef model = std::make_shared<ModelFile>();

  std::size_t pick(std::size_t below) { return static_cast<std::size_t>(random() % below); }
  std::string any_name() {
    static const std::string kLong(200, 'n');
    const std::size_t which = pick(kNames);
    return which == 0 ? kLong : "n" + std::to_string(which);
  }

  /// The same random directory in both.
  struct Place {
    Inode* inode;
    ModelFile* file;
  };
  Place any_directory() {
    Place at{&root(), model.get()};
    for (std::size_t depth = pick(5); depth > 0; --depth) {
      const auto found = at.file->names.find(any_name());
      if (found == at.file->names.end() || !found->second->is_directory()) continue;
      at = {fs().lookup(*at.inode, found->first).value(), found->second.get()};
    }
    return at;
  }

  static bool inside(const ModelFile* file, const ModelFile* ancestor) {
    while (file != nullptr && file != ancestor) file = file->parent;
    return file != nullptr;
  }

  std::optional<FsError> model_create(ModelFile& in, const std::string& name, FileType type,
                                      std::string text) {
    if (in.names.contains(name)) return FsError::Exists;
    const bool directory = type == FileType::Directory;
    auto made = std::make_shared<ModelFile>();
    made->type = type;
    made->text = std::move(text);
    made->parent = directory ? &in : nullptr;
    made->links = directory ? 2 : 1;
    in.links += directory ? 1 : 0;
    in.names[name] = made;
    return std::nullopt;
  }

  static void model_drop(ModelFile& in, const std::string& name) {
    ModelFile& file = *in.names[name];
    if (file.is_directory()) --in.links;
    file.links -= file.is_directory() ? 2 : 1;
    in.names.erase(name);
  }

  static std::optional<FsError> model_remove(ModelFile& in, const std::string& name,
                                             bool directory) {
    const auto at = in.names.find(name);
    if (at == in.names.end()) return FsError::NotFound;
    if (directory && !at->second->is_directory()) return FsError::NotADirectory;
    if (!directory && at->second->is_directory()) return FsError::IsADirectory;
    if (!at->second->names.empty()) return FsError::NotEmpty;
    model_drop(in, name);
    return std::nullopt;
  }

  static void model_settle(const ModelRef& file, ModelFile& from, ModelFile& to) {
    if (!file->is_directory()) return;
    file->parent = &to;
    --from.links;
    ++to.links;
  }

  static std::optional<FsError> model_rename(ModelFile& from, const std::string& old_name,
                                             ModelFile& to, const std::string& new_name,
                                             RenameMode mode) {
    if (!from.names.contains(old_name)) return FsError::NotFound;
    const bool exists = to.names.contains(new_name);
    if (mode == RenameMode::NoReplace && exists) return FsError::Exists;
    if (mode == RenameMode::Exchange && !exists) return FsError::NotFound;
    const ModelRef source = from.names[old_name];
    const ModelRef target = exists ? to.names[new_name] : nullptr;
    if (source == target) return std::nullopt;
    if (inside(&to, source.get())) return FsError::BadArgument;
    if (mode == RenameMode::Exchange) {
      if (inside(&from, target.get())) return FsError::BadArgument;
      from.names[old_name] = target;
      to.names[new_name] = source;
      model_settle(source, from, to);
      model_settle(target, to, from);
      return std::nullopt;
    }
    if (exists) {
      if (target->is_directory() && !source->is_directory()) return FsError::IsADirectory;
      if (!target->is_directory() && source->is_directory()) return FsError::NotADirectory;
      if (!target->names.empty()) return FsError::NotEmpty;
      model_drop(to, new_name);
    }
    from.names.erase(old_name);
    to.names[new_name] = source;
    model_settle(source, from, to);
    return std::nullopt;
  }

  template <class T>
  static std::optional<FsError> error_of(const FsResult<T>& result) {
    return result ? std::nullopt : std::optional{result.error()};
  }

  void change_data(Inode& inode, ModelFile& file) {
    const std::size_t offset = pick(kMaxSize);
    const std::size_t length = 1 + pick(9000);
    switch (pick(4)) {
      case 0: {
        const std::string data(length, static_cast<char>('a' + pick(26)));
        EXPECT_EQ(write(inode, offset, data), length);
        if (file.text.size() < offset + length) file.text.resize(offset + length);
        file.text.replace(offset, length, data);
        break;
      }
      case 1:
        EXPECT_TRUE(fs().resize(inode, offset).has_value());
        file.text.resize(offset);
        break;
      case 2:
        EXPECT_TRUE(fs().punch_hole(inode, offset, length).has_value());
        for (std::size_t i = offset; i < std::min(offset + length, file.text.size()); ++i) {
          file.text[i] = '\0';
        }
        break;
      default:
        EXPECT_TRUE(fs().preallocate(inode, offset, length, SizeChange::Extend).has_value());
        file.text.resize(std::max(file.text.size(), offset + length));
    }
    EXPECT_EQ(inode.size, file.text.size());
    const std::size_t from = pick(kMaxSize);
    const std::string expected = from < file.text.size() ? file.text.substr(from, 5000) : "";
    EXPECT_EQ(read(inode, from, 5000), expected);
  }

  std::string content_of(Inode& inode) {
    if (inode.type == FileType::Symlink) return std::string{MemoryFs::read_link(inode).value()};
    return inode.type == FileType::Regular ? read(inode, 0, 100'000) : "";
  }

  /// Compares everything below a directory.
  void compare(Inode& inode, const ModelFile& file) {
    ASSERT_EQ(inode.type, file.type);
    ASSERT_EQ(inode.links, file.links);
    ASSERT_EQ(content_of(inode), file.text);
    if (!file.is_directory()) return;
    std::size_t listed = 0;
    std::uint64_t cursor = 2;
    while (const auto item = fs().next_entry(inode, cursor)) {
      cursor = item->next_cursor;
      ++listed;
      const auto at = file.names.find(std::string{item->name});
      ASSERT_NE(at, file.names.end());
      compare(*fs().lookup(inode, item->name).value(), *at->second);
    }
    ASSERT_EQ(listed, file.names.size());
  }

  void step() {
    const Place a = any_directory();
    const Place b = any_directory();
    const std::string name = any_name();
    const std::string other = any_name();
    switch (pick(10)) {
      case 0:
        EXPECT_EQ(error_of(fs().create(*a.inode, name, {.type = FileType::Directory})),
                  model_create(*a.file, name, FileType::Directory, ""));
        break;
      case 1:
        EXPECT_EQ(error_of(fs().create(*a.inode, name, {})),
                  model_create(*a.file, name, FileType::Regular, ""));
        break;
      case 2: {
        const std::string text(1 + pick(3000), 's');
        EXPECT_EQ(error_of(fs().create_symlink(*a.inode, name, text, 0, 0)),
                  model_create(*a.file, name, FileType::Symlink, text));
        break;
      }
      case 3: {
        const auto found = a.file->names.find(name);
        if (found == a.file->names.end()) break;
        std::optional<FsError> expected;
        if (found->second->is_directory()) {
          expected = FsError::NotPermitted;
        } else if (b.file->names.contains(other)) {
          expected = FsError::Exists;
        } else {
          ++found->second->links;
          b.file->names[other] = found->second;
        }
        Inode& inode = *fs().lookup(*a.inode, name).value();
        EXPECT_EQ(error_of(fs().link(inode, *b.inode, other)), expected);
        break;
      }
      case 4:
        EXPECT_EQ(error_of(fs().unlink(*a.inode, name)), model_remove(*a.file, name, false));
        break;
      case 5:
        EXPECT_EQ(error_of(fs().remove_directory(*a.inode, name)),
                  model_remove(*a.file, name, true));
        break;
      case 6:
      case 7: {
        const auto mode = static_cast<RenameMode>(pick(3));
        EXPECT_EQ(error_of(fs().rename(*a.inode, name, *b.inode, other, mode)),
                  model_rename(*a.file, name, *b.file, other, mode));
        break;
      }
      default: {
        const auto found = a.file->names.find(name);
        EXPECT_EQ(fs().lookup(*a.inode, name).has_value(), found != a.file->names.end());
        if (found == a.file->names.end() || found->second->type != FileType::Regular) break;
        change_data(*fs().lookup(*a.inode, name).value(), *found->second);
      }
    }
  }
};

TEST_F(MemoryFsModel, RandomOperationsAgreeWithASimpleModel) {
  const char* chosen = std::getenv("XOK_SEED");
  const std::uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : 20260101;
  std::printf("replay: XOK_SEED=%llu exos_fs_test --gtest_filter='MemoryFsModel.*'\n",
              static_cast<unsigned long long>(seed));
  random.seed(seed);
  model->type = FileType::Directory;
  model->links = 2;
  make({.pages = 1'000'000, .inodes = 1'000'000});
  for (int i = 0; i < kSteps && !HasFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    step();
    if (i % 2000 == 0) compare(root(), *model);
  }
  compare(root(), *model);
}

}  // namespace
}  // namespace xok::exos
