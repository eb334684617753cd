#include "central/objects/object_judge.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <algorithm>

#include "central/objects/object_alert.h"
#include "central/objects/object_reputation.h"
#include "central/objects/object_rows.h"

namespace redoubt::central {

namespace {

// Of those who are named in the alert of a rescan.
constexpr size_t kReceiversRead = 100;
// A worker may die for what another object did to it, or by an administrator's hand; one that kills every worker is
// given up.
constexpr int kScansMax = 3;

bool is_engine_missing(const scan::ScanReport& report) {
  return std::any_of(report.not_scanned.begin(), report.not_scanned.end(),
                     [](const std::string& why) { return why.starts_with("clamav"); });
}

bool same_words(const scan::ScanReport& a, const scan::ScanReport& b) {
  const auto same = [](const scan::Detection& one, const scan::Detection& other) {
    return one.engine == other.engine && one.rule == other.rule && one.object == other.object;
  };
  return a.verdict == b.verdict &&
         std::equal(a.detections.begin(), a.detections.end(), b.detections.begin(), b.detections.end(), same);
}

void count_cpu(base::Metrics& metrics, const scan::WorkerCpu& cpu) {
  const auto add = [&](std::string_view part, int64_t ns) {
    metrics
        .counter("redoubt_scan_cpu_nanoseconds_total", "CPU of scan workers for objects; ClamAV's is its own",
                 "part=\"" + std::string(part) + '"')
        .add(ns);
  };
  add("yara", cpu.yara_ns);
  add("unpack", cpu.all_ns - cpu.yara_ns);
}

}  // namespace

ObjectJudge::ObjectJudge(const ObjectServiceParts& parts, store::GroupedWrites& writes,
                         std::vector<std::string> passwords)
    : parts_(parts), writes_(writes), passwords_(std::move(passwords)) {}

std::shared_ptr<const KnownVerdict> ObjectJudge::known(const ContentKey& content) {
  return cache_.find(content, judges());
}

std::shared_ptr<const KnownVerdict> ObjectJudge::known(soci::session& sql, const ContentKey& content) {
  auto stored = find_latest_verdict(sql, content);
  if (!stored) cache_.put_unknown(content);
  if (!stored || stored->judges != judges() || !holds(stored->report.verdict)) return nullptr;
  return std::make_shared<const KnownVerdict>(*std::move(stored));
}

void ObjectJudge::remember(std::shared_ptr<const KnownVerdict> known) { cache_.put(std::move(known)); }

// Settings of rules change what the engines' word is: they are part of who judges.
std::string ObjectJudge::engines() const {
  const std::string engines = parts_.scanner.engines();
  const int64_t settings = parts_.yara_settings.generation();
  return engines.empty() || settings == 0 ? engines : engines + ", settings " + std::to_string(settings);
}

Judges ObjectJudge::judges() const { return {engines(), parts_.reputation.generation()}; }

KnownVerdict ObjectJudge::scan(const ContentKey& content) {
  KnownVerdict verdict{.content = content, .judges = judges()};
  auto descriptor = parts_.objects.open(content.sha256);
  if (descriptor) {
    for (int attempt = 0; attempt < kScansMax; ++attempt) {
      verdict.report = parts_.scanner.scan(*descriptor, {content.name, passwords_});
      count_cpu(parts_.metrics, verdict.report.cpu);
      if (verdict.report.retry == scan::Retry::useless) break;
    }
    // Few contents are read again soon: they need not push others out of the page cache.
    posix_fadvise(descriptor->get(), 0, 0, POSIX_FADV_DONTNEED);
  } else {
    verdict.report.error = descriptor.error().message;
    verdict.report.finished = base::Time::now();
  }
  parts_.yara_settings.apply(verdict.report);
  // New rules came in the middle, or an engine was away: it is not the word of these.
  if (engines() != verdict.judges.engines || is_engine_missing(verdict.report)) {
    verdict.judges.engines.clear();
  }
  return verdict;
}

void ObjectJudge::enter(const Object& object) { judged_.enter(object_row_id(object.id), object); }

std::optional<Object> ObjectJudge::judged(long long row) const { return judged_.find(row); }

Result<std::optional<KnownVerdict>> ObjectJudge::latest(const ContentKey& content) {
  std::optional<KnownVerdict> found;
  TRY_STATUS(writes_.read([&](soci::session& sql) -> Status {
    found = find_latest_verdict(sql, content);
    return {};
  }));
  return found;
}

// A verdict of the judges of now is it, with its id. What the engines said before is asked for once more only if they
// are others now; the lists always.
Result<KnownVerdict> ObjectJudge::judge(const ContentKey& content) {
  std::optional<KnownVerdict> before;
  if (!cache_.is_unknown(content)) {
    TRY(before, latest(content));
  }
  const Judges now = judges();
  if (before && holds(before->report.verdict) && before->judges == now) return *std::move(before);
  TRY(scan::ScanReport good, good_by_reputation(parts_.reputation, content.sha256));
  if (!good.engines.empty()) return KnownVerdict{.content = content, .judges = now, .report = std::move(good)};
  const bool same_engines = before && holds(before->report.verdict) && before->judges.engines == now.engines &&
                            !before->report.engines.empty() && !is_good_by_reputation(before->report);
  KnownVerdict verdict = same_engines ? *std::move(before) : scan(content);
  if (same_engines) verdict.judges = now;
  verdict.id = 0;
  TRY_STATUS(add_reputation(parts_.reputation, content.sha256, verdict.report));
  return verdict;
}

Result<std::shared_ptr<KnownVerdict>> ObjectJudge::ask(const ContentKey& content) {
  TRY(KnownVerdict judged, judge(content));
  return std::make_shared<KnownVerdict>(std::move(judged));
}

// The alert that the object's verdict makes; empty for none.
Result<std::string> ObjectJudge::raise(long long row, const scan::ScanReport& report) {
  // Without any engine the node's health says so once.
  const bool is_unjudged = !holds(report.verdict) && !parts_.scanner.engines().empty();
  if (report.detections.empty() && !is_unjudged) return std::string();
  std::optional<Object> object;
  TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
    object = read_object(sql, row);
    return {};
  }));
  if (!object) return fail(Errc::not_found, "object " + std::to_string(row) + " is gone");
  return parts_.alerts.add(report.detections.empty() ? unjudged_detection(*object, report)
                                                     : detection_of(*object, report));
}

