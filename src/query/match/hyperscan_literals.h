// Literals anywhere in a text, by Hyperscan: for thousands of them, many bytes at a time. In builds without the library
// and on processors that it does not know there is none. Built once, then read-only; any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/match/literals.h"

namespace redoubt::query::match {

// From how many literals on it is taken: compiling for it costs a hundred times what a table of windows costs, and
// below that the table finds as fast (measured; bench/rules.cc).
constexpr size_t kHyperscanLiteralsMin = 8192;

class HyperscanLiterals {
 public:
  HyperscanLiterals() = default;
  ~HyperscanLiterals();
  HyperscanLiterals(const HyperscanLiterals&) = delete;
  HyperscanLiterals& operator=(const HyperscanLiterals&) = delete;

  static bool available();

  // None of them empty. The scratch is made to fit, and still fits what it was made for before.
  Status build(const std::vector<std::pair<std::string, LiteralId>>& literals, ScanScratch& scratch);
  // Appends the ids of the literals that are there, each once.
  void find(std::string_view text, ScanScratch& scratch, std::vector<LiteralId>& found) const;

 private:
  hs_database* database_ = nullptr;
};

// Whether any of a few literals may be in a text, ASCII letters in any case: one quick look at much text before each
// part of it is folded and searched. Without the library it says that one may.
class CaselessLook {
 public:
  // More literals than this are not looked for: compiling costs too much, and one of them is in most texts.
  static constexpr size_t kLiteralsMax = 64;
  static constexpr size_t kLiteralBytesMax = 1024;

  CaselessLook() = default;
  ~CaselessLook();
  CaselessLook(CaselessLook&& other) noexcept;
  CaselessLook& operator=(CaselessLook&& other) noexcept;

  // Folded literals, none of them empty. The scratch is made to fit.
  Status build(const std::vector<std::string>& literals, ScanScratch& scratch);
  bool may_hold(std::string_view text, ScanScratch& scratch) const;

 private:
  // Of each literal its rarest part is looked for, which is faster, and where that is there the rest is compared.
  static constexpr size_t kPartBytes = 5;

  struct Literal {
    std::string folded;
    size_t part_end;  // of the part that is looked for
    bool is_at(std::string_view text, size_t found_end) const;
  };
  struct Search;

  bool found_any(std::string_view text, ScanScratch& scratch) const;

  std::vector<Literal> literals_;
  hs_database* database_ = nullptr;
};

}  // namespace redoubt::query::match
