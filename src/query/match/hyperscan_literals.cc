#include "query/match/hyperscan_literals.h"

#include <utility>

#ifdef REDOUBT_HYPERSCAN
#include <hs.h>
#endif

namespace redoubt::query::match {

ScanScratch::ScanScratch(ScanScratch&& other) noexcept : scratch_(std::exchange(other.scratch_, nullptr)) {}

ScanScratch& ScanScratch::operator=(ScanScratch&& other) noexcept {
  std::swap(scratch_, other.scratch_);
  return *this;
}

#ifdef REDOUBT_HYPERSCAN

ScanScratch::~ScanScratch() { hs_free_scratch(scratch_); }

HyperscanLiterals::~HyperscanLiterals() { hs_free_database(database_); }

bool HyperscanLiterals::available() {
  static const bool kAvailable = hs_valid_platform() == HS_SUCCESS;
  return kAvailable;
}

Status HyperscanLiterals::build(const std::vector<std::pair<std::string, LiteralId>>& literals, ScanScratch& scratch) {
  std::vector<const char*> texts;
  std::vector<size_t> sizes;
  std::vector<unsigned> ids;
  for (const auto& [literal, id] : literals) {
    texts.push_back(literal.data());
    sizes.push_back(literal.size());
    ids.push_back(id);
  }
  // One report a literal, however often it is there.
  const std::vector<unsigned> flags(literals.size(), HS_FLAG_SINGLEMATCH);
  hs_compile_error_t* error = nullptr;
  const hs_error_t compiled =
      hs_compile_lit_multi(texts.data(), flags.data(), ids.data(), sizes.data(), static_cast<unsigned>(texts.size()),
                           HS_MODE_BLOCK, nullptr, &database_, &error);
  if (compiled != HS_SUCCESS) {
    const std::string message = error != nullptr ? error->message : "no reason given";
    hs_free_compile_error(error);
    return fail(Errc::internal, "literals: " + message);
  }
  if (hs_alloc_scratch(database_, &scratch.scratch_) != HS_SUCCESS) {
    return fail(Errc::internal, "literals: no memory to scan with");
  }
  return {};
}

void HyperscanLiterals::find(std::string_view text, ScanScratch& scratch, std::vector<LiteralId>& found) const {
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

#endif

}  // namespace redoubt::query::match
