#include "query/match/prefixes.h"

#include <algorithm>
#include <tuple>

namespace redoubt::query::match {

namespace {

auto key_of(const base::Prefix& prefix) { return std::tie(prefix.address.bits, prefix.length, prefix.address.bytes); }

base::Prefix masked(const base::Address& address, int length) {
  base::Prefix prefix{.address = address, .length = length};
  auto at = static_cast<size_t>(length / 8);
  if (length % 8 != 0) {
    prefix.address.bytes[at] = static_cast<unsigned char>(prefix.address.bytes[at] & (0xFF00 >> (length % 8)));
    ++at;
  }
  std::fill(prefix.address.bytes.begin() + static_cast<ptrdiff_t>(at), prefix.address.bytes.end(), 0);
  return prefix;
}

}  // namespace

void PrefixTable::add(std::string_view prefix, LiteralId id) {
  const auto parsed = base::parse_prefix(prefix);
  if (parsed) entries_.push_back({masked(parsed->address, parsed->length), id});
}

void PrefixTable::build() {
  std::sort(entries_.begin(), entries_.end(),
            [](const Entry& a, const Entry& b) { return key_of(a.prefix) < key_of(b.prefix); });
  for (const Entry& entry : entries_) {
    const std::pair<int, int> length{entry.prefix.address.bits, entry.prefix.length};
    if (lengths_.empty() || lengths_.back() != length) lengths_.push_back(length);
  }
}

template <class Each>
bool PrefixTable::walk(const base::Address& address, Each each) const {
  for (const auto& [bits, length] : lengths_) {
    if (bits != address.bits) continue;
    const base::Prefix key = masked(address, length);
    auto at = std::lower_bound(
        entries_.begin(), entries_.end(), key,
        [](const Entry& entry, const base::Prefix& wanted) { return key_of(entry.prefix) < key_of(wanted); });
    for (; at != entries_.end() && key_of(at->prefix) == key_of(key); ++at) {
      if (each(*at)) return true;
    }
  }
  return false;
}

template <class Each>
bool PrefixTable::walk(std::string_view text, Each each) const {
  if (entries_.empty()) return false;
  const auto address = base::parse_address(text);
  if (!address) return false;
  const auto inner = base::inner_address(*address);
  return walk(*address, each) || (inner && walk(*inner, each));
}

void PrefixTable::find(std::string_view address, std::vector<LiteralId>& found) const {
  walk(address, [&](const Entry& entry) {
    found.push_back(entry.id);
    return false;
  });
}

bool PrefixTable::any(std::string_view address) const {
  return walk(address, [](const Entry&) { return true; });
}

}  // namespace redoubt::query::match
