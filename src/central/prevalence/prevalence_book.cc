#include "central/prevalence/prevalence_book.h"

#include <soci/soci.h>

#include <algorithm>
#include <array>
#include <boost/container/small_vector.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>
#include <span>

#include "base/log.h"
#include "central/prevalence/observation.h"

namespace redoubt::central {

namespace {

using event::Field;

constexpr uint32_t kDayBits = 12;
constexpr uint32_t kDayMask = (1U << kDayBits) - 1;  // days come round after eleven years
constexpr size_t kHostsMax = size_t{1} << (32 - kDayBits);

uint32_t day_of(base::Time time) { return static_cast<uint32_t>(std::max<int64_t>(0, time.us) / base::kDayUs); }

// A host's number and the day that it had the thing last, in one word.
using Sighting = uint32_t;

uint32_t sighting_of(uint32_t host, uint32_t day) { return host << kDayBits | (day & kDayMask); }
uint32_t host_of(uint32_t sighting) { return sighting >> kDayBits; }
uint32_t age_of(uint32_t sighting, uint32_t today) { return (today - sighting) & kDayMask; }
bool is_recent(uint32_t sighting, uint32_t today) { return age_of(sighting, today) < kPrevalenceDays; }

size_t kind_of(Field field) { return static_cast<size_t>(field) - static_cast<size_t>(Field::prevalence_executable); }
static_assert(static_cast<size_t>(Field::prevalence_destination) - static_cast<size_t>(Field::prevalence_executable) ==
              kPrevalenceKinds - 1);

std::string text_of(std::span<const uint32_t> sightings) {
  std::string text;
  for (const uint32_t sighting : sightings) text += (text.empty() ? "" : ",") + std::to_string(sighting);
  return text;
}

}  // namespace

constexpr std::string_view kPrevalenceSql = R"sql(
CREATE TABLE prevalence_hosts (
  number BIGINT PRIMARY KEY,
  host_id TEXT NOT NULL,
  first_day BIGINT NOT NULL,
  last_day BIGINT NOT NULL
);
CREATE TABLE prevalence (
  key BIGINT PRIMARY KEY,
  kind BIGINT NOT NULL,
  last_day BIGINT NOT NULL,
  sightings TEXT NOT NULL
);
CREATE INDEX prevalence_by_day ON prevalence (last_day);
)sql";
const std::string_view kPrevalenceMigration = kPrevalenceSql;

struct PrevalenceBook::Things {
  struct Entry {
    boost::container::small_vector<Sighting, 4> sightings;
    bool is_changed = false;  // since it was written
  };
  using Entries = boost::unordered_flat_map<uint64_t, Entry>;

  // Of one kind: what was seen since the older half was forgotten last, and what only before.
  struct Kind {
    Entries younger;
    Entries older;
  };

  std::array<Kind, kPrevalenceKinds> kinds;
  std::vector<uint64_t> forgotten;  // since that was written

  void forget_older(Kind& kind);
  Entry& entry_of(size_t kind_number, uint64_t key, size_t keys_max);
};

struct PrevalenceBook::Row {
  long long key = 0;
  long long kind = 0;
  std::string sightings;
};

struct PrevalenceBook::Changes {
  struct Thing {
    size_t kind;
    uint64_t key;
    std::string sightings;
  };
  std::vector<Thing> things;
  std::vector<uint64_t> forgotten;
  std::vector<std::pair<uint32_t, Host>> hosts;
};

PrevalenceBook::PrevalenceBook(store::StateDb& state, base::Metrics& metrics, size_t keys_max)
    : state_(state),
      keys_(metrics.gauge("redoubt_prevalence_keys", "things of which it is known on how many hosts they are")),
      keys_max_(keys_max),
      things_(std::make_unique<Things>()) {}
PrevalenceBook::~PrevalenceBook() = default;

Result<std::unique_ptr<PrevalenceBook>> PrevalenceBook::open(store::StateDb& state, base::Metrics& metrics,
                                                             base::Time now, size_t keys_max) {
  std::unique_ptr<PrevalenceBook> book(new PrevalenceBook(state, metrics, keys_max));
  TRY_STATUS(base::within("read how common things are", book->load(day_of(now))));
  return book;
}

Status PrevalenceBook::load(Day today) {
  const std::lock_guard lock(mutex_);
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    long long number = 0, first = 0, last = 0;
    std::string id;
    soci::statement hosts =
        (sql.prepare << "SELECT number, host_id, first_day, last_day FROM prevalence_hosts ORDER BY number",
         soci::into(number), soci::into(id), soci::into(first), soci::into(last));
    hosts.execute();
    while (hosts.fetch() && number == static_cast<long long>(hosts_.size())) {
      host_numbers_[id] = static_cast<uint32_t>(number);
      hosts_.push_back({.id = id, .first = static_cast<Day>(first), .last = static_cast<Day>(last)});
      first_day_ = first_day_ == 0 ? hosts_.back().first : std::min(first_day_, hosts_.back().first);
    }
    Row row;
    soci::statement things = (sql.prepare << "SELECT key, kind, sightings FROM prevalence ORDER BY last_day DESC",
                              soci::into(row.key), soci::into(row.kind), soci::into(row.sightings));
    things.execute();
    while (things.fetch()) load_row(row, today);
    return {};
  }));
  report();
  return {};
}

