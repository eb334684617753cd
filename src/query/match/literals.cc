#include "query/match/literals.h"

#include <xxhash.h>
#include <algorithm>
#include <bit>

#include "query/match/hyperscan_literals.h"
#include "query/match/window_literals.h"

namespace redoubt::query::match {

namespace {

uint64_t hash_of(std::string_view text) { return XXH3_64bits(text.data(), text.size()); }

constexpr std::string_view kSeparators = "/\\";

// True for a literal that a text ends with exactly where it is the text's last path part with the separator before it.
bool is_last_part(std::string_view literal) { return literal.find_last_of(kSeparators) == 0; }

uint64_t bit_of(char byte) { return uint64_t{1} << (static_cast<unsigned char>(byte) & 63); }

}  // namespace

void LiteralTable::Size::add(std::string_view literal) {
  if (literal.empty()) {
    fronts = backs = ~uint64_t{0};
    return;
  }
  fronts |= bit_of(literal.front());
  backs |= bit_of(literal.back());
}

bool LiteralTable::Size::may_have(std::string_view key) const {
  return key.empty() || ((fronts & bit_of(key.front())) != 0 && (backs & bit_of(key.back())) != 0);
}

void LiteralTable::add(std::string_view literal, LiteralId id) {
  entries_.push_back({static_cast<uint32_t>(texts_.size()), static_cast<uint32_t>(literal.size()), id});
  texts_ += literal;
}

void LiteralTable::build() {
  if (entries_.empty()) return;
  cells_.assign(std::bit_ceil(2 * entries_.size()), {});
  const size_t mask = cells_.size() - 1;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const std::string_view literal = std::string_view(texts_).substr(entries_[i].offset, entries_[i].size);
    const uint64_t hash = hash_of(literal);
    size_t at = hash & mask;
    while (cells_[at].tag != 0) at = (at + 1) & mask;
    cells_[at] = {static_cast<uint32_t>(hash >> 32) | 1, static_cast<uint32_t>(i)};
    if (anchor_ == Anchor::end && is_last_part(literal)) {
      has_last_parts_ = true;
      continue;
    }
    auto at_size = sizes_.begin() + (place_of(literal.size()) - sizes_.cbegin());
    if (at_size == sizes_.end() || at_size->size != literal.size()) {
      at_size = sizes_.insert(at_size, {.size = entries_[i].size});
    }
    at_size->add(literal);
  }
  sizes_.shrink_to_fit();
}

const LiteralTable::Entry* LiteralTable::look_up(std::string_view key) const {
  const size_t mask = cells_.size() - 1;
  const uint64_t hash = hash_of(key);
  const uint32_t tag = static_cast<uint32_t>(hash >> 32) | 1;
  for (size_t at = hash & mask; cells_[at].tag != 0; at = (at + 1) & mask) {
    if (cells_[at].tag != tag) continue;
    const Entry& entry = entries_[cells_[at].entry];
    if (std::string_view(texts_).substr(entry.offset, entry.size) == key) return &entry;
  }
  return nullptr;
}

std::vector<LiteralTable::Size>::const_iterator LiteralTable::place_of(size_t size) const {
  return std::lower_bound(sizes_.begin(), sizes_.end(), size,
                          [](const Size& each, size_t wanted) { return each.size < wanted; });
}

bool LiteralTable::may_be_whole(std::string_view text) const {
  const auto at = place_of(text.size());
  return at != sizes_.end() && at->size == text.size() && at->may_have(text);
}

template <class Each>
bool LiteralTable::walk(std::string_view text, Each each) const {
  if (entries_.empty()) return false;
  const auto check = [&](std::string_view key) {
    const Entry* entry = look_up(key);
    return entry != nullptr && each(*entry);
  };
  if (anchor_ == Anchor::whole) return may_be_whole(text) && check(text);
  size_t last_part = text.size() + 1;
  if (has_last_parts_) {
    const size_t separator = text.find_last_of(kSeparators);
    if (separator != std::string_view::npos) {
      last_part = text.size() - separator;
      if (check(text.substr(separator))) return true;
    }
  }
  for (const Size& each : sizes_) {
    if (each.size > text.size()) break;
    if (each.size == last_part) continue;  // found above, if it is there
    const std::string_view key =
        anchor_ == Anchor::start ? text.substr(0, each.size) : text.substr(text.size() - each.size);
    if (each.may_have(key) && check(key)) return true;
  }
  return false;
}

void LiteralTable::find(std::string_view text, std::vector<LiteralId>& found) const {
  walk(text, [&](const Entry& entry) {
    found.push_back(entry.id);
    return false;
  });
}

bool LiteralTable::any(std::string_view text) const {
  return walk(text, [](const Entry&) { return true; });
}

struct LiteralScanner::Implementation {
  WindowLiterals windows;
  HyperscanLiterals hyperscan;
  bool uses_hyperscan = false;
};

LiteralScanner::LiteralScanner() = default;
LiteralScanner::LiteralScanner(LiteralScanner&&) noexcept = default;
LiteralScanner& LiteralScanner::operator=(LiteralScanner&&) noexcept = default;
LiteralScanner::~LiteralScanner() = default;

bool LiteralScanner::has(Engine engine) { return engine != Engine::hyperscan || HyperscanLiterals::available(); }

void LiteralScanner::add(std::string_view literal, LiteralId id) {
  if (literal.empty()) {
    everywhere_.push_back(id);
  } else {
    waiting_.emplace_back(literal, id);
  }
  ++literals_;
}

Status LiteralScanner::build(Engine engine, ScanScratch& scratch) {
  if (waiting_.empty()) return {};
  implementation_ = std::make_unique<Implementation>();
  const bool many = waiting_.size() >= kHyperscanLiteralsMin;
  implementation_->uses_hyperscan =
      engine == Engine::hyperscan || (engine == Engine::best && many && has(Engine::hyperscan));
  if (implementation_->uses_hyperscan) {
    TRY_STATUS(implementation_->hyperscan.build(waiting_, scratch));
  } else {
    implementation_->windows.build(waiting_);
  }
  waiting_ = {};
  return {};
}

void LiteralScanner::find(std::string_view text, ScanScratch& scratch, std::vector<LiteralId>& found) const {
  found.insert(found.end(), everywhere_.begin(), everywhere_.end());
  if (implementation_ == nullptr || text.empty()) return;
  if (implementation_->uses_hyperscan) {
    implementation_->hyperscan.find(text, scratch, found);
  } else {
    implementation_->windows.find(text, found);
  }
}

}  // namespace redoubt::query::match
