#include "central/rules/attack_names.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/log.h"
#include "rules/attack/matrix.h"

namespace redoubt::central {

namespace {

using nlohmann::ordered_json;

constexpr size_t kTableBytesMax = size_t{16} << 20;

ordered_json tactics_json(const rules::attack::Matrix& matrix) {
  ordered_json tactics = ordered_json::array();
  for (const auto& [short_name, name] : rules::attack::known_tactics()) {
    const auto imported = std::find_if(matrix.tactics.begin(), matrix.tactics.end(),
                                       [&](const auto& each) { return each.short_name == short_name; });
    tactics.push_back({{"short_name", short_name}, {"name", imported != matrix.tactics.end() ? imported->name : name}});
  }
  for (const rules::attack::Tactic& tactic : matrix.tactics) {
    const bool known = std::any_of(tactics.begin(), tactics.end(),
                                   [&](const auto& each) { return each["short_name"] == tactic.short_name; });
    if (!known) tactics.push_back({{"short_name", tactic.short_name}, {"name", tactic.name}});
  }
  return tactics;
}

std::string table_of(const rules::attack::Matrix& matrix) {
  ordered_json techniques = ordered_json::array();
  for (const rules::attack::Technique& technique : matrix.techniques) {
    ordered_json json = {{"id", technique.id}, {"name", technique.name}, {"tactics", technique.tactics}};
    if (!technique.replaced_by.empty()) json["replaced_by"] = technique.replaced_by;
    techniques.push_back(std::move(json));
  }
  const ordered_json table = {{"imported", !matrix.techniques.empty()},
                              {"version", matrix.version},
                              {"tactics", tactics_json(matrix)},
                              {"techniques", std::move(techniques)}};
  return table.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace

Result<std::unique_ptr<AttackNames>> AttackNames::open(std::string path) {
  std::unique_ptr<AttackNames> names(new AttackNames(std::move(path)));
  names->json_ = table_of({});
  std::error_code error;
  if (!std::filesystem::exists(names->path_, error)) return names;
  auto text = base::read_file(names->path_, kTableBytesMax);
  if (text && ordered_json::accept(*text)) {
    names->json_ = *std::move(text);
  } else {
    base::log_error("rules",
                    names->path_ + ": " + (text ? "not JSON" : text.error().message) + "; import ATT&CK again");
  }
  return names;
}

std::string AttackNames::json() const {
  const std::lock_guard lock(mutex_);
  return json_;
}

Status AttackNames::import(std::string_view bundle) {
  TRY(const rules::attack::Matrix matrix, rules::attack::read_bundle(bundle));
  std::string table = table_of(matrix);
  TRY_STATUS(base::write_file_atomic(path_, table, base::kPublicFile));
  const std::lock_guard lock(mutex_);
  json_ = std::move(table);
  return {};
}

}  // namespace redoubt::central
