#include "gateway/folder/folder_check.h"

#include <unistd.h>
#include <algorithm>
#include <filesystem>

#include "gateway/folder/directory.h"

namespace redoubt::gateway::folder {

namespace {

namespace fs = std::filesystem;

Result<fs::path> usable_folder(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  if (error) return fail(Errc::not_found, path + ": " + error.message());
  if (!fs::is_directory(real, error)) return fail(Errc::invalid_argument, path + " is no folder");
  if (access(real.c_str(), R_OK | W_OK | X_OK) != 0) return base::fail_errno("write to " + path);
  return real;
}

bool is_same_or_below(const fs::path& path, const fs::path& top) {
  const auto [end, at] = std::mismatch(top.begin(), top.end(), path.begin(), path.end());
  (void)at;
  return end == top.end();
}

struct RealFolders {
  const FolderSet* set;
  fs::path input, output, quarantine, work;
};

Result<RealFolders> real_folders(const FolderSet& set) {
  RealFolders real{.set = &set};
  TRY(real.input, base::within("in_dir", usable_folder(set.input)));
  TRY(real.output, base::within("out_dir", usable_folder(set.output)));
  TRY(real.quarantine, base::within("qrnt_dir", usable_folder(set.quarantine)));
  const fs::path work(set.work);
  TRY(real.work, base::within("work_dir", usable_folder(work.parent_path().string())));
  real.work /= work.filename();
  if (real.output == real.quarantine) {
    return fail(Errc::invalid_argument, "out_dir and qrnt_dir are the same folder");
  }
  return real;
}

bool looks_into(const RealFolders& watching, const fs::path& folder) {
  return watching.set->subfolders == Subfolders::yes ? is_same_or_below(folder, watching.input)
                                                     : folder == watching.input;
}

Status check_pair(const RealFolders& watching, const RealFolders& other) {
  for (const auto& [key, path] : {std::pair{"out_dir", &other.output}, std::pair{"qrnt_dir", &other.quarantine}}) {
    if (!looks_into(watching, *path)) continue;
    return fail(Errc::invalid_argument, std::string(key) + " of '" + other.set->name + "' is where '" +
                                            watching.set->name + "' looks for files (" + watching.input.string() + ")");
  }
  if (looks_into(watching, other.work.parent_path()) && !other.work.filename().string().starts_with(kOwnPrefix)) {
    return fail(Errc::invalid_argument, "work_dir of '" + other.set->name + "' lies where '" + watching.set->name +
                                            "' looks for files: its name must begin with " + std::string(kOwnPrefix));
  }
  if (watching.set != other.set && looks_into(watching, other.input)) {
    return fail(Errc::invalid_argument,
                "'" + watching.set->name + "' and '" + other.set->name + "' look for files in the same folder");
  }
  return {};
}

}  // namespace

Status check_folders(const Settings& settings) {
  std::vector<RealFolders> all;
  for (const FolderSet& set : settings.folders) {
    TRY(RealFolders real, base::within("folder '" + set.name + "'", real_folders(set)));
    all.push_back(std::move(real));
  }
  for (const RealFolders& watching : all) {
    for (const RealFolders& other : all) TRY_STATUS(check_pair(watching, other));
  }
  return {};
}

}  // namespace redoubt::gateway::folder