// The latest come first. What has no room any more, or is of a newer node, is not taken.
void PrevalenceBook::load_row(const Row& row, Day today) {
  const auto key = static_cast<uint64_t>(row.key);
  if (row.kind < 0 || row.kind >= static_cast<long long>(kPrevalenceKinds)) return;
  Things::Kind& kind = things_->kinds[static_cast<size_t>(row.kind)];
  Things::Entries& half = kind.younger.size() < keys_max_ / 4 ? kind.younger : kind.older;
  if (half.size() >= keys_max_ / 2) {
    things_->forgotten.push_back(key);
    return;
  }
  Things::Entry entry;
  const char* at = row.sightings.data();
  const char* const end = at + row.sightings.size();
  while (at < end && entry.sightings.size() < kPrevalenceHostsMax) {
    Sighting sighting = 0;
    const auto read = std::from_chars(at, end, sighting);
    if (read.ec != std::errc{}) break;
    if (host_of(sighting) < hosts_.size() && is_recent(sighting, today)) entry.sightings.push_back(sighting);
    at = read.ptr + 1;
  }
  half.try_emplace(key, std::move(entry));
}

uint32_t PrevalenceBook::host_number(const std::string& host_id, Day today) {
  auto known = host_numbers_.find(host_id);
  if (known == host_numbers_.end()) {
    const auto number = static_cast<uint32_t>(std::min(hosts_.size(), kHostsMax - 1));
    if (number == hosts_.size()) hosts_.push_back({.id = host_id, .first = today, .last = 0});
    known = host_numbers_.emplace(host_id, number).first;
    if (first_day_ == 0) first_day_ = today;
  }
  Host& host = hosts_[known->second];
  if (host.last != today) {
    if (!is_heard(host, today)) ++fleet_;
    host.last = today;
    host.is_changed = true;
  }
  return known->second;
}

bool PrevalenceBook::is_heard(const Host& host, Day today) { return host.last + kPrevalenceDays > today; }

// Once a day: who comes on it is counted in by host_number().
void PrevalenceBook::count_fleet(Day today) {
  if (fleet_day_ == today) return;
  fleet_day_ = today;
  fleet_ = std::count_if(hosts_.begin(), hosts_.end(), [&](const Host& host) { return is_heard(host, today); });
}

void PrevalenceBook::Things::forget_older(Kind& kind) {
  for (const auto& [key, entry] : kind.older) forgotten.push_back(key);
  kind.older = std::move(kind.younger);
  kind.younger = {};
}

PrevalenceBook::Things::Entry& PrevalenceBook::Things::entry_of(size_t kind_number, uint64_t key, size_t keys_max) {
  Kind& kind = kinds[kind_number];
  if (const auto known = kind.younger.find(key); known != kind.younger.end()) return known->second;
  Entry entry;
  if (const auto known = kind.older.find(key); known != kind.older.end()) {
    entry = std::move(known->second);
    kind.older.erase(known);
  }
  if (kind.younger.size() >= keys_max / 2) forget_older(kind);
  return kind.younger.try_emplace(key, std::move(entry)).first->second;
}

// On how many hosts it was, now that this one has it.
int64_t PrevalenceBook::see(size_t kind, uint64_t key, uint32_t host, Day today) {
  Things::Entry& entry = things_->entry_of(kind, key, keys_max_);
  auto& sightings = entry.sightings;
  auto place = std::find_if(sightings.begin(), sightings.end(), [&](Sighting one) { return host_of(one) == host; });
  if (place == sightings.end() && sightings.size() < kPrevalenceHostsMax) {
    sightings.push_back(0);
    place = sightings.end() - 1;
  } else if (place == sightings.end()) {
    place = std::max_element(sightings.begin(), sightings.end(),
                             [&](Sighting a, Sighting b) { return age_of(a, today) < age_of(b, today); });
  }
  const Sighting now = sighting_of(host, today);
  if (*place != now) {
    *place = now;
    if (!entry.is_changed) changed_.emplace_back(kind, key);
    entry.is_changed = true;
  }
  return std::count_if(sightings.begin(), sightings.end(), [&](Sighting one) { return is_recent(one, today); });
}

