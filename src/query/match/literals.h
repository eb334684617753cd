// Many literals at once against one text: LiteralTable for whole, leading and trailing text, LiteralScanner for text
// anywhere. Built once, then read-only; any thread (a ScanScratch belongs to one).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct hs_database;
struct hs_scratch;

namespace redoubt::query::match {

// What a literal stands for, in the words of who added it.
using LiteralId = uint32_t;

enum class Anchor : uint8_t { whole, start, end };

// A flat hash table; each literal once. Leading and trailing text cost one look-up a distinct size, but one in all for
// literals that are the last part of a path with its separator, such as `/curl` and `\cmd.exe`.
class LiteralTable {
 public:
  explicit LiteralTable(Anchor anchor) : anchor_(anchor) {}
  void add(std::string_view literal, LiteralId id);
  // After the last add().
  void build();

  bool empty() const { return entries_.empty(); }
  // How many look-ups a text costs at most.
  size_t looks() const { return sizes_.size() + (has_last_parts_ ? 1 : 0); }
  // Appends the ids of the literals that are there.
  void find(std::string_view text, std::vector<LiteralId>& found) const;
  bool any(std::string_view text) const;

 private:
  struct Entry {
    uint32_t offset;  // in texts_
    uint32_t size;
    LiteralId id;
  };
  struct Cell {
    uint32_t tag = 0;    // of the hash, never 0
    uint32_t entry = 0;  // in entries_
  };
  // The literals of one size: a bit of each byte, in its lowest six, that one of them begins and ends with. Most texts
  // need no look-up for the size then.
  struct Size {
    uint32_t size = 0;
    uint64_t fronts = 0;
    uint64_t backs = 0;

    void add(std::string_view literal);
    bool may_have(std::string_view key) const;
  };

  const Entry* look_up(std::string_view key) const;
  // Where the literals of that size are, or those of the next larger one.
  std::vector<Size>::const_iterator place_of(size_t size) const;
  bool may_be_whole(std::string_view text) const;
  // Calls `each` with the entries that are there until it returns true; true if it did.
  template <class Each>
  bool walk(std::string_view text, Each each) const;

  Anchor anchor_;
  std::string texts_;
  std::vector<Entry> entries_;
  std::vector<Cell> cells_;  // a power of two, at most half full
  std::vector<Size> sizes_;  // ascending; without those of last parts
  bool has_last_parts_ = false;
};

// What a scan needs to write to.
class ScanScratch {
 public:
  ScanScratch() = default;
  ~ScanScratch();
  ScanScratch(ScanScratch&& other) noexcept;
  ScanScratch& operator=(ScanScratch&& other) noexcept;

 private:
  friend class HyperscanLiterals;
  friend class CaselessLook;
  Status fit(const hs_database* database);

  hs_scratch* scratch_ = nullptr;
};

// One pass over the text, however many literals there are.
class LiteralScanner {
 public:
  // `best`: what is fastest for these literals, of what this build and this processor have.
  enum class Engine : uint8_t { best, windows, hyperscan };

  LiteralScanner();
  LiteralScanner(LiteralScanner&&) noexcept;
  LiteralScanner& operator=(LiteralScanner&&) noexcept;
  ~LiteralScanner();

  // False where `hyperscan` is not in this build, or not for this processor.
  static bool has(Engine engine);

  void add(std::string_view literal, LiteralId id);
  // After the last add(). Scratches that have been built for it may scan.
  Status build(Engine engine, ScanScratch& scratch);

  bool empty() const { return literals_ == 0; }
  size_t size() const { return literals_; }
  // Appends the ids of the literals that are there, each at least once.
  void find(std::string_view text, ScanScratch& scratch, std::vector<LiteralId>& found) const;

  struct Implementation;

 private:
  std::vector<std::pair<std::string, LiteralId>> waiting_;
  size_t literals_ = 0;
  std::vector<LiteralId> everywhere_;  // of the empty literal
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace redoubt::query::match
