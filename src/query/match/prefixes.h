// Many address prefixes at once against one address: one look-up a distinct length. Built once, then read-only; any
// thread.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "query/match/literals.h"

namespace redoubt::query::match {

class PrefixTable {
 public:
  // What is no prefix holds nothing.
  void add(std::string_view prefix, LiteralId id);
  // After the last add().
  void build();

  bool empty() const { return entries_.empty(); }
  // Appends the ids of the prefixes that the address lies in.
  void find(std::string_view address, std::vector<LiteralId>& found) const;
  bool any(std::string_view address) const;

 private:
  struct Entry {
    base::Prefix prefix;  // bits behind the length are zero
    LiteralId id;
  };

  template <class Each>
  bool walk(const base::Address& address, Each each) const;
  template <class Each>
  bool walk(std::string_view address, Each each) const;

  std::vector<Entry> entries_;                // by family, length and bytes
  std::vector<std::pair<int, int>> lengths_;  // the distinct (family, length)
};

}  // namespace redoubt::query::match
