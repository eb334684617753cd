#include "query/match/hyperscan_literals.h"

#include <algorithm>
#include <utility>

#include "query/match/needle.h"
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

CaselessLook::CaselessLook(CaselessLook&& other) noexcept
    : literals_(std::move(other.literals_)), database_(std::exchange(other.database_, nullptr)) {}

CaselessLook& CaselessLook::operator=(CaselessLook&& other) noexcept {
  std::swap(literals_, other.literals_);
  std::swap(database_, other.database_);
  return *this;
}

bool CaselessLook::may_hold(std::string_view text, ScanScratch& scratch) const {
  if (database_ == nullptr) return true;
  // The library takes no text without an address.
  return !text.empty() && found_any(text, scratch);
}

// Where the part that is looked for ends there.
bool CaselessLook::Literal::is_at(std::string_view text, size_t found_end) const {
  if (found_end < part_end || text.size() - found_end < folded.size() - part_end) return false;
  const auto same = [](char known, char byte) { return known == (byte >= 'A' && byte <= 'Z' ? byte + 32 : byte); };
  return std::equal(folded.begin(), folded.end(), text.begin() + static_cast<ptrdiff_t>(found_end - part_end), same);
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

  void add(std::string_view literal, unsigned id) {
    texts.push_back(literal.data());
    sizes.push_back(literal.size());
    ids.push_back(id);
  }
};

Status compile(const LiteralList& list, unsigned flag, hs_database** database) {
  const std::vector<unsigned> flags(list.texts.size(), flag);
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
  // One report a literal, however often it is there.
  TRY_STATUS(compile(list, HS_FLAG_SINGLEMATCH, &database_));
  return scratch.fit(database_);
}

CaselessLook::~CaselessLook() { hs_free_database(database_); }

Status CaselessLook::build(const std::vector<std::string>& literals, ScanScratch& scratch) {
  // Letters outside ASCII have a case that the library does not ignore.
  const bool fit = std::all_of(literals.begin(), literals.end(), [](const std::string& literal) {
    return literal.size() <= kLiteralBytesMax && is_ascii(literal);
  });
  if (!HyperscanLiterals::available() || !fit || literals.empty() || literals.size() > kLiteralsMax) return {};
  std::vector<std::string> parts;
  for (const std::string& literal : literals) {
    const std::string_view part = rarest_part(literal, kPartBytes);
    parts.emplace_back(part);
    literals_.push_back({literal, static_cast<size_t>(part.data() + part.size() - literal.data())});
  }
  LiteralList list;
  for (const std::string& part : parts) list.add(part, static_cast<unsigned>(list.ids.size()));
  // Where one of these is, a letter of a literal may have another form than the library knows.
  for (const std::string_view letter : kFoldedIntoAscii) list.add(letter, static_cast<unsigned>(list.ids.size()));
  TRY_STATUS(compile(list, HS_FLAG_CASELESS, &database_));
  return scratch.fit(database_);
}

struct CaselessLook::Search {
  const std::vector<Literal>& literals;
  std::string_view text;
};

bool CaselessLook::found_any(std::string_view text, ScanScratch& scratch) const {
  Search search{literals_, text};
  // Stops where a whole literal is.
  const auto check = [](unsigned id, unsigned long long, unsigned long long end, unsigned, void* context) {
    const auto& [literals, searched] = *static_cast<const Search*>(context);
    return id >= literals.size() || literals[id].is_at(searched, end) ? 1 : 0;
  };
  const hs_error_t scanned =
      hs_scan(database_, text.data(), static_cast<unsigned>(text.size()), 0, scratch.scratch_, check, &search);
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
