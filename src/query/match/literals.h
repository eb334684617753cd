// Many literals at once over one text: hash tables for whole, leading and trailing text, an Aho-Corasick automaton for
// text anywhere. Built once, then read-only; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace redoubt::query::match {

using PredicateId = uint32_t;

enum class Anchor : uint8_t { whole, start, end };

// One look-up a distinct literal size, however many literals there are.
class LiteralTable {
 public:
  explicit LiteralTable(Anchor anchor) : anchor_(anchor) {}
  void add(std::string_view literal, PredicateId id);

  template <class Found>
  void find(std::string_view text, Found found) const {
    if (anchor_ == Anchor::whole) return look_up(text, found);
    for (const size_t size : sizes_) {
      if (size > text.size()) break;
      look_up(anchor_ == Anchor::start ? text.substr(0, size) : text.substr(text.size() - size), found);
    }
  }

 private:
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  template <class Found>
  void look_up(std::string_view key, Found& found) const {
    const auto at = ids_.find(key);
    if (at == ids_.end()) return;
    for (const PredicateId id : at->second) found(id);
  }

  Anchor anchor_;
  std::vector<size_t> sizes_;  // ascending
  std::unordered_map<std::string, std::vector<PredicateId>, Hash, std::equal_to<>> ids_;
};

// One pass over the text, however many literals there are.
class LiteralScanner {
 public:
  void add(std::string_view literal, PredicateId id) { literals_.emplace_back(literal, id); }
  // After the last add().
  void build();

  template <class Found>
  void find(std::string_view text, Found found) const {
    for (const PredicateId id : nodes_.front().ids) found(id);
    uint32_t state = 0;
    for (const char c : text) {
      state = next_[state * classes_ + class_of_[static_cast<unsigned char>(c)]];
      for (uint32_t at = nodes_[state].reports; at != 0; at = nodes_[at].shorter) {
        for (const PredicateId id : nodes_[at].ids) found(id);
      }
    }
  }

 private:
  struct Node {
    std::vector<PredicateId> ids;  // literals that end here
    uint32_t reports = 0;          // this node, or the longest suffix of it, where a literal ends; 0: none
    uint32_t shorter = 0;          // the next such suffix
  };

  void number_classes();
  void insert(std::string_view literal, PredicateId id);
  void link();

  std::vector<std::pair<std::string, PredicateId>> literals_;
  std::array<uint16_t, 256> class_of_{};  // bytes that no literal has share class 0
  size_t classes_ = 1;
  std::vector<Node> nodes_{1};
  std::vector<uint32_t> next_;  // state × class
};

}  // namespace redoubt::query::match
