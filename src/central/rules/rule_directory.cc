#include "central/rules/rule_directory.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "rules/rule_set.h"

namespace redoubt::central {

namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecondNs + time.tv_nsec; }

}  // namespace

Result<std::vector<RuleFileMark>> look_at_rule_files(const std::string& directory) {
  std::error_code error;
  std::filesystem::recursive_directory_iterator entry(directory, error);
  std::vector<RuleFileMark> marks;
  for (; !error && entry != std::filesystem::recursive_directory_iterator(); entry.increment(error)) {
    const std::string& path = entry->path().native();
    struct stat info{};
    if (!rules::is_rule_file(path) || ::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    if (marks.size() == rules::kRuleFilesMax) break;  // loading says so
    marks.push_back({.path = path,
                     .inode = info.st_ino,
                     .size_bytes = static_cast<uint64_t>(info.st_size),
                     .changed_ns = std::max(nanoseconds(info.st_mtim), nanoseconds(info.st_ctim))});
  }
  if (error) return fail(Errc::io, "rule directory " + directory + ": " + error.message());
  std::sort(marks.begin(), marks.end());
  return marks;
}

}  // namespace redoubt::central
