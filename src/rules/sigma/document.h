// YAML as a tree of our own with the place of every node, made with limits: what is too large, too deep or uses aliases
// is a problem. The only user of yaml-cpp in this module. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/sigma/problem.h"

namespace redoubt::rules::sigma {

enum class NodeKind : uint8_t { null, scalar, sequence, map };
enum class Quoting : uint8_t { plain, quoted };  // quoted: also block text; never a number, boolean or null

struct Node {
  NodeKind kind = NodeKind::null;
  Quoting quoting = Quoting::plain;
  std::string text;         // scalar
  std::vector<Node> items;  // sequence: its items; map: key, value, key, value, …
  Place place;
  // Where `text` starts behind place.column; absent where the file writes it in another way (folded, escaped).
  std::optional<size_t> text_offset;

  // The value of a map's key; null where there is none.
  const Node* find(std::string_view key) const;
  // The text of a scalar under the key; "" where there is none.
  std::string_view text_of(std::string_view key) const;
};

constexpr size_t kFileSizeMax = size_t{1} << 20;
constexpr size_t kYamlDepthMax = 16;
constexpr size_t kYamlNodesMax = 100'000;

// Every document of the file that is not empty.
std::vector<Node> parse_yaml(std::string_view source, Problems& problems);

}  // namespace redoubt::rules::sigma
