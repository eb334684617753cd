#include "query/match/literals.h"

#include <algorithm>

namespace redoubt::query::match {

void LiteralTable::add(std::string_view literal, PredicateId id) {
  auto& ids = ids_[std::string(literal)];
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  const auto at = std::lower_bound(sizes_.begin(), sizes_.end(), literal.size());
  if (at == sizes_.end() || *at != literal.size()) sizes_.insert(at, literal.size());
}

void LiteralScanner::build() {
  number_classes();
  next_.assign(classes_, 0);
  for (const auto& [literal, id] : literals_) insert(literal, id);
  link();
  literals_.clear();
}

void LiteralScanner::number_classes() {
  for (const auto& [literal, id] : literals_) {
    for (const char c : literal) {
      uint16_t& number = class_of_[static_cast<unsigned char>(c)];
      if (number == 0) number = static_cast<uint16_t>(classes_++);
    }
  }
}

void LiteralScanner::insert(std::string_view literal, PredicateId id) {
  uint32_t state = 0;
  for (const char c : literal) {
    const size_t edge = state * classes_ + class_of_[static_cast<unsigned char>(c)];
    if (next_[edge] == 0) {
      next_[edge] = static_cast<uint32_t>(nodes_.size());
      nodes_.emplace_back();
      next_.resize(next_.size() + classes_, 0);
    }
    state = next_[edge];
  }
  auto& ids = nodes_[state].ids;
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

// Breadth first: a node's longest proper suffix is nearer to the root, so its edges are complete when they are copied.
void LiteralScanner::link() {
  std::vector<uint32_t> suffix(nodes_.size(), 0);
  std::vector<uint32_t> queue;
  for (size_t c = 0; c < classes_; ++c) {
    if (next_[c] != 0) queue.push_back(next_[c]);
  }
  for (size_t i = 0; i < queue.size(); ++i) {
    const uint32_t state = queue[i];
    nodes_[state].shorter = nodes_[suffix[state]].reports;
    nodes_[state].reports = nodes_[state].ids.empty() ? nodes_[state].shorter : state;
    for (size_t c = 0; c < classes_; ++c) {
      uint32_t& edge = next_[state * classes_ + c];
      const uint32_t fallback = next_[suffix[state] * classes_ + c];
      if (edge == 0) {
        edge = fallback;
        continue;
      }
      suffix[edge] = fallback;
      queue.push_back(edge);
    }
  }
}

}  // namespace redoubt::query::match
