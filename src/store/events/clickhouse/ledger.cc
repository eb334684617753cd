#include "store/events/clickhouse/ledger.h"

#include <soci/soci.h>
#include <cstring>

#include "base/hash.h"
#include "store/events/stored_tables.h"

namespace redoubt::store::clickhouse {

namespace {

constexpr Migration kLedgerMigrations[] = {
    {1, "ledger", R"sql(
CREATE TABLE node (id INTEGER NOT NULL);
CREATE TABLE block (
  number INTEGER PRIMARY KEY,
  received_day INTEGER NOT NULL,
  done INTEGER NOT NULL);
CREATE TABLE stored (
  host_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  PRIMARY KEY (host_id, boot_id)) WITHOUT ROWID;
CREATE TABLE host (
  host_id TEXT PRIMARY KEY,
  events INTEGER NOT NULL,
  events_lost INTEGER NOT NULL,
  last_event INTEGER NOT NULL) WITHOUT ROWID;
)sql"},
};

long long as_signed(uint64_t number) { return static_cast<long long>(number); }

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const std::string& path) {
  TRY(auto db, base::within("open ledger", open_sqlite_state(path, kLedgerMigrations)));
  auto ledger = std::unique_ptr<Ledger>(new Ledger(std::move(db)));
  TRY_STATUS(ledger->find_node());
  return ledger;
}

Status Ledger::find_node() {
  return db_->write([&](soci::session& session) -> Status {
    long long id = 0;
    session << "SELECT coalesce(max(id), 0) FROM node", soci::into(id);
    if (id == 0) {
      const std::string bytes = base::random_bytes(sizeof id);
      std::memcpy(&id, bytes.data(), sizeof id);
      id = (id & INT64_MAX) | 1;
      session << "INSERT INTO node (id) VALUES (:id)", soci::use(id);
    }
    node_ = static_cast<uint64_t>(id);
    return {};
  });
}

Result<Sent> Ledger::sent() {
  Sent sent;
  TRY_STATUS(db_->read([&](soci::session& session) -> Status {
    sent.sequences = stored_sequences(session);
    sent.hosts = stored_hosts(session);
    return {};
  }));
  return sent;
}

Result<uint64_t> Ledger::last_block() {
  long long number = 0;
  TRY_STATUS(db_->read([&](soci::session& session) -> Status {
    session << "SELECT coalesce(max(number), 0) FROM block WHERE done = 1", soci::into(number);
    return {};
  }));
  return static_cast<uint64_t>(number);
}

Result<Ledger::Begun> Ledger::begin(uint64_t number, int64_t received_day) {
  Begun begun;
  TRY_STATUS(base::within("ledger", db_->write([&](soci::session& session) -> Status {
    const long long block = as_signed(number);
    long long day = received_day;
    session << "SELECT received_day FROM block WHERE number = :n", soci::use(block), soci::into(day);
    if (session.got_data()) {
      begun.attempt = Begun::Try::again;
    } else {
      day = received_day;
      session << "INSERT INTO block (number, received_day, done) VALUES (:n, :d, 0)", soci::use(block), soci::use(day);
    }
    begun.head = {.node = node_, .number = number, .received_day = day};
    return {};
  })));
  return begun;
}

Status Ledger::finish(uint64_t number, const Sent& sent) {
  return base::within("ledger", db_->write([&](soci::session& session) -> Status {
    const long long block = as_signed(number);
    put_sequences(session, sent.sequences);
    put_hosts(session, sent.hosts);
    session << "UPDATE block SET done = 1 WHERE number = :n", soci::use(block);
    // The last one says how far it is.
    session << "DELETE FROM block WHERE number < :n", soci::use(block);
    return {};
  }));
}

Status Ledger::verify() { return base::within("ledger", db_->verify()); }

}  // namespace redoubt::store::clickhouse
