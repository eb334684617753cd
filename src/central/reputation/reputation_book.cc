#include "central/reputation/reputation_book.h"

#include <soci/soci.h>
#include <xxhash.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <span>

namespace redoubt::central {

constexpr std::string_view kReputationSql = R"sql(
CREATE TABLE reputation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind BIGINT NOT NULL,
  value TEXT NOT NULL,
  reputation BIGINT NOT NULL,
  source TEXT NOT NULL,
  note TEXT NOT NULL,
  added_us BIGINT NOT NULL,
  import BIGINT NOT NULL
);
CREATE UNIQUE INDEX reputation_by_value ON reputation (value, kind, source);
CREATE INDEX reputation_by_source ON reputation (source, id);
CREATE TABLE reputation_changes (
  generation BIGINT NOT NULL
);
INSERT INTO reputation_changes (generation) VALUES (0)
)sql";
const std::string_view kReputationMigration = kReputationSql;

namespace {

constexpr std::array<std::string_view, 3> kReputationNames = {"unknown", "good", "bad"};
constexpr std::string_view kEntryColumns = "id, kind, value, reputation, source, note, added_us";
constexpr size_t kSourcesMax = 10'000;

uint64_t hash_of(long long kind, const std::string& value) {
  return XXH3_64bits_withSeed(value.data(), value.size(), static_cast<uint64_t>(kind));
}

struct EntryReader {
  long long id = 0, kind = 0, reputation = 0, added_us = 0;
  ReputationEntry entry;

  void bind(soci::details::prepare_temp_type& prepared) {
    prepared, soci::into(id), soci::into(kind), soci::into(entry.indicator.value), soci::into(reputation),
        soci::into(entry.source), soci::into(entry.note), soci::into(added_us);
  }
  ReputationEntry take() {
    entry.id = std::to_string(id);
    entry.indicator.kind = static_cast<IndicatorKind>(kind);
    entry.reputation = static_cast<Reputation>(reputation);
    entry.added = {added_us};
    return entry;
  }
};

long long next_generation(soci::session& sql) {
  sql << "UPDATE reputation_changes SET generation = generation + 1";
  long long generation = 0;
  sql << "SELECT generation FROM reputation_changes", soci::into(generation);
  return generation;
}

void put_entry(soci::session& sql, const ReputationEntry& entry, long long import) {
  const long long kind = static_cast<long long>(entry.indicator.kind),
                  reputation = static_cast<long long>(entry.reputation), added_us = entry.added.us;
  sql << "INSERT INTO reputation (kind, value, reputation, source, note, added_us, import)"
         " VALUES (:kind, :value, :reputation, :source, :note, :added, :import)"
         " ON CONFLICT (value, kind, source) DO UPDATE SET reputation = excluded.reputation, note = excluded.note,"
         " added_us = excluded.added_us, import = excluded.import",
      soci::use(kind), soci::use(entry.indicator.value), soci::use(reputation), soci::use(entry.source),
      soci::use(entry.note), soci::use(added_us), soci::use(import);
}

// Some thousands at a time, by one prepared statement: others write in between.
constexpr size_t kImportStep = 10'000;

void put_feed(soci::session& sql, std::span<const FeedIndicator> part, ReputationEntry entry, long long import) {
  long long kind = 0;
  const long long reputation = static_cast<long long>(entry.reputation), added_us = entry.added.us;
  soci::statement statement =
      (sql.prepare << "INSERT INTO reputation (kind, value, reputation, source, note, added_us, import)"
                      " VALUES (:kind, :value, :reputation, :source, :note, :added, :import)"
                      " ON CONFLICT (value, kind, source) DO UPDATE SET reputation = excluded.reputation,"
                      " note = excluded.note, import = excluded.import",
       soci::use(kind), soci::use(entry.indicator.value), soci::use(reputation), soci::use(entry.source),
       soci::use(entry.note), soci::use(added_us), soci::use(import));
  for (const FeedIndicator& each : part) {
    kind = static_cast<long long>(each.indicator.kind);
    entry.indicator.value = each.indicator.value;
    entry.note = each.note;
    statement.execute(true);
  }
}

long long row_of(const std::string& id) {
  long long row = 0;
  const auto [stop, error] = std::from_chars(id.data(), id.data() + id.size(), row);
  return error == std::errc{} && stop == id.data() + id.size() ? row : 0;
}

bool counts_before(const ReputationEntry& a, const ReputationEntry& b) {
  const bool a_person = a.source == kManualSource, b_person = b.source == kManualSource;
  if (a_person != b_person) return a_person;
  if (a.reputation != b.reputation) return a.reputation == Reputation::bad;
  return a.added > b.added;
}

}  // namespace

