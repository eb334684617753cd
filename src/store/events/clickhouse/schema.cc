#include "store/events/clickhouse/schema.h"

#include <charconv>
#include <set>

#include "query/sql/clickhouse_row.h"

namespace redoubt::store::clickhouse {

namespace {

namespace sql = query::sql;

constexpr int64_t kSchemaMs = 60'000;
// The first version with codecs of columns that we rely on; before it the servers' configuration says how they
// compress.
constexpr int kCodecsSince = 20;

bool is_key(event::Field field) {
  return field == event::Field::event_time || field == event::Field::event_sequence || field == event::Field::host_id ||
         field == event::Field::host_boot_id;
}

struct SchemaTarget {
  const Cluster& cluster;
  size_t shard;
  size_t replica;
  Server& server;
  int version;
  std::string remote_database;  // in which the other servers have their rows; empty: the cluster says so
};

std::string quoted_text(std::string_view plain) { return "'" + std::string(plain) + "'"; }

// A server that was lost and is made anew takes its replica's name again, and gets the rows from the others.
std::string engine_of_rows(const SchemaTarget& target) {
  if (!target.cluster.is_replicated()) return "MergeTree";
  return "ReplicatedMergeTree('/redoubt/" + target.cluster.name() + "/" + target.server.database() + "/shard-" +
         std::to_string(target.shard + 1) + "/events', 'replica-" + std::to_string(target.replica + 1) + "')";
}

std::string column_list(const SchemaTarget& target) {
  std::string columns;
  for (const SchemaColumn& column : schema_columns()) {
    columns += (columns.empty() ? "" : ", ") + column.name + " " + column.type;
    if (target.version >= kCodecsSince) columns += " CODEC(ZSTD(1))";
  }
  return columns;
}

std::vector<std::string> make_events(const SchemaTarget& target) {
  std::vector<std::string> statements;
  statements.push_back("CREATE TABLE IF NOT EXISTS " + std::string(rows_table(target.cluster)) + " (" +
                       column_list(target) + ") ENGINE = " + engine_of_rows(target) + " PARTITION BY " +
                       std::string(sql::kDayColumn) +
                       " ORDER BY (host_id, event_time) SETTINGS index_granularity = 8192");
  if (target.cluster.is_replicated()) {
    statements.push_back("CREATE TABLE IF NOT EXISTS " + std::string(kEventsTable) + " AS " +
                         std::string(rows_table(target.cluster)) + " ENGINE = Distributed(" +
                         quoted_text(target.cluster.name()) + ", " + quoted_text(target.remote_database) + ", " +
                         std::string(rows_table(target.cluster)) + ")");
  }
  return statements;
}

// Applied once, in order; never changed after a release.
struct SchemaMigration {
  int version;
  std::string_view name;
  std::vector<std::string> (*statements)(const SchemaTarget&);
};
constexpr SchemaMigration kSchemaMigrations[] = {
    {1, "events", make_events},
};

Call schema_call(std::string sql, Scope scope = Scope::database) {
  return {.sql = std::move(sql),
          .data = {},
          .settings = {},
          .time_ms_max = kSchemaMs,
          .cancelled = {},
          .sink = {},
          .scope = scope};
}

Status run(Server& server, std::string sql, Scope scope = Scope::database) {
  return server.call(schema_call(std::move(sql), scope)).map([](const std::string&) {});
}

Result<int64_t> one_number(Server& server, std::string sql) {
  TRY(const Table table, server.select(schema_call(std::move(sql))));
  if (table.rows.empty()) return 0;
  const auto* number = std::get_if<int64_t>(&table.rows.at(0).at(0));
  return number != nullptr ? *number : 0;
}

Result<int> version_of(Server& server) {
  TRY(const Table table, server.select(schema_call("SELECT version()", Scope::server)));
  const auto& text = std::get<std::string>(table.rows.at(0).at(0));
  int version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

// The cluster as the server knows it has the shards that are configured here.
Result<std::string> remote_database_of(const Cluster& cluster, Server& server) {
  if (!cluster.is_replicated()) return std::string();
  TRY(const Table found, server.select(schema_call("SELECT toInt64(uniqExact(shard_num)), max(default_database) FROM "
                                                   "system.clusters WHERE cluster = " +
                                                       quoted_text(cluster.name()),
                                                   Scope::server)));
  const auto shards = std::get<int64_t>(found.rows.at(0).at(0));
  if (shards != std::ssize(cluster.shards())) {
    return fail(Errc::invalid_argument, "ClickHouse " + server.name() + ": cluster " + cluster.name() + " has " +
                                            std::to_string(shards) + " shards there, and " +
                                            std::to_string(cluster.shards().size()) + " are configured");
  }
  return std::get<std::string>(found.rows.at(0).at(1)).empty() ? server.database() : std::string();
}

Status apply(const SchemaTarget& target, const SchemaMigration& migration) {
  for (std::string& statement : migration.statements(target)) TRY_STATUS(run(target.server, std::move(statement)));
  return run(target.server, "INSERT INTO migrations VALUES (" + std::to_string(migration.version) + ", " +
                                quoted_text(migration.name) + ", now())");
}

Status add_columns(const SchemaTarget& target, std::string_view table) {
  TRY(const Table found,
      target.server.select(schema_call("SELECT name FROM system.columns WHERE database = " +
                                       quoted_text(target.server.database()) + " AND table = " + quoted_text(table))));
  std::set<std::string> names;
  for (const auto& row : found.rows) names.insert(std::get<std::string>(row.at(0)));
  for (const SchemaColumn& column : schema_columns()) {
    if (names.contains(column.name)) continue;
    TRY_STATUS(
        run(target.server, "ALTER TABLE " + std::string(table) + " ADD COLUMN " + column.name + " " + column.type));
  }
  return {};
}

}  // namespace

std::string_view rows_table(const Cluster& cluster) {
  return cluster.is_replicated() ? std::string_view("events_shard") : kEventsTable;
}

std::vector<SchemaColumn> schema_columns() {
  std::vector<SchemaColumn> columns = {{std::string(sql::kDayColumn), "Date"}, {"node", "UInt64"}, {"block", "UInt64"}};
  for (const event::FieldInfo& info : event::kFields) {
    const std::string type = event::is_textual(info.type) ? "String" : "Int64";
    columns.push_back({std::string(info.column), is_key(info.field) ? type : "Nullable(" + type + ")"});
  }
  for (const event::FieldInfo& info : event::kFields) {
    if (info.type == event::FieldType::ip) columns.push_back({sql::address_key_column(info.field), "String"});
  }
  columns.push_back({std::string(sql::kFoldFieldsColumn), "Array(UInt16)"});
  for (const std::string_view name : {sql::kFoldTextsColumn, sql::kAttributeNamesColumn, sql::kAttributeValuesColumn,
                                      sql::kAttributeFoldsColumn, sql::kAttributeKeysColumn}) {
    columns.push_back({std::string(name), "Array(String)"});
  }
  return columns;
}

Status migrate(const Cluster& cluster, size_t shard, size_t replica) {
  Server& server = *cluster.shards().at(shard).at(replica);
  TRY(const int version, version_of(server));
  TRY(std::string remote_database, remote_database_of(cluster, server));
  const SchemaTarget target{.cluster = cluster,
                            .shard = shard,
                            .replica = replica,
                            .server = server,
                            .version = version,
                            .remote_database = std::move(remote_database)};
  TRY_STATUS(run(server, "CREATE DATABASE IF NOT EXISTS " + server.database(), Scope::server));
  TRY_STATUS(run(server,
                 "CREATE TABLE IF NOT EXISTS migrations (version UInt32, name String, applied DateTime) ENGINE = "
                 "MergeTree ORDER BY version"));
  TRY(const int64_t applied, one_number(server, "SELECT toInt64(max(version)) FROM migrations"));
  constexpr int kNewest = kSchemaMigrations[std::size(kSchemaMigrations) - 1].version;
  if (applied > kNewest) {
    return fail(Errc::unsupported, "ClickHouse " + server.name() + ": its tables are of a later version of Redoubt");
  }
  for (const SchemaMigration& migration : kSchemaMigrations) {
    if (migration.version > applied) {
      TRY_STATUS(base::within("migration " + std::string(migration.name), apply(target, migration)));
    }
  }
  TRY_STATUS(add_columns(target, rows_table(cluster)));
  if (cluster.is_replicated()) TRY_STATUS(add_columns(target, kEventsTable));
  return {};
}

}  // namespace redoubt::store::clickhouse
