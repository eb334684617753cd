#include "central/hunts/hunt_exports.h"

#include "query/hunt.h"

namespace redoubt::central {

namespace {

// A place among the exports, for as long as it lives.
class ExportPlace {
 public:
  ExportPlace(std::shared_ptr<std::atomic<int>> running, int at_once_max)
      : running_(std::move(running)), admitted_(++*running_ <= at_once_max) {}
  ~ExportPlace() { --*running_; }
  ExportPlace(const ExportPlace&) = delete;
  ExportPlace& operator=(const ExportPlace&) = delete;
  bool admitted() const { return admitted_; }

 private:
  const std::shared_ptr<std::atomic<int>> running_;
  const bool admitted_;
};

struct HeldExport {
  std::unique_ptr<ExportPlace> place;
  store::Exported exported;
};

}  // namespace

HuntExports::HuntExports(store::EventStore& events, base::Metrics& metrics, const HuntExportLimits& limits)
    : events_(events),
      limits_(limits),
      exports_(metrics.counter("redoubt_hunt_exports_total", "files that were made of hunts")),
      abandoned_(metrics.counter("redoubt_hunt_exports_abandoned_total", "exports whose client went away before")) {}

HuntOutcome<std::shared_ptr<const store::Exported>> HuntExports::run(const std::string& text,
                                                                     store::ExportFormat format,
                                                                     const std::function<bool()>& gone) {
  const auto hunt = query::parse_hunt(text, base::Time::now());
  if (!hunt) return tl::unexpected<HuntError>(hunt.error());
  auto place = std::make_unique<ExportPlace>(running_, limits_.at_once_max);
  if (!place->admitted()) {
    return tl::unexpected<HuntError>(
        Error{Errc::exhausted, "other exports are running: try again when one of them is done"});
  }
  std::atomic<bool> left = false;
  const store::HuntLimits limits{
      .time_ms_max = limits_.time_ms_max, .file_bytes_max = limits_.file_bytes_max, .cancelled = [&] {
        if (gone && gone()) left = true;
        return left || stopping_;
      }};
  auto exported = events_.export_hunt(*hunt, format, limits);
  if (!exported) {
    if (left) abandoned_.add();
    return tl::unexpected<HuntError>(std::move(exported).error());
  }
  exports_.add();
  auto held = std::make_shared<HeldExport>(HeldExport{std::move(place), *std::move(exported)});
  return std::shared_ptr<const store::Exported>(held, &held->exported);
}

}  // namespace redoubt::central