std::string_view name_of(Reputation reputation) { return kReputationNames[static_cast<size_t>(reputation)]; }

std::optional<Reputation> reputation_named(std::string_view name) {
  for (size_t i = 0; i < kReputationNames.size(); ++i) {
    if (kReputationNames[i] == name) return static_cast<Reputation>(i);
  }
  return std::nullopt;
}

Result<std::unique_ptr<ReputationBook>> ReputationBook::open(store::StateDb& state) {
  std::unique_ptr<ReputationBook> book(new ReputationBook(state));
  TRY_STATUS(base::within("reputation", book->load()));
  return book;
}

Status ReputationBook::load() {
  std::vector<uint64_t> known;
  long long generation = 0;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    sql << "SELECT generation FROM reputation_changes", soci::into(generation);
    long long kind = 0;
    std::string value;
    soci::statement statement =
        (sql.prepare << "SELECT kind, value FROM reputation", soci::into(kind), soci::into(value));
    statement.execute();
    while (statement.fetch()) known.push_back(hash_of(kind, value));
    return {};
  }));
  std::sort(known.begin(), known.end());
  const std::unique_lock lock(mutex_);
  known_ = std::move(known);
  generation_ = generation;
  return {};
}

bool ReputationBook::may_know(const Indicator& indicator) const {
  const uint64_t hash = hash_of(static_cast<long long>(indicator.kind), indicator.value);
  const std::shared_lock lock(mutex_);
  return std::binary_search(known_.begin(), known_.end(), hash);
}

Result<ReputationWord> ReputationBook::ask(const Indicator& indicator) {
  ReputationWord word;
  if (!may_know(indicator)) return word;
  const long long kind = static_cast<long long>(indicator.kind), most = kSourcesMax;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    EntryReader reader;
    auto prepared = sql.prepare << "SELECT " + std::string(kEntryColumns) +
                                       " FROM reputation WHERE value = :value AND kind = :kind LIMIT :most";
    reader.bind(prepared);
    prepared, soci::use(indicator.value), soci::use(kind), soci::use(most);
    soci::statement statement(prepared);
    statement.execute();
    while (statement.fetch()) word.entries.push_back(reader.take());
    return {};
  }));
  std::sort(word.entries.begin(), word.entries.end(), counts_before);
  if (!word.entries.empty()) word.reputation = word.entries.front().reputation;
  return word;
}

Result<ReputationEntry> ReputationBook::add(const Indicator& indicator, Reputation reputation, const std::string& note,
                                            const std::string& by) {
  ReputationEntry entry{.indicator = indicator,
                        .reputation = reputation,
                        .source = std::string(kManualSource),
                        .note = note.empty() ? "by " + by : note + " (by " + by + ")",
                        .added = base::Time::now()};
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    put_entry(sql, entry, next_generation(sql));
    const long long kind = static_cast<long long>(indicator.kind);
    long long id = 0;
    sql << "SELECT id FROM reputation WHERE value = :value AND kind = :kind AND source = :source", soci::into(id),
        soci::use(indicator.value), soci::use(kind), soci::use(entry.source);
    entry.id = std::to_string(id);
    return {};
  }));
  TRY_STATUS(load());
  return entry;
}