void ObjectJudge::keep(const std::shared_ptr<KnownVerdict>& verdict) {
  if (verdict->id != 0) {
    remember(verdict);
    return;
  }
  const auto insert = [verdict](soci::session& sql) -> Status {
    verdict->id = 0;
    verdict->id = insert_verdict(sql, *verdict);
    return {};
  };
  writes_.write_later(insert, [this, verdict](const Status& written) {
    if (!written) verdict->id = 0;
    if (written && holds(verdict->report.verdict)) remember(verdict);
  });
}

// Alerts first: if the process ends in between, the object is judged again and the same detections change nothing. That
// is why the verdict itself need not be written at once.
Status ObjectJudge::settle(const std::vector<long long>& rows, const std::shared_ptr<KnownVerdict>& verdict) {
  std::vector<Judged> judged;
  for (const long long row : rows) {
    TRY(std::string alert_id, raise(row, verdict->report));
    judged.push_back({.verdict = verdict->report.verdict, .alert_id = std::move(alert_id)});
  }
  for (size_t i = 0; i < rows.size(); ++i) judged_.judge(rows[i], verdict, judged[i].alert_id);
  const auto update = [verdict, rows, judged](soci::session& sql) mutable -> Status {
    if (verdict->id == 0) return fail(Errc::internal, "the verdict has no row yet");
    for (size_t i = 0; i < rows.size(); ++i) {
      judged[i].verdict_id = verdict->id;
      write_judgement(sql, rows[i], judged[i]);
    }
    return {};
  };
  writes_.write_later(update);
  const std::string label = "verdict=\"" + std::string(scan::name_of(verdict->report.verdict)) + "\"";
  parts_.metrics.counter("redoubt_objects_total", "objects judged", label).add(rows.size());
  return {};
}

Status ObjectJudge::rescan(const ContentKey& content) {
  TRY(const auto before, latest(content));
  if (!before || before->judges == judges()) return {};
  TRY(KnownVerdict now, judge(content));
  // An engine that fails today says nothing against yesterday's word.
  if (!holds(now.report.verdict) || now.judges.engines.empty()) return {};
  parts_.metrics.counter("redoubt_objects_rescanned_total", "contents judged again by newer engines").add();
  if (!same_words(before->report, now.report)) return replace(*before, std::move(now));
  now.id = before->id;
  TRY_STATUS(writes_.write([&](soci::session& sql) -> Status {
    renew_verdict(sql, now);
    return {};
  }));
  judged_.forget_judged();
  cache_.put(std::make_shared<const KnownVerdict>(std::move(now)));
  return {};
}

Result<std::vector<KnownVerdict>> ObjectJudge::outdated(const Judges& judges, long long before, size_t limit) {
  std::vector<KnownVerdict> found;
  TRY_STATUS(writes_.read([&](soci::session& sql) -> Status {
    found = read_outdated_verdicts(sql, judges, before, limit);
    return {};
  }));
  return found;
}

Status ObjectJudge::forget(const ContentKey& content) {
  TRY_STATUS(writes_.write([&](soci::session& sql) -> Status {
    disown_verdict(sql, content);
    return {};
  }));
  cache_.drop(content);
  return {};
}

Status ObjectJudge::replace(const KnownVerdict& before, KnownVerdict now) {
  std::vector<Object> received;
  TRY_STATUS(parts_.state.read([&](soci::session& sql) -> Status {
    received = read_objects_of(sql, now.content, kReceiversRead);
    return {};
  }));
  std::string alert_id;
  if (!now.report.detections.empty() && !received.empty()) {
    TRY(alert_id, parts_.alerts.add(rescan_detection(received, before.report, now.report)));
  }
  TRY_STATUS(writes_.write([&](soci::session& sql) -> Status {
    now.id = insert_verdict(sql, now);
    write_rescan(sql, now.content, {now.report.verdict, now.id, alert_id}, now.report.finished);
    return {};
  }));
  judged_.forget_judged();
  cache_.put(std::make_shared<const KnownVerdict>(std::move(now)));
  return {};
}

}  // namespace redoubt::central