void PrevalenceBook::note(const std::string& host_id, event::Batch& batch, base::Time now) {
  const std::vector<Observation> observed = observations_of(batch);
  const Day today = day_of(now);
  std::vector<event::Note> notes;
  {
    const std::lock_guard lock(mutex_);
    count_fleet(today);
    const uint32_t host = host_number(host_id, today);
    const int64_t days = std::min<int64_t>(kPrevalenceDays, int64_t{today} - first_day_ + 1);
    for (size_t i = 0; i < observed.size(); ++i) {
      const Observation& one = observed[i];
      notes.push_back({one.row, one.field, see(kind_of(one.field), one.key, host, today)});
      if (i + 1 < observed.size() && observed[i + 1].row == one.row) continue;
      notes.push_back({one.row, Field::prevalence_fleet, fleet_});
      notes.push_back({one.row, Field::prevalence_days, days});
    }
    if (!observed.empty()) report();
  }
  batch.add(std::move(notes));
}

PrevalenceBook::Changes PrevalenceBook::take_changes() {
  Changes changes;
  const std::lock_guard lock(mutex_);
  for (const auto& [kind, key] : std::exchange(changed_, {})) {
    for (Things::Entries* const half : {&things_->kinds[kind].younger, &things_->kinds[kind].older}) {
      const auto known = half->find(key);
      if (known == half->end()) continue;
      known->second.is_changed = false;
      changes.things.push_back({kind, key, text_of(known->second.sightings)});
    }
  }
  changes.forgotten = std::exchange(things_->forgotten, {});
  for (uint32_t number = 0; number < hosts_.size(); ++number) {
    if (!std::exchange(hosts_[number].is_changed, false)) continue;
    changes.hosts.emplace_back(number, hosts_[number]);
  }
  return changes;
}

void PrevalenceBook::put_back(const Changes& changes) {
  const std::lock_guard lock(mutex_);
  for (const Changes::Thing& thing : changes.things) changed_.emplace_back(thing.kind, thing.key);
  things_->forgotten.insert(things_->forgotten.end(), changes.forgotten.begin(), changes.forgotten.end());
  for (const auto& [number, host] : changes.hosts) hosts_[number].is_changed = true;
}

Status PrevalenceBook::save(base::Time now) {
  const Day today = day_of(now);
  const bool is_new_day = forget_old(today);
  const Changes changes = take_changes();
  if (!is_new_day && changes.things.empty() && changes.forgotten.empty() && changes.hosts.empty()) return {};
  const Status written = state_.write([&](soci::session& sql) -> Status {
    long long number = 0, kind = 0, first = 0, last = today;
    std::string text;
    soci::statement host =
        (sql.prepare << "INSERT INTO prevalence_hosts (number, host_id, first_day, last_day) VALUES (:number, :id, "
                        ":first, :last) ON CONFLICT (number) DO UPDATE SET last_day = excluded.last_day",
         soci::use(number), soci::use(text), soci::use(first), soci::use(last));
    for (const auto& [at, row] : changes.hosts) {
      number = at, text = row.id, first = row.first, last = row.last;
      host.execute(true);
    }
    // What was forgotten may have come again since.
    soci::statement gone = (sql.prepare << "DELETE FROM prevalence WHERE key = :key", soci::use(number));
    for (const uint64_t key : changes.forgotten) {
      number = static_cast<long long>(key);
      gone.execute(true);
    }
    last = today;
    soci::statement thing =
        (sql.prepare << "INSERT INTO prevalence (key, kind, last_day, sightings) VALUES (:key, :kind, :day, :text) ON "
                        "CONFLICT (key) DO UPDATE SET last_day = excluded.last_day, sightings = excluded.sightings",
         soci::use(number), soci::use(kind), soci::use(last), soci::use(text));
    for (const Changes::Thing& row : changes.things) {
      number = static_cast<long long>(row.key), kind = static_cast<long long>(row.kind), text = row.sightings;
      thing.execute(true);
    }
    const long long oldest = int64_t{today} - kPrevalenceDays;
    sql << "DELETE FROM prevalence WHERE last_day < :oldest", soci::use(oldest);
    return {};
  });
  if (!written) put_back(changes);
  return base::within("keep how common things are", written);
}

// Once a day: what no host had for long. The database forgets it by its day.
bool PrevalenceBook::forget_old(Day today) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(swept_day_, today) == today) return false;
  for (Things::Kind& kind : things_->kinds) {
    for (Things::Entries* const half : {&kind.younger, &kind.older}) {
      erase_if(*half, [&](const auto& row) {
        return std::none_of(row.second.sightings.begin(), row.second.sightings.end(),
                            [&](Sighting one) { return is_recent(one, today); });
      });
    }
  }
  report();
  return true;
}

void PrevalenceBook::report() {
  size_t keys = 0;
  for (const Things::Kind& kind : things_->kinds) keys += kind.younger.size() + kind.older.size();
  keys_.set(static_cast<int64_t>(keys));
}

}  // namespace redoubt::central
