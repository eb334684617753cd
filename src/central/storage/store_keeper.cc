#include "central/storage/store_keeper.h"

#include "query/hunt.h"

namespace redoubt::central {

namespace {

constexpr int64_t kStoreWorkMs = int64_t{6} * 3600 * 1000;

Error store_is_busy() {
  return {Errc::exhausted,
          "the store is being verified, compacted, exported or backed up: try again when that is done"};
}

}  // namespace

store::HuntLimits StoreKeeper::limits() {
  return {.time_ms_max = kStoreWorkMs, .cancelled = [this] { return stopping_.load(); }};
}

Result<store::VerifyReport> StoreKeeper::verify() {
  const std::unique_lock lock(working_, std::try_to_lock);
  if (!lock) return tl::unexpected(store_is_busy());
  TRY(store::VerifyReport report, events_.verify(limits()));
  if (const Status state = state_.verify(); !state) {
    report.damage.push_back({.what = "state database", .why = state.error().message});
  }
  return report;
}

Result<store::CompactReport> StoreKeeper::compact() {
  const std::unique_lock lock(working_, std::try_to_lock);
  if (!lock) return tl::unexpected(store_is_busy());
  return events_.compact(limits());
}

HuntOutcome<store::Exported> StoreKeeper::export_hunt(const std::string& text, store::ExportFormat format) {
  const auto hunt = query::parse_hunt(text, base::Time::now());
  if (!hunt) return tl::unexpected<HuntError>(hunt.error());
  const std::unique_lock lock(working_, std::try_to_lock);
  if (!lock) return tl::unexpected<HuntError>(store_is_busy());
  auto exported = events_.export_hunt(*hunt, format, limits());
  if (!exported) return tl::unexpected<HuntError>(std::move(exported).error());
  return *std::move(exported);
}

Result<store::BackupReport> StoreKeeper::back_up(const std::string& directory, store::BackupFiles files) {
  const std::unique_lock lock(working_, std::try_to_lock);
  if (!lock) return tl::unexpected(store_is_busy());
  return store::back_up({.files = files_,
                         .events = events_,
                         .copy_state = [this](const std::string& path) { return state_.backup(path); }},
                        {.directory = directory, .files = files, .cancelled = [this] { return stopping_.load(); }});
}

}  // namespace redoubt::central
