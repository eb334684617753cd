// The object door: a submission is durable (content and row) before its sender hears yes, waits in a bounded queue
// (object_queue.h), is judged by a jailed worker or by what the same engines said before (object_judge.h), and a
// detection becomes an alert. What was still processing at the last stop is queued again at start. The API calls this
// from its pool of blocking threads; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "base/time.h"
#include "central/alerts/alert_sink.h"
#include "central/objects/yara_settings.h"
#include "central/reputation/reputation_book.h"
#include "scan/scan_pool.h"
#include "scan/verdict.h"
#include "store/objects/object_store.h"
#include "store/state/state_db.h"

namespace redoubt::central {

// SQL of the table `objects`; a step of central's schema list.
extern const std::string_view kObjectsMigration;

enum class ObjectSource : uint8_t { console, api, external_system };

// "console", "api", "external system".
std::string_view name_of(ObjectSource source);

// One submission of some content; the same content may be submitted many times.
struct Object {
  std::string id;
  std::string name;  // as the sender called it; hostile
  std::string sha256;
  uint64_t size_bytes = 0;
  ObjectSource source = ObjectSource::api;
  std::string submitted_by;  // account, or id of the external system
  base::Time submitted;
  scan::Verdict verdict = scan::Verdict::processing;
  std::optional<scan::ScanReport> report;  // once it is judged
  std::string alert_id;                    // of a detection
  base::Time rescanned;                    // when newer engines changed the verdict; 0: they did not
};

struct SubmitOptions {
  std::string name;
  ObjectSource source = ObjectSource::api;
  std::string submitted_by;
  std::string webhook;  // where the verdict is posted (webhooks.h); empty: nowhere
};

// Takes one body piece by piece; destroyed without finish(), nothing stays.
class Submission {
 public:
  virtual ~Submission() = default;
  // too_large past the limit of the object store.
  virtual Status write(std::string_view bytes) = 0;
  // Content and row are durable and the object is queued on return; its verdict is `processing`.
  virtual Result<Object> finish() = 0;
};

// What a list shows; empty parts ask for nothing.
struct ObjectFilter {
  std::string name;  // as the whole
  std::string sha256;
  std::string submitted_by;
  std::optional<scan::Verdict> verdict;
};

struct ObjectPage {
  std::vector<Object> objects;  // newest first
  std::string next_cursor;      // empty: that was the end
};

struct ObjectServiceOptions {
  size_t queue_objects_max = 1000;  // waiting or open submissions; past it begin() fails with exhausted
  size_t of_one_source_max = 500;   // the same for one account or external system
  unsigned scan_threads = 2;        // as many as the pool has workers
  // To try on archives, beside those that names and mails mention.
  std::vector<std::string> passwords = {};
};

class ObjectService {
 public:
  virtual ~ObjectService() = default;
  virtual Result<std::unique_ptr<Submission>> begin(SubmitOptions options) = 0;
  // not_found for an unknown id. Blocks up to wait_ms (0 … kObjectWaitMsMax) while the object is processing.
  virtual Result<Object> get(const std::string& id, int64_t wait_ms) = 0;
  // limit 1 … kObjectPageMax; cursor from the page before, empty for the first. invalid_argument otherwise.
  virtual Result<ObjectPage> list(const ObjectFilter& filter, size_t limit, const std::string& cursor) = 0;
  // The content; not_found where it is past retention or was removed.
  virtual Result<base::UniqueFd> content(const std::string& id) = 0;
  // Whoever handed it in: the content is gone, verdicts and history stay.
  virtual Status remove_content(const std::string& id) = 0;
  // Asks the engines once more, whatever they said; the verdict stays what it is until then.
  virtual Status rescan(const std::string& id) = 0;
  virtual size_t queued() const = 0;
  // Reads rules and signatures anew; on an error the old ones stay. What older ones judged is judged again in the
  // background.
  virtual Status reload_engines() = 0;
  // Ends waits, finishes the objects being scanned, leaves the rest `processing`, joins. Stop it before the scan pool.
  virtual void stop() = 0;
};

constexpr int64_t kObjectWaitMsMax = 30'000;
constexpr size_t kObjectPageMax = 500;

// The parts outlive the service. Queues again what the database holds as processing.
struct ObjectServiceParts {
  store::StateDb& state;
  store::ObjectStore& objects;
  scan::ScanPool& scanner;
  ReputationBook& reputation;
  YaraSettings& yara_settings;
  AlertSink& alerts;
  base::Metrics& metrics;
};
Result<std::unique_ptr<ObjectService>> start_object_service(const ObjectServiceParts& parts,
                                                            const ObjectServiceOptions& options);

}  // namespace redoubt::central