Status ReputationBook::remove(const std::string& id) {
  const long long row = row_of(id);
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    soci::statement statement = (sql.prepare << "DELETE FROM reputation WHERE id = :id", soci::use(row));
    statement.execute(true);
    if (statement.get_affected_rows() == 0) return fail(Errc::not_found, "no such entry of the reputation service");
    next_generation(sql);
    return {};
  }));
  return load();
}

Result<ImportReport> ReputationBook::import(const std::string& source, Reputation reputation, std::string_view feed) {
  if (source == kManualSource) return fail(Errc::invalid_argument, "source: 'manual' is what people enter");
  TRY(const Feed read, read_feed(feed));
  {
    const std::shared_lock lock(mutex_);
    if (known_.size() + read.indicators.size() > kReputationEntriesMax) {
      return fail(Errc::exhausted,
                  "the reputation service would have more than " + std::to_string(kReputationEntriesMax) + " entries");
    }
  }
  ImportReport report{
      .format = read.format, .added = read.indicators.size(), .skipped = read.skipped, .reasons = read.reasons};
  long long import = 0;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    import = next_generation(sql);
    return {};
  }));
  const ReputationEntry entry{.reputation = reputation, .source = source, .added = base::Time::now()};
  const std::span<const FeedIndicator> all(read.indicators);
  for (size_t done = 0; done < all.size(); done += kImportStep) {
    TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
      put_feed(sql, all.subspan(done, std::min(kImportStep, all.size() - done)), entry, import);
      return {};
    }));
  }
  // Whoever asked in between may have met half of it: a generation of its own for the whole.
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    soci::statement statement = (sql.prepare << "DELETE FROM reputation WHERE source = :source AND import <> :import",
                                 soci::use(source), soci::use(import));
    statement.execute(true);
    report.removed = static_cast<size_t>(std::max<long long>(statement.get_affected_rows(), 0));
    next_generation(sql);
    return {};
  }));
  TRY_STATUS(load());
  return report;
}

Result<size_t> ReputationBook::remove_source(const std::string& source) {
  long long removed = 0;
  TRY_STATUS(state_.write([&](soci::session& sql) -> Status {
    soci::statement statement = (sql.prepare << "DELETE FROM reputation WHERE source = :source", soci::use(source));
    statement.execute(true);
    removed = statement.get_affected_rows();
    if (removed == 0) return fail(Errc::not_found, "the reputation service has no source '" + source + "'");
    next_generation(sql);
    return {};
  }));
  TRY_STATUS(load());
  return static_cast<size_t>(removed);
}

Result<std::vector<ReputationSource>> ReputationBook::sources() {
  std::vector<ReputationSource> sources;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    ReputationSource source;
    long long entries = 0, latest_us = 0;
    const long long most = kSourcesMax;
    soci::statement statement =
        (sql.prepare << "SELECT source, count(*), max(added_us) FROM reputation GROUP BY source ORDER BY source"
                        " LIMIT :most",
         soci::use(most), soci::into(source.name), soci::into(entries), soci::into(latest_us));
    statement.execute();
    while (statement.fetch()) {
      source.entries = entries;
      source.latest = {latest_us};
      sources.push_back(source);
    }
    return {};
  }));
  return sources;
}

Result<std::vector<ReputationEntry>> ReputationBook::list(const std::string& source, int64_t before, size_t limit) {
  std::vector<ReputationEntry> entries;
  TRY_STATUS(state_.read([&](soci::session& sql) -> Status {
    const long long most = static_cast<long long>(limit), below = before;
    EntryReader reader;
    auto prepared = sql.prepare << "SELECT " + std::string(kEntryColumns) + " FROM reputation WHERE id < :before" +
                                       (source.empty() ? "" : " AND source = :source") +
                                       " ORDER BY id DESC LIMIT :most";
    reader.bind(prepared);
    prepared, soci::use(below);
    if (!source.empty()) prepared, soci::use(source);
    prepared, soci::use(most);
    soci::statement statement(prepared);
    statement.execute();
    while (statement.fetch()) entries.push_back(reader.take());
    return {};
  }));
  return entries;
}

}  // namespace redoubt::central
