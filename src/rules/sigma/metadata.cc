#include "rules/sigma/metadata.h"

#include <array>

#include "base/hash.h"
#include "base/text.h"
#include "rules/sigma/tags.h"

namespace redoubt::rules::sigma {

namespace {

bool is_uuid(std::string_view id) {
  bool well_formed = id.size() == 36;
  for (size_t i = 0; i < id.size() && well_formed; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    well_formed = dash ? id[i] == '-' : std::string_view("0123456789abcdef").find(id[i]) != std::string_view::npos;
  }
  return well_formed;
}

// A UUID of version 8 (RFC 9562): its bits are a digest.
std::string derived_id(const std::string& path, std::string_view title) {
  std::string id = base::sha256_hex(path + "\n" + std::string(title)).substr(0, 32);
  id[12] = '8';
  id[16] = "89ab"[static_cast<unsigned char>(id[16]) % 4];
  for (const size_t dash : {8, 13, 18, 23}) id.insert(dash, 1, '-');
  return id;
}

Importance read_level(const Node& document, Problems& problems) {
  const Node* level = document.find("level");
  if (level == nullptr) return Importance::medium;
  constexpr std::array kLevels = {Importance::informational, Importance::low, Importance::medium, Importance::high,
                                  Importance::critical};
  for (const Importance importance : kLevels) {
    if (level->text == name_of(importance)) return importance;
  }
  std::vector<std::string_view> names;
  names.reserve(kLevels.size());
  for (const Importance importance : kLevels) names.push_back(name_of(importance));
  problems.add(code::kLevel, level->place, "'" + level->text + "' is not a level",
               suggest(base::nearest_names(level->text, names, 1), "informational, low, medium, high or critical"));
  return Importance::medium;
}

// A list of texts, or one text.
std::vector<std::string> read_texts(const Node& document, std::string_view key, Problems& problems) {
  std::vector<std::string> texts;
  const Node* value = document.find(key);
  if (value == nullptr || value->kind == NodeKind::null) return texts;
  if (value->kind == NodeKind::scalar) return {value->text};
  for (const Node& item : value->items) {
    if (value->kind == NodeKind::map || item.kind != NodeKind::scalar) {
      problems.add(code::kShape, item.place, "'" + std::string(key) + "' is a list of texts");
      break;
    }
    texts.push_back(item.text);
  }
  return texts;
}

}  // namespace

Place key_place(const Node& document, std::string_view key) {
  for (size_t i = 0; i + 1 < document.items.size(); i += 2) {
    if (document.items[i].text == key) return document.items[i].place;
  }
  return document.place;
}

const Node* required(const Node& document, std::string_view key, Problems& problems) {
  const Node* value = document.find(key);
  if (value == nullptr) problems.add(code::kMissing, document.place, "'" + std::string(key) + "' is missing");
  return value;
}

std::string required_text(const Node& document, std::string_view key, Problems& problems) {
  const Node* value = required(document, key, problems);
  if (value == nullptr) return "";
  if (value->kind != NodeKind::scalar || value->text.empty()) {
    problems.add(code::kShape, value->place, "'" + std::string(key) + "' is a text");
  }
  return value->text;
}

std::string read_id(const Node& document, const std::string& path, Problems& problems) {
  if (document.find("id") == nullptr) return derived_id(path, document.text_of("title"));
  std::string id = base::fold_case(required_text(document, "id", problems));
  if (!is_uuid(id)) problems.add(code::kId, key_place(document, "id"), "'id' is not a UUID");
  return id;
}

Place id_place(const Node& document) {
  const Node* id = document.find("id");
  return id != nullptr ? id->place : key_place(document, "title");
}

Rule read_metadata(const Node& document, const std::string& path, Problems& problems) {
  Rule rule;
  rule.path = path;
  rule.title = required_text(document, "title", problems);
  rule.id = read_id(document, path, problems);
  rule.name = std::string(document.text_of("name"));
  rule.description = std::string(document.text_of("description"));
  rule.author = std::string(document.text_of("author"));
  rule.format = "sigma";
  rule.importance = read_level(document, problems);
  rule.references = read_texts(document, "references", problems);
  rule.false_positives = read_texts(document, "falsepositives", problems);
  read_tags(read_texts(document, "tags", problems), rule.techniques, rule.tactics);
  return rule;
}

LogSourceNames read_log_source_names(const Node& document) {
  const Node* source = document.find("logsource");
  if (source == nullptr) return {};
  return {.category = std::string(source->text_of("category")),
          .product = std::string(source->text_of("product")),
          .service = std::string(source->text_of("service"))};
}

bool covers(const LogSourceNames& wider, const LogSourceNames& narrower) {
  return (wider.category.empty() || wider.category == narrower.category) &&
         (wider.product.empty() || wider.product == narrower.product) &&
         (wider.service.empty() || wider.service == narrower.service);
}

}  // namespace redoubt::rules::sigma
