#include "rules/sigma/collection.h"

#include <map>
#include <string>

namespace redoubt::rules::sigma {

namespace {

constexpr std::string_view kActionKey = "action";

// Writes `update` over `base`, map by map.
void merge_into(Node& base, const Node& update) {
  if (base.kind != NodeKind::map || update.kind != NodeKind::map) {
    base = update;
    return;
  }
  std::map<std::string, size_t> value_at;
  for (size_t i = 0; i + 1 < base.items.size(); i += 2) value_at.try_emplace(base.items[i].text, i + 1);
  for (size_t i = 0; i + 1 < update.items.size(); i += 2) {
    const auto found = value_at.find(update.items[i].text);
    if (found != value_at.end()) {
      merge_into(base.items[found->second], update.items[i + 1]);
      continue;
    }
    base.items.push_back(update.items[i]);
    base.items.push_back(update.items[i + 1]);
  }
}

Node without_action(Node document) {
  for (size_t i = 0; i + 1 < document.items.size(); i += 2) {
    if (document.items[i].text != kActionKey) continue;
    const auto at = document.items.begin() + static_cast<ptrdiff_t>(i);
    document.items.erase(at, at + 2);
    break;
  }
  return document;
}

size_t count_nodes(const Node& node) {
  size_t count = 1;
  for (const Node& item : node.items) count += count_nodes(item);
  return count;
}

}  // namespace

std::vector<Node> merge_collection(std::vector<Node> documents, Problems& problems) {
  std::vector<Node> rules;
  Node shared{.kind = NodeKind::map};
  Node previous{.kind = NodeKind::map};
  size_t nodes = 0;
  for (Node& document : documents) {
    const Node* action = document.find(kActionKey);
    const std::string_view name = action == nullptr ? "" : std::string_view(action->text);
    if (name == "global") {
      shared = without_action(std::move(document));
      continue;
    }
    if (name == "reset") {
      shared = Node{.kind = NodeKind::map};
      continue;
    }
    if (action != nullptr && name != "repeat") {
      problems.add(code::kDocumentKind, action->place, "action '" + std::string(name) + "' is not known",
                   "global, reset or repeat");
      return {};
    }
    if (name == "repeat") {
      merge_into(previous, without_action(std::move(document)));
    } else {
      previous = std::move(document);
    }
    rules.push_back(previous);
    if (!shared.items.empty()) merge_into(rules.back(), shared);
    if (shared.items.empty() && name.empty()) continue;
    nodes += count_nodes(rules.back());
    if (nodes <= kYamlNodesMax) continue;
    problems.add(code::kYamlLimit, rules.back().place,
                 "more than " + std::to_string(kYamlNodesMax) + " values in one file once its documents are merged");
    return {};
  }
  return rules;
}

}  // namespace redoubt::rules::sigma
