// Files whose content must survive a crash: descriptors that close themselves, whole-file reads with a limit, atomic
// replacement. Any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace redoubt::base {

// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept;
  ~UniqueFd();

  explicit operator bool() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

constexpr unsigned kPrivateFile = 0600;
constexpr unsigned kPublicFile = 0644;

// The whole content; too_large past size_max bytes.
Result<std::string> read_file(const std::string& path, size_t size_max);
// Writes a temporary name beside it, syncs, renames, syncs the directory: readers see the old content or the new.
Status write_file_atomic(const std::string& path, std::string_view content, unsigned mode);
Status write_all(int fd, std::string_view bytes);
Status sync_directory(const std::string& directory);
// Creates the directory and its parents (mode 0700 for what it creates).
Status make_directories(const std::string& directory);
// What the file system of the directory has left for those who are not root.
Result<uint64_t> free_bytes(const std::string& directory);

// Takes the exclusive lock of the file (made if absent), waiting at most wait_ms for a process that is just ending.
// already_exists: somebody holds it.
Result<UniqueFd> lock_file(const std::string& path, int64_t wait_ms);
// How long a program that starts waits for the one that it replaces, whose threads may still be on their way out.
constexpr int64_t kTakeoverMs = 5000;

// A directory that is removed with everything in it; for tests and scratch work.
class TempDir {
 public:
  TempDir();
  ~TempDir();
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace redoubt::base
