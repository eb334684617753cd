#include "bench/objects_types.h"

#include <fmt/format.h>
#include <magic.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/time.h"
#include "bench/must.h"
#include "bench/report.h"
#include "scan/worker/identify/file_type.h"
#include "scan/worker/identify/text_magic.h"

namespace redoubt::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kTypeRuns = 3;
constexpr size_t kHeadBytes = 512;  // what is looked at of a text that is neither markup nor JSON
constexpr size_t kTextsMax = 20'000;

// Of texts that Debian's packages hold.
std::vector<std::string> heads_of_texts() {
  std::vector<std::string> heads;
  for (const char* folder : {"/usr/share/doc", "/usr/include", "/usr/lib/python3", "/usr/share/perl", "/etc"}) {
    std::error_code error;
    const auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator entry(folder, options, error), end;
         entry != end && !error && heads.size() < kTextsMax; entry.increment(error)) {
      if (entry->is_symlink() || !entry->is_regular_file()) continue;
      std::ifstream file(entry->path(), std::ios::binary);
      std::string head(kHeadBytes, '\0');
      file.read(head.data(), kHeadBytes);
      head.resize(static_cast<size_t>(file.gcount()));
      if (!head.empty() && head.find('\0') == std::string::npos) heads.push_back(std::move(head));
    }
  }
  return heads;
}

// Microseconds a text.
template <class TypeOf>
double cost_of(const std::vector<std::string>& heads, TypeOf type_of, std::vector<std::string>& types) {
  types.clear();
  const int64_t before_ns = base::thread_cpu_ns();
  for (const std::string& head : heads) types.emplace_back(type_of(head));
  return static_cast<double>(base::thread_cpu_ns() - before_ns) / 1e3 / static_cast<double>(heads.size());
}

}  // namespace

void measure_text_types() {
  const std::vector<std::string> heads = heads_of_texts();
  if (heads.empty()) give_up("no texts of Debian packages here");
  const auto types = must(scan::open_file_types());
  const scan::MagicHandle all(magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TOKENS));
  if (!all || magic_load(all.get(), nullptr) != 0) give_up("libmagic has no database");
  std::vector<double> ours, theirs;
  std::vector<std::string> our_types, their_types;
  for (int run = 0; run < kTypeRuns; ++run) {
    ours.push_back(cost_of(heads, [&](const std::string& head) { return types->mime_type(head); }, our_types));
    theirs.push_back(cost_of(
        heads, [&](const std::string& head) { return magic_buffer(all.get(), head.data(), head.size()); },
        their_types));
    for (size_t i = 0; i < heads.size(); ++i) {
      if (our_types[i] != their_types[i]) {
        give_up(fmt::format("{} instead of {}: {}", our_types[i], their_types[i], heads[i]));
      }
    }
  }
  report({.name = "objects.text_type_us",
          .unit = "cpu-us/text",
          .better = Better::lower,
          .runs = std::move(ours),
          .note = fmt::format("the first {} bytes of {} texts, the same word for each", kHeadBytes, heads.size()),
          .peer = "libmagic with its whole database",
          .peer_value = median(theirs)});
}

}  // namespace redoubt::bench
