#include "gateway/folder/settings.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <span>

#include "base/config.h"
#include "base/file.h"
#include "base/text.h"

namespace redoubt::gateway::folder {

namespace {

using Json = nlohmann::json;

constexpr int64_t kSecondMs = 1000;
constexpr int64_t kSecondsMax = 86'400;
constexpr int64_t kParallelMax = 256;
constexpr int64_t kRetriesMax = 100;
constexpr uint64_t kOriginalSizeLimit = 100'000'000;
constexpr size_t kSuggestionsMax = 2;
constexpr size_t kFingerprintDigits = 64;
constexpr std::string_view kHttps = "https://";

// What a key's reader fills: one folder set, or what all share.
struct Target {
  Settings* settings = nullptr;
  FolderSet* folder = nullptr;
  const std::string& directory;
};

// One row a key: how its value gets to its place.
struct KeyRow {
  std::string_view name;
  Status (*read)(const Json& value, Target& target);
};

std::string in_quotes(std::string_view text) { return "'" + std::string(text) + "'"; }

Status read_text(const Json& value, std::string& out) {
  if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    return fail(Errc::invalid_argument, "a text is expected");
  }
  out = value.get<std::string>();
  return {};
}

Status read_path(const Json& value, const Target& target, std::string& out) {
  TRY_STATUS(read_text(value, out));
  if (out.front() != '/' && !target.directory.empty()) out = target.directory + "/" + out;
  while (out.size() > 1 && out.back() == '/') out.pop_back();
  return {};
}

struct Range {
  int64_t least = 0;
  int64_t most = 0;
};

Status read_number(const Json& value, Range range, int64_t& out) {
  if (!value.is_number_integer() || value.get<int64_t>() < range.least || value.get<int64_t>() > range.most) {
    return fail(Errc::invalid_argument,
                "a number from " + std::to_string(range.least) + " to " + std::to_string(range.most) + " is expected");
  }
  out = value.get<int64_t>();
  return {};
}

Status read_seconds(const Json& value, int64_t& out_ms) {
  const bool fits = value.is_number() && value.get<double>() >= 0 && value.get<double>() <= double{kSecondsMax};
  if (!fits) {
    return fail(Errc::invalid_argument,
                "a number of seconds from 0 to " + std::to_string(kSecondsMax) + " is expected");
  }
  out_ms = static_cast<int64_t>(value.get<double>() * double{kSecondMs});
  return {};
}

template <class Value>
struct Choice {
  std::string_view name;
  Value value;
};

template <class Value>
Status read_choice(const Json& value, std::span<const Choice<Value>> choices, Value& out) {
  std::string names;
  for (const auto& choice : choices) {
    if (value.is_string() && value.get_ref<const std::string&>() == choice.name) {
      out = choice.value;
      return {};
    }
    names += (names.empty() ? "" : ", ") + std::string(choice.name);
  }
  return fail(Errc::invalid_argument, value.dump() + " is none of " + names);
}

constexpr auto kActions = std::to_array<Choice<Action>>(
    {{"pass", Action::pass}, {"quarantine", Action::quarantine}, {"leave", Action::leave}});
// A detected file never passes.
constexpr auto kDetectActions =
    std::to_array<Choice<Action>>({{"quarantine", Action::quarantine}, {"leave", Action::leave}});
constexpr auto kExcludedActions = std::to_array<Choice<Action>>({{"pass", Action::pass}, {"leave", Action::leave}});
constexpr auto kSameNames =
    std::to_array<Choice<SameName>>({{"replace", SameName::replace}, {"keep_both", SameName::keep_both}});

Status read_subfolders(const Json& value, Subfolders& out) {
  if (!value.is_boolean()) return fail(Errc::invalid_argument, "true or false is expected");
  out = value.get<bool>() ? Subfolders::yes : Subfolders::no;
  return {};
}

Status read_size(const Json& value, uint64_t& out) {
  if (value.is_number_unsigned()) {
    out = value.get<uint64_t>();
    return {};
  }
  if (!value.is_string()) return fail(Errc::invalid_argument, "a size such as \"100MB\" is expected");
  TRY(const int64_t bytes, base::parse_size_bytes(value.get<std::string>()));
  out = static_cast<uint64_t>(bytes);
  return {};
}

// HOST, HOST:PORT or https://HOST:PORT; an IPv6 address with a port in brackets.
Status read_address(const Json& value, ScannerClientOptions& out) {
  std::string text;
  TRY_STATUS(read_text(value, text));
  if (text.starts_with(kHttps)) text.erase(0, kHttps.size());
  while (text.ends_with('/')) text.pop_back();
  const size_t colon = text.rfind(':');
  const bool is_bare_v6 = !text.starts_with('[') && std::count(text.begin(), text.end(), ':') > 1;
  const bool has_port = !is_bare_v6 && colon != std::string::npos && text.find(']', colon) == std::string::npos;
  out.host = has_port ? text.substr(0, colon) : text;
  if (has_port) out.port = text.substr(colon + 1);
  if (out.host.starts_with('[') && out.host.ends_with(']')) out.host = out.host.substr(1, out.host.size() - 2);
  const bool is_port = !out.port.empty() && out.port.find_first_not_of("0123456789") == std::string::npos;
  if (out.host.empty() || out.host.find_first_of(" /\r\n@") != std::string::npos || !is_port) {
    return fail(Errc::invalid_argument, in_quotes(text) + " is not HOST or HOST:PORT");
  }
  return {};
}

// 64 hexadecimal digits, with or without colons, as openssl and consoles show them.
Status read_fingerprint(const Json& value, ServerTrust& out) {
  std::string text;
  TRY_STATUS(read_text(value, text));
  std::erase(text, ':');
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  if (text.size() != kFingerprintDigits || text.find_first_not_of("0123456789abcdef") != std::string::npos) {
    return fail(Errc::invalid_argument, "the SHA-256 of the node's certificate is expected, 64 hexadecimal digits");
  }
  out = {.by = ServerTrust::By::fingerprint, .value = text};
  return {};
}

Status read_verification(const Json& value, ServerTrust& out) {
  if (value != Json("none")) return fail(Errc::invalid_argument, value.dump() + " is not \"none\"");
  out = {.by = ServerTrust::By::nothing, .value = "none"};
  return {};
}

Status read_masks(const Json& value, const Target& target, Masks& out) {
  std::string path;
  TRY_STATUS(read_path(value, target, path));
  TRY(out, Masks::load(path));
  return {};
}

constexpr auto kFolderKeys = std::to_array<KeyRow>({
    {"name", [](const Json& v, Target& t) { return read_text(v, t.folder->name); }},
    {"in_dir", [](const Json& v, Target& t) { return read_path(v, t, t.folder->input); }},
    {"out_dir", [](const Json& v, Target& t) { return read_path(v, t, t.folder->output); }},
    {"qrnt_dir", [](const Json& v, Target& t) { return read_path(v, t, t.folder->quarantine); }},
    {"work_dir", [](const Json& v, Target& t) { return read_path(v, t, t.folder->work); }},
    {"subfolders", [](const Json& v, Target& t) { return read_subfolders(v, t.folder->subfolders); }},
    {"size_limit", [](const Json& v, Target& t) { return read_size(v, t.folder->size_limit); }},
    {"over_limit", [](const Json& v, Target& t) { return read_choice<Action>(v, kActions, t.folder->over_limit); }},
    {"exclude_list", [](const Json& v, Target& t) { return read_masks(v, t, t.folder->exclude); }},
    {"excluded", [](const Json& v, Target& t) { return read_choice<Action>(v, kExcludedActions, t.folder->excluded); }},
    {"same_name", [](const Json& v, Target& t) { return read_choice<SameName>(v, kSameNames, t.folder->same_name); }},
    {"on_detect", [](const Json& v, Target& t) { return read_choice<Action>(v, kDetectActions, t.folder->on_detect); }},
    {"on_error", [](const Json& v, Target& t) { return read_choice<Action>(v, kActions, t.folder->on_error); }},
    {"on_timeout", [](const Json& v, Target& t) { return read_choice<Action>(v, kActions, t.folder->on_timeout); }},
    {"retries", [](const Json& v, Target& t) { return read_number(v, {0, kRetriesMax}, t.folder->retries); }},
    {"settle_seconds", [](const Json& v, Target& t) { return read_seconds(v, t.folder->settle_ms); }},
    {"temporary_settle_seconds",
     [](const Json& v, Target& t) { return read_seconds(v, t.folder->temporary_settle_ms); }},
    {"sweep_seconds", [](const Json& v, Target& t) { return read_seconds(v, t.folder->sweep_ms); }},
});

constexpr auto kNodeKeys = std::to_array<KeyRow>({
    {"kata_cn_addr", [](const Json& v, Target& t) { return read_address(v, t.settings->scanner); }},
    {"system_id", [](const Json& v, Target& t) { return read_text(v, t.settings->scanner.system_id); }},
    {"instance", [](const Json& v, Target& t) { return read_text(v, t.settings->scanner.instance); }},
    {"cert_pem", [](const Json& v, Target& t) { return read_path(v, t, t.settings->scanner.certificate_file); }},
    {"cert_key", [](const Json& v, Target& t) { return read_path(v, t, t.settings->scanner.key_file); }},
    {"server_fingerprint", [](const Json& v, Target& t) { return read_fingerprint(v, t.settings->scanner.trust); }},
    {"server_ca",
     [](const Json& v, Target& t) {
       t.settings->scanner.trust.by = ServerTrust::By::ca;
       return read_path(v, t, t.settings->scanner.trust.value);
     }},
    {"server_verification", [](const Json& v, Target& t) { return read_verification(v, t.settings->scanner.trust); }},
    {"state_dir", [](const Json& v, Target& t) { return read_path(v, t, t.settings->state_directory); }},
    {"parallel", [](const Json& v, Target& t) { return read_number(v, {1, kParallelMax}, t.settings->parallel); }},
    {"poll_seconds", [](const Json& v, Target& t) { return read_seconds(v, t.settings->poll_ms); }},
    {"verdict_seconds", [](const Json& v, Target& t) { return read_seconds(v, t.settings->verdict_ms); }},
});

constexpr std::string_view kFoldersKey = "folders";

const KeyRow* find_key(std::span<const KeyRow> rows, std::string_view name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const KeyRow& row) { return row.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

tl::unexpected<Error> unknown_key(const std::string& name, std::span<const std::span<const KeyRow>> tables) {
  std::vector<std::string_view> names = {kFoldersKey};
  for (const auto& rows : tables) {
    for (const KeyRow& row : rows) names.push_back(row.name);
  }
  std::string hint;
  for (const std::string& near : base::nearest_names(name, names, kSuggestionsMax)) {
    hint += (hint.empty() ? " (did you mean " : " or ") + near;
  }
  return fail(Errc::invalid_argument, "unknown key " + in_quotes(name) + (hint.empty() ? "" : hint + "?)"));
}

// Every key of the object is in one of the tables.
Status read_keys(const Json& object, std::span<const std::span<const KeyRow>> tables, Target& target) {
  for (const auto& [name, value] : object.items()) {
    if (name == kFoldersKey && target.settings != nullptr) continue;
    const KeyRow* row = nullptr;
    for (const auto& rows : tables) row = row != nullptr ? row : find_key(rows, name);
    if (row == nullptr) return unknown_key(name, tables);
    TRY_STATUS(base::within(name, row->read(value, target)));
  }
  return {};
}

Status require(const std::string& value, std::string_view key) {
  if (value.empty()) return fail(Errc::invalid_argument, in_quotes(key) + " is missing");
  return {};
}

Status finish_folder(FolderSet& folder, size_t number) {
  if (folder.name.empty()) folder.name = "folder" + std::to_string(number + 1);
  TRY_STATUS(require(folder.input, "in_dir"));
  TRY_STATUS(require(folder.output, "out_dir"));
  TRY_STATUS(require(folder.quarantine, "qrnt_dir"));
  if (folder.work.empty()) folder.work = folder.input + "/.redoubt-work";
  return {};
}

// The original's one set of folders, with what it does with large files and equal names.
FolderSet original_folder() {
  FolderSet folder;
  folder.size_limit = kOriginalSizeLimit;
  folder.over_limit = Action::leave;
  folder.same_name = SameName::replace;
  return folder;
}

Status read_folders(const Json& list, Settings& settings, const std::string& directory) {
  if (!list.is_array() || list.empty()) return fail(Errc::invalid_argument, "folders: a list of objects is expected");
  const std::array<std::span<const KeyRow>, 1> tables = {kFolderKeys};
  std::set<std::string> names;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string where = "folders[" + std::to_string(i) + "]";
    if (!list[i].is_object()) return fail(Errc::invalid_argument, where + ": an object is expected");
    FolderSet folder;
    Target target{.settings = nullptr, .folder = &folder, .directory = directory};
    TRY_STATUS(base::within(where, read_keys(list[i], tables, target)));
    TRY_STATUS(base::within(where, finish_folder(folder, i)));
    if (!names.insert(folder.name).second) {
      return fail(Errc::invalid_argument, where + ": there is a folder named " + in_quotes(folder.name) + " already");
    }
    settings.folders.push_back(std::move(folder));
  }
  return {};
}

Status check_trust(const Json& object, const Settings& settings) {
  int ways = 0;
  for (const char* key : {"server_fingerprint", "server_ca", "server_verification"}) ways += object.contains(key);
  if (ways > 1) {
    return fail(Errc::invalid_argument, "one of server_fingerprint, server_ca and server_verification is enough");
  }
  if (settings.scanner.trust.value.empty()) {
    return fail(
        Errc::invalid_argument,
        "how is the node known? Give server_fingerprint (SHA-256 of its certificate) or server_ca (a PEM file); "
        "\"server_verification\": \"none\" trusts whoever answers, as the original does");
  }
  return {};
}

Result<Json> parse_text(const std::string& text) {
  try {
    return Json::parse(text, nullptr, true, true);
  } catch (const Json::parse_error& error) {
    const size_t end = std::min<size_t>(error.byte, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    return fail(Errc::invalid_argument, "line " + std::to_string(line) + ": no valid JSON");
  }
}

}  // namespace

Result<Settings> parse_settings(const std::string& json, const std::string& directory) {
  TRY(const Json object, parse_text(json));
  if (!object.is_object()) return fail(Errc::invalid_argument, "an object is expected");
  Settings settings;
  FolderSet folder = original_folder();
  Target target{.settings = &settings, .folder = &folder, .directory = directory};
  const bool has_list = object.contains(kFoldersKey);
  const std::array<std::span<const KeyRow>, 2> both = {kNodeKeys, kFolderKeys};
  if (has_list) {
    for (const KeyRow& row : kFolderKeys) {
      if (!object.contains(row.name)) continue;
      return fail(Errc::invalid_argument, in_quotes(row.name) + " belongs into the objects of \"folders\"");
    }
  }
  TRY_STATUS(read_keys(object, both, target));
  const ScannerClientOptions& scanner = settings.scanner;
  TRY_STATUS(require(scanner.host, "kata_cn_addr"));
  TRY_STATUS(require(scanner.system_id, "system_id"));
  TRY_STATUS(require(scanner.certificate_file, "cert_pem"));
  TRY_STATUS(require(scanner.key_file, "cert_key"));
  TRY_STATUS(check_trust(object, settings));
  if (has_list) {
    TRY_STATUS(read_folders(object.at(kFoldersKey), settings, directory));
    return settings;
  }
  TRY_STATUS(finish_folder(folder, 0));
  settings.folders.push_back(std::move(folder));
  return settings;
}

Result<Settings> load_settings(const std::string& path) {
  TRY(const std::string text, base::read_file(path, kSettingsBytesMax));
  const size_t slash = path.rfind('/');
  return base::within(path, parse_settings(text, slash == std::string::npos ? "" : path.substr(0, slash)));
}

}  // namespace redoubt::gateway::folder
