#include "apps/redoubt/layout.h"

#include <cstdlib>
#include <filesystem>

namespace redoubt::cli {

namespace fs = std::filesystem;

Layout layout_of(const std::string& executable) {
  const fs::path programs = fs::path(executable).parent_path();
  std::error_code ignored;
  // <tree>/build/<preset>/bin
  const fs::path tree = programs.parent_path().parent_path().parent_path();
  if (programs.parent_path().parent_path().filename() == "build" && fs::exists(tree / "proto/openapi.yaml", ignored)) {
    return {programs, tree / "var"};
  }
  const fs::path prefix = programs.parent_path();
  // Programs of the system itself keep their data where the file system hierarchy says.
  return {programs, prefix == "/usr" || prefix == "/" ? fs::path("/var/lib/redoubt") : prefix / "var"};
}

Layout find_layout() {
  std::error_code failed;
  const fs::path executable = fs::read_symlink("/proc/self/exe", failed);
  return layout_of(executable.string());
}

std::string home_directory(const std::string& said) {
  std::error_code failed;
  if (!said.empty()) return fs::absolute(said, failed).lexically_normal().string();
  const char* home = std::getenv("REDOUBT_HOME");
  if (home != nullptr && *home != '\0') return fs::absolute(home, failed).lexically_normal().string();
  return find_layout().default_home;
}

}  // namespace redoubt::cli
