// Judges one content for all who handed it in: what the same engines said before, else a scan; then the alert, then the
// rows. Called by the threads of the object service; any thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "central/alerts/alert_sink.h"
#include "central/objects/judged_objects.h"
#include "central/objects/object_queue.h"
#include "central/objects/object_service.h"
#include "central/objects/verdict_cache.h"
#include "store/state/grouped_writes.h"

namespace redoubt::central {

class ObjectJudge {
 public:
  // The parts outlive it. `passwords`: to try on archives.
  ObjectJudge(const ObjectServiceParts& parts, store::GroupedWrites& writes, std::vector<std::string> passwords);

  Judges judges() const;
  // What the judges of now said of it before, as far as memory tells; null: the database may.
  std::shared_ptr<const KnownVerdict> known(const ContentKey& content);
  // The same of the database; null where they have to be asked. To be remembered once the transaction is done.
  std::shared_ptr<const KnownVerdict> known(soci::session& sql, const ContentKey& content);
  void remember(std::shared_ptr<const KnownVerdict> known);
  // Their word, also where it takes the engines: one without an id nobody knows but the caller, keep() makes it known.
  Result<std::shared_ptr<KnownVerdict>> ask(const ContentKey& content);
  // Its row, unless it has one. Whoever asks for the content finds it soon.
  void keep(const std::shared_ptr<KnownVerdict>& verdict);
  // Alert and rows for these submissions of the content, whose verdict was kept. An error: no alert; again is harmless.
  Status settle(const std::vector<long long>& rows, const std::shared_ptr<KnownVerdict>& verdict);
  // An object that goes on to the queue; what it became, as long as it is remembered.
  void enter(const Object& object);
  std::optional<Object> judged(long long row) const;
  // Asks the engines of now about a content that older ones judged. What they say otherwise is an alert, and the
  // verdict of all who had handed it in.
  Status rescan(const ContentKey& content);
  // Contents whose last word is of others than `judges`, the newest first, with ids below `before`.
  Result<std::vector<KnownVerdict>> outdated(const Judges& judges, long long before, size_t limit);
  // The word on it is of nobody who judges now.
  Status forget(const ContentKey& content);

 private:
  std::string engines() const;
  Result<std::optional<KnownVerdict>> latest(const ContentKey& content);
  Result<KnownVerdict> judge(const ContentKey& content);
  KnownVerdict scan(const ContentKey& content);
  Result<std::string> raise(long long row, const scan::ScanReport& report);
  Status replace(const KnownVerdict& before, KnownVerdict now);

  ObjectServiceParts parts_;
  store::GroupedWrites& writes_;
  const std::vector<std::string> passwords_;
  VerdictCache cache_;
  JudgedObjects judged_;
};

}  // namespace redoubt::central
