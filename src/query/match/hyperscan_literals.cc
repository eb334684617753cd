#include "query/match/hyperscan_literals.h"

#include <algorithm>
#include <utility>

#include "query/semantics.h"

#ifdef REDOUBT_HYPERSCAN
#include <hs.h>
#endif

namespace redoubt::query::match {

ScanScratch::ScanScratch(ScanScratch&& other) noexcept : scratch_(std::exchange(other.scratch_, nullptr)) {}

ScanScratch& ScanScratch::operator=(ScanScratch&& other) noexcept {
  std::swap(scratch_, other.scratch_);
  return *this;
}

CaselessLook::CaselessLook(CaselessLook&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}

CaselessLook& CaselessLook::operator=(CaselessLook&& other) noexcept {
  std::swap(database_, other.database_);
  return *this;
}

bool CaselessLook::may_hold(std::string_view text, ScanScratch& scratch) const {
  if (database_ == nullptr || folds_into_ascii(text)) return true;
  // The library takes no text without an address.
  return !text.empty() && found_any(text, scratch);
}

#ifdef REDOUBT_HYPERSCAN

ScanScratch::~ScanScratch() { hs_free_scratch(scratch_); }

HyperscanLiterals::~HyperscanLiterals() { hs_free_database(database_); }

bool HyperscanLiterals::available() {
  static const bool kAvailable = hs_valid_platform() == HS_SUCCESS;
  return kAvailable;
}

namespace {

struct LiteralList {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  std::vector<unsigned> ids;

  void add(const std::string& literal, unsigned id) {
    texts.push_back(literal.data());
    sizes.push_back(literal.size());
    ids.push_back(id);
  }
};

// One report a literal, however often it is there.
Status compile(const LiteralList& list, unsigned more_flags, hs_database** database) {
  const std::vector<unsigned> flags(list.texts.size(), HS_FLAG_SINGLEMATCH | more_flags);
  hs_compile_error_t* error = nullptr;
  const hs_error_t compiled =
      hs_compile_lit_multi(list.texts.data(), flags.data(), list.ids.data(), list.sizes.data(),
                           static_cast<unsigned>(list.texts.size()), HS_MODE_BLOCK, nullptr, database, &error);
  if (compiled == HS_SUCCESS) return {};
  const std::string message = error != nullptr ? error->message : "no reason given";
  hs_free_compile_error(error);
  return fail(Errc::internal, "literals: " + message);
}

}  // namespace

Status ScanScratch::fit(const hs_database* database) {
  if (hs_alloc_scratch(database, &scratch_) == HS_SUCCESS) return {};
  return fail(Errc::internal, "literals: no memory to scan with");
}

Status HyperscanLiterals::build(const std::vector<std::pair<std::string, LiteralId>>& literals, ScanScratch& scratch) {
  LiteralList list;
  for (const auto& [literal, id] : literals) list.add(literal, id);
  TRY_STATUS(compile(list, 0, &database_));
  return scratch.fit(database_);
}

CaselessLook::~CaselessLook() { hs_free_database(database_); }

Status CaselessLook::build(const std::vector<std::string>& literals, ScanScratch& scratch) {
  // Letters outside ASCII have a case that the library does not ignore.
  const bool fit = std::all_of(literals.begin(), literals.end(), [](const std::string& literal) {
    return literal.size() <= kLiteralBytesMax && is_ascii(literal);
  });
  if (!HyperscanLiterals::available() || !fit || literals.empty() || literals.size() > kLiteralsMax) return {};
  LiteralList list;
  for (const std::string& literal : literals) list.add(literal, 0);
  TRY_STATUS(compile(list, HS_FLAG_CASELESS, &database_));
  return scratch.fit(database_);
}

bool CaselessLook::found_any(std::string_view text, ScanScratch& scratch) const {
  const auto stop = [](unsigned, unsigned long long, unsigned long long, unsigned, void*) { return 1; };
  const hs_error_t scanned =
      hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch.scratch_, stop, nullptr);
  CHECK(scanned == HS_SUCCESS || scanned == HS_SCAN_TERMINATED);
  return scanned == HS_SCAN_TERMINATED;
}

void HyperscanLiterals::find(std::string_view text, ScanScratch& scratch, std::vector<LiteralId>& found) const {
  if (text.empty()) return;
  const auto add = [](unsigned id, unsigned long long, unsigned long long, unsigned, void* context) {
    static_cast<std::vector<LiteralId>*>(context)->push_back(id);
    return 0;
  };
  const hs_error_t scanned =
      hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch.scratch_, add, &found);
  // All that it refuses is a scratch or a database that is not its own.
  CHECK(scanned == HS_SUCCESS);
}

#else

ScanScratch::~ScanScratch() = default;

HyperscanLiterals::~HyperscanLiterals() = default;

bool HyperscanLiterals::available() { return false; }

Status HyperscanLiterals::build(const std::vector<std::pair<std::string, LiteralId>>&, ScanScratch&) {
  return fail(Errc::unsupported, "this build has no Hyperscan");
}

void HyperscanLiterals::find(std::string_view, ScanScratch&, std::vector<LiteralId>&) const {}

CaselessLook::~CaselessLook() = default;

Status CaselessLook::build(const std::vector<std::string>&, ScanScratch&) { return {}; }

bool CaselessLook::found_any(std::string_view, ScanScratch&) const { return true; }

#endif

}  // namespace redoubt::query::match
