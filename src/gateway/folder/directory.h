// Folders that others write to: everything in them is reached from a descriptor, name by name, and no symbolic link,
// pipe or device is ever followed or opened. Paths are relative to such a folder, their parts separated by '/'. Any
// thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace redoubt::gateway::folder {

// Names that begin so are the gateway's own: never looked at, never taken.
constexpr std::string_view kOwnPrefix = ".redoubt-";

// What tells whether a file is still the same.
struct FileState {
  uint64_t device = 0;
  uint64_t inode = 0;
  uint64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t ctime_ns = 0;  // also changes when the file is renamed
  uint64_t links = 1;

  friend bool operator==(const FileState&, const FileState&) = default;
};
// The same content of the same file, as far as one can see without reading it, wherever it was renamed to.
bool same_content(const FileState& a, const FileState& b);

struct SplitPath {
  std::string directory;  // "" for the top
  std::string name;
};
SplitPath split_path(const std::string& relative);

Result<base::UniqueFd> open_root(const std::string& path);
// The same with the root's path.
Result<base::UniqueFd> open_folder(const std::string& root, const std::string& relative);
// "" is the root itself.
Result<base::UniqueFd> open_directory(int root, const std::string& relative);
// Makes what is missing. unsupported: one of its parts is no folder.
Result<base::UniqueFd> make_directory(int root, const std::string& relative, mode_t mode);
// For reading. unsupported: it is no regular file.
Result<base::UniqueFd> open_regular(int directory, const std::string& name);
Result<FileState> state_of(int fd);
Result<FileState> state_at(int directory, const std::string& name);

// Whether somebody has the file open for writing. The kernel knows it of local files of ours (or of all, with
// CAP_LEASE).
enum class Writers : uint8_t { none, some, unknown };
Writers writers_of(int fd);

struct Entry {
  enum class Kind : uint8_t { file, directory } kind = Kind::file;
  std::string relative;
  FileState state;  // of files
};
constexpr size_t kDepthMax = 64;
enum class Depth : uint8_t { top, all };
// Calls `seen` for each regular file and each folder, the root ("") first. What cannot be read is left out.
Status walk(const std::string& root, Depth depth, const std::function<void(const Entry&)>& seen);

// Renames unless the new name exists (already_exists), also on file systems whose rename knows no such condition.
// invalid_argument: the two folders are on different file systems. What is renamed lies in a folder of the gateway: on
// some file systems it has both names for a moment.
Status rename_if_free(int from, const std::string& name, int to, const std::string& new_name);
Status sync(int directory);

}  // namespace redoubt::gateway::folder
